// What SIGEV_FORCE names is not used, and what it does not name is, where the kernel has it: seen from outside, by what the
// process has open and mapped. ctest runs this once for each fallback.
#include "fixture.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <unistd.h>

using namespace sigev_tests;

namespace {

bool is_forced(const std::string& name) {
    const char* const names = std::getenv("SIGEV_FORCE");
    return names && ("," + std::string(names) + ",").find("," + name + ",") != std::string::npos;
}

std::string kind_of(int descriptor) {
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor)).string();
}

bool is_pipe(const std::string& kind) {
    return kind.starts_with("pipe:");
}
bool is_eventfd(const std::string& kind) {
    return kind == "anon_inode:[eventfd]";
}

/// The kinds of all open descriptors, and how many there are of each.
std::map<std::string, int> kinds() {
    std::map<std::string, int> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone; // the folder's own descriptor
        ++found[std::filesystem::read_symlink(entry, gone).string()];
    }
    return found;
}

/// What has been written to the eventfds of the process and not been read.
std::uint64_t unread() {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
        std::ifstream lines(entry.path());
        for (std::string line; std::getline(lines, line);)
            if (line.starts_with("eventfd-count:"))
                sum += std::stoull(line.substr(line.find(':') + 1), nullptr, 16);
    }
    return sum;
}

bool a_page_is_wiped_on_fork() {
    std::ifstream lines("/proc/self/smaps");
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("VmFlags:") && line.find(" wf") != line.npos)
            return true;
    return false;
}

} // namespace

BOOST_AUTO_TEST_SUITE(fallbacks)

BOOST_AUTO_TEST_CASE(the_probe_says_what_is_forced_off) {
    const std::map<std::string, const char*> features{
        {"pipe", "eventfd"},
        {"noatomic16", "atomic16"},
        {"nowipe", "wipeonfork"},
        {"nopidfd", "pidfd_thread"},
        {"noproc", "thread_folder"},
        {"noperpetual", "perpetual_read"}};
    for (const auto& [name, feature] : features) {
        const int answer = sigev_probe(feature);
        BOOST_TEST((is_forced(name) ? answer == 2 || answer == 0 : answer == 1 || answer == 0), feature << ": " << answer);
    }
    BOOST_TEST(sigev_probe("eventfd") != 0);
    BOOST_TEST(sigev_probe("SIGEV_FORCE") == 1);
}

BOOST_AUTO_TEST_CASE(wakeups_are_eventfds_or_pipes) {
    const auto as_forced = [](int descriptor) {
        const auto kind = kind_of(descriptor);
        return is_forced("pipe") ? is_pipe(kind) : is_eventfd(kind);
    };
    sigev_event_raw* event = nullptr;
    BOOST_REQUIRE(sigev_event_raw_open(SIGEV_EVENT_RAW_DEFAULT, &event) == 0);
    BOOST_TEST(as_forced(sigev_event_raw_fd(event)));
    sigev_event_raw_close(event);

    sigev_reactor_t reactor = 0;
    BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
    int descriptor = -1;
    BOOST_REQUIRE(sigev_reactor_descriptors(reactor, &descriptor, 1) >= 1);
    BOOST_TEST(as_forced(descriptor));
    BOOST_TEST(sigev_reactor_close(reactor) == 0);
}

BOOST_AUTO_TEST_CASE(the_epoch_page_is_wiped_by_the_kernel_or_not) {
    BOOST_TEST(sigev_epoch() != 0u);
    BOOST_TEST(a_page_is_wiped_on_fork() == (sigev_probe("wipeonfork") == 1));
    BOOST_TEST((!is_forced("nowipe") || !a_page_is_wiped_on_fork()));
}

BOOST_AUTO_TEST_CASE(a_thread_is_held_by_a_pidfd_or_by_its_folder) {
    const auto folder = "/proc/" + std::to_string(getpid()) + "/task/" + std::to_string(this_thread());
    auto before = kinds();
    const auto e = make_thread_id_event(this_thread(), SIGUSR1);
    sigev_t s = 0;
    BOOST_REQUIRE(sigev_open(&e, 1, nullptr, &s) == 0);
    auto now = kinds();
    BOOST_TEST(sigev_close(s) == 0);
    const bool by_pidfd = sigev_probe("pidfd_thread") == 1;
    BOOST_TEST(now["anon_inode:[pidfd]"] - before["anon_inode:[pidfd]"] == (by_pidfd ? 1 : 0));
    BOOST_TEST(now[folder] - before[folder] == (by_pidfd || is_forced("noproc") ? 0 : 1));
    BOOST_TEST((!is_forced("nopidfd") || !by_pidfd));
}

// The perpetual read operation never reads: what is written to wake the loop stays there. Asio's public waits report a
// descriptor that is readable, and the loop has to read it.
BOOST_AUTO_TEST_CASE(the_loop_reads_its_wakeups_or_not) {
    if (is_forced("pipe"))
        skip("a pipe is read in any case, since it would fill up");
    const place on(place::runtime);
    const subscription s(on, make_event(SIGEV_NONE), 1);
    const auto before = unread();
    std::uint64_t submitted = 0;
    const auto submit_one = [&] {
        s.submit();
        BOOST_REQUIRE(wait_until([&] { return s.delivered() == submitted + 1; }));
        ++submitted;
    };
    if (is_forced("noperpetual")) {
        while (submitted != 50)
            submit_one();
        BOOST_TEST(wait_until([&] { return unread() == before; }));
    } else {
        BOOST_TEST(wait_until([&] { // only a loop that sleeps is written to
            submit_one();
            return unread() > before;
        }));
    }
}

BOOST_AUTO_TEST_SUITE_END()
