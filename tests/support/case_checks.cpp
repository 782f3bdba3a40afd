// Around every case: what was open, running or forked before it is all that is left after it. They are fixtures of
// the case, so what they find counts as a failure of that case.
#include "harness.hpp"
#include "support.hpp"

#include <boost/make_shared.hpp>
#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>

#include <map>
#include <thread>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sigev_tests {

namespace {

namespace bt = boost::unit_test;

/// A number of a descriptor or a thread, and what the kernel says that it is.
using census = std::map<int, std::string>;

std::vector<std::function<void()>>& checks() {
    static std::vector<std::function<void()>> all; // filled by static initialisers of other files
    return all;
}

template <class Describe>
census read_folder(const char* path, Describe describe) {
    census found;
    DIR* const folder = opendir(path);
    BOOST_REQUIRE(folder);
    while (const dirent* const entry = readdir(folder)) {
        if (entry->d_name[0] == '.')
            continue;
        const int number = std::stoi(entry->d_name);
        if (number != dirfd(folder))
            found.emplace(number, describe(entry->d_name));
    }
    closedir(folder);
    return found;
}

census descriptors() {
    return read_folder("/proc/self/fd", [](const std::string& number) {
        char target[256];
        const auto length = readlink(("/proc/self/fd/" + number).c_str(), target, sizeof target);
        return std::string(target, length > 0 ? static_cast<std::size_t>(length) : 0);
    });
}

census threads() {
    return read_folder("/proc/self/task", [](const std::string& tid) {
        char name[32];
        const int file = open(("/proc/self/task/" + tid + "/comm").c_str(), O_RDONLY | O_CLOEXEC);
        const auto length = read(file, name, sizeof name);
        close(file);
        return std::string(name, length > 0 ? static_cast<std::size_t>(length - 1) : 0);
    });
}

/// Reports what one census has and the other lacks, by number and by what it is.
void report_difference(const std::string& what, const census& has, const census& lacks) {
    for (const auto& [number, description] : has) {
        const auto other = lacks.find(number);
        if (other == lacks.end() || other->second != description)
            BOOST_ERROR(what + std::to_string(number) + " (" + description + ")");
    }
}

bool has_child() {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/// ThreadSanitizer starts a thread of its own beside the first of the program: it is not to count as the case's.
void start_sanitizer_thread() {
#ifdef __SANITIZE_THREAD__
    std::thread([] {}).join();
    wait_until([] { return threads().size() <= 2; });
#endif
}

class case_checks : public bt::test_unit_fixture {
    void setup() override {
        start_sanitizer_thread();
        descriptors_ = descriptors();
        threads_ = threads();
    }

    void teardown() override {
        for (const auto& check : checks())
            check();
        // a thread that has been joined may still be listed for a moment; its name may change, its number not
        wait_until([&] { return threads().size() <= threads_.size(); }, seconds(2));
        for (const auto& [tid, name] : threads())
            if (!threads_.contains(tid))
                BOOST_ERROR("left by the case: thread " + std::to_string(tid) + " (" + name + ")");
        const auto now = descriptors();
        report_difference("left open by the case: descriptor ", now, descriptors_);
        report_difference("closed by the case, which did not open it: descriptor ", descriptors_, now);
        BOOST_CHECK_MESSAGE(!has_child(), "left by the case: a child process");
    }

    census descriptors_;
    census threads_;
};

class wrapper : public bt::test_tree_visitor {
    void visit(const bt::test_case& unit) override {
        // first in the list: set up before, and torn down after, the fixtures that the case itself names
        auto& fixtures = const_cast<bt::test_case&>(unit).p_fixtures.value;
        fixtures.insert(fixtures.begin(), boost::make_shared<case_checks>());
    }
};

} // namespace

bool at_case_end(std::function<void()> check) {
    checks().push_back(std::move(check));
    return true;
}

void check_every_case(const bt::test_suite& suite) {
    wrapper visitor;
    bt::traverse_test_tree(suite, visitor, true);
}

} // namespace sigev_tests
