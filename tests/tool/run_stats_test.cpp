// `sigev run --stats`: what is counted, however the program ends.
#include "process.hpp"

#include "sys/statistics_page.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <csignal>
#include <cstdio>
#include <fstream>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sigev_tests;
namespace json = boost::json;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

/// A name in this folder that nobody has; what comes to be there is removed.
class scratch_name {
public:
    scratch_name() {
        static int made = 0;
        path_ = "./run-stats-" + std::to_string(getpid()) + "-" + std::to_string(++made);
        unlink(path_.c_str());
    }
    ~scratch_name() { unlink(path_.c_str()); }
    scratch_name(const scratch_name&) = delete;
    scratch_name& operator=(const scratch_name&) = delete;
    const std::string& path() const { return path_; }

    std::string content() const {
        std::ifstream file(path_);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    std::string path_;
};

struct counted {
    outcome end;
    json::array images;
};

/// Runs it with --stats=FILE --json and these options.
counted run_counted(std::vector<std::string> program, std::vector<std::string> options = {}, int status = 0) {
    const scratch_name file;
    std::vector<std::string> all{"run", "--stats=" + file.path(), "--json"};
    all.insert(all.end(), options.begin(), options.end());
    all.push_back("--");
    all.insert(all.end(), program.begin(), program.end());
    counted c{run_tool(all), {}};
    BOOST_TEST(c.end.status == status, c.end.status << ": " << c.end.err);
    const auto report = file.content();
    BOOST_REQUIRE_MESSAGE(report.starts_with("{"), report << c.end.err);
    const auto object = json::parse(report).as_object();
    BOOST_TEST(object.at("missing").as_array().empty(), report);
    c.images = object.at("images").as_array();
    return c;
}

counted run_own(std::vector<std::string> arguments, std::vector<std::string> options = {}, int status = 0) {
    arguments.insert(arguments.begin(), SIGEV_COUNTED);
    return run_counted(std::move(arguments), std::move(options), status);
}

std::string text(const json::value& of, const char* name) {
    return json::value_to<std::string>(of.as_object().at(name));
}

std::uint64_t number(const json::value& of, const char* name) {
    return of.as_object().at(name).to_number<std::uint64_t>();
}

/// The account of a source and a method in that image; an empty object: there is none.
json::object account(const counted& c, std::size_t image, const std::string& source, const std::string& method) {
    BOOST_REQUIRE(image < c.images.size());
    for (const auto& a : c.images[image].as_object().at("accounts").as_array())
        if (text(a, "source") == source && text(a, "method") == method)
            return a.as_object();
    BOOST_ERROR(source << ' ' << method << " is not in " << c.images[image]);
    return {};
}

/// All has been told, and each has its time.
void is_quiet(const json::object& a) {
    BOOST_TEST(number(a, "raised") == number(a, "delivered") + number(a, "merged") + number(a, "discarded"), json::value(a));
    BOOST_TEST(a.at("pending").to_number<std::int64_t>() == 0);
    BOOST_TEST(number(a.at("late"), "count") == number(a, "delivered"), json::value(a));
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_stats)

BOOST_AUTO_TEST_CASE(a_timer_that_calls_is_counted_to_the_last) {
    const auto c = run_own({"calls:20"});
    BOOST_TEST(c.images.size() == 1u);
    BOOST_TEST(text(c.images[0], "program") == "tool_counted");
    BOOST_TEST(text(c.images[0], "end") == "exit");
    const auto a = account(c, 0, "timer", "thread");
    BOOST_TEST(number(a, "created") == 1u);
    BOOST_TEST(number(a, "delivered") >= 20u);
    is_quiet(a);
    BOOST_TEST(number(a.at("late"), "p99_ns") < 10'000'000'000u);
    BOOST_TEST(number(a.at("took"), "count") == 0u);
}

BOOST_AUTO_TEST_CASE(requests_are_counted_with_how_long_they_took) {
    const auto c = run_own({"reads:30", "told:12"});
    const auto silent = account(c, 0, "aio", "none");
    for (const char* name : {"created", "raised", "delivered"})
        BOOST_TEST(number(silent, name) == 30u, name);
    BOOST_TEST(number(silent.at("took"), "count") == 30u);
    BOOST_TEST(number(silent.at("late"), "count") == 0u); // nobody is told
    const auto told = account(c, 0, "aio", "thread");
    BOOST_TEST(number(told, "created") == 12u);
    BOOST_TEST(number(told.at("took"), "count") == 12u);
    is_quiet(told);
    BOOST_TEST(number(told, "delivered") == 12u);
}

BOOST_AUTO_TEST_CASE(however_it_ends) {
    struct {
        const char* end;
        int status;
        const char* how;
    } const ways[]{
        {"exit:3", 3, "exit"},          {"_exit:4", 4, "exit"},         {"abort", -SIGABRT, "signal"},
        {"kill", -SIGKILL, "signal"},   {"exit:0", 0, "exit"},
    };
    for (const auto& way : ways) {
        const auto c = run_own({"living:5", "reads:7", way.end}, {}, way.status);
        BOOST_TEST(text(c.images[0], "end") == way.how, way.end);
        BOOST_TEST(number(c.images[0], "status") == static_cast<unsigned>(std::abs(way.status)), way.end);
        const auto a = account(c, 0, "timer", "thread");
        BOOST_TEST(number(a, "delivered") >= 4u, way.end); // the fifth may not have come back
        BOOST_TEST(number(a, "raised") >= 5u, way.end);
        BOOST_TEST(number(account(c, 0, "aio", "none"), "delivered") == 7u, way.end);
    }
}

BOOST_AUTO_TEST_CASE(each_program_of_a_process_has_a_section) {
    const auto c = run_own({"reads:3", "exec:true"});
    BOOST_REQUIRE(c.images.size() == 2u);
    BOOST_TEST(text(c.images[0], "end") == "exec");
    BOOST_TEST(text(c.images[0], "executed") == "true");
    BOOST_TEST(number(c.images[0], "pid") == number(c.images[1], "pid"));
    BOOST_TEST(number(account(c, 0, "aio", "none"), "raised") == 3u);
    BOOST_TEST(text(c.images[1], "program") == "true");
    BOOST_TEST(c.images[1].as_object().at("accounts").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_forked_child_is_counted_by_itself) {
    const auto c = run_own({"calls:2", "child:6", "calls:2"});
    BOOST_REQUIRE(c.images.size() == 2u);
    BOOST_TEST(c.images[1].as_object().at("forked").as_bool());
    BOOST_TEST(number(c.images[1], "parent") == number(c.images[0], "pid"));
    BOOST_TEST(text(c.images[1], "end") == "unknown"); // by _exit(), and it is not this command's child
    BOOST_TEST(number(account(c, 0, "timer", "thread"), "created") == 2u);
    const auto a = account(c, 1, "timer", "thread");
    BOOST_TEST(number(a, "created") == 1u);
    BOOST_TEST(number(a, "delivered") >= 6u);
    is_quiet(a);
}

BOOST_AUTO_TEST_CASE(children_of_a_shell_are_on_it) {
    const std::string own = SIGEV_COUNTED;
    const auto c = run_counted({"sh", "-c", own + " reads:1; env " + own + " reads:2 exit:6; exit 1"}, {}, 1);
    BOOST_REQUIRE(c.images.size() == 4u);
    const char* const names[]{"sh", "tool_counted", "env", "tool_counted"};
    for (std::size_t i = 0; i != 4; ++i)
        BOOST_TEST(text(c.images[i], "program") == names[i]);
    BOOST_TEST(text(c.images[1], "end") == "exit");
    BOOST_TEST(text(c.images[2], "end") == "exec");
    BOOST_TEST(number(c.images[3], "status") == 6u);
    BOOST_TEST(number(account(c, 1, "aio", "none"), "raised") == 1u);
    BOOST_TEST(number(account(c, 3, "aio", "none"), "raised") == 2u);
}

BOOST_AUTO_TEST_CASE(what_the_kernel_raises_is_known_of_the_dead) {
    const auto killed = run_own({"deadly"}, {}, -SIGALRM);
    const auto a = account(killed, 0, "timer", "signal");
    BOOST_TEST(number(a, "created") == 1u);
    BOOST_TEST(number(a, "kernel_raised") >= 1u);
    BOOST_TEST(number(a, "raised") == 0u);
    for (const char* end : {"exit:0", "_exit:0"}) {
        const auto lived = account(run_own({"signals:20", end}), 0, "timer", "signal");
        BOOST_TEST(number(lived, "kernel_raised") >= 20u, end);
        BOOST_TEST(number(lived, "kernel_raised") < 20'000u, end); // 20 s of milliseconds
    }
    const auto executed = account(run_own({"signals:20", "exec:true"}), 0, "timer", "signal");
    BOOST_TEST(number(executed, "kernel_raised") >= 20u);
    BOOST_TEST(number(account(run_own({"cpu", "_exit:0"}), 0, "timer", "signal"), "kernel_raised") >= 1u);
}

BOOST_AUTO_TEST_CASE(the_engine_and_the_parts_are_as_they_were_chosen) {
    const auto heap = account(run_own({"signals:3"}, {"--engine", "timer=heap"}), 0, "timer", "signal");
    BOOST_TEST(number(heap, "kernel_raised") == 0u);
    BOOST_TEST(number(heap, "raised") >= 3u);
    const auto off = run_own({"reads:3"}, {"--disable", "timer,aio"});
    BOOST_REQUIRE(off.images.size() == 1u);
    BOOST_TEST(off.images[0].as_object().at("accounts").as_array().empty());
}

BOOST_AUTO_TEST_CASE(who_still_runs_is_said) {
    const scratch_name said;
    const std::string own = SIGEV_COUNTED;
    const auto c = run_counted(
        {"sh", "-c", own + " signals:5 stay >\"$1\" 2>&1 & until grep -q stays \"$1\"; do :; done", "sh", said.path()});
    const pid_t left = std::atoi(said.content().c_str());
    BOOST_REQUIRE(left > 0);
    const bool is_there = kill(left, SIGKILL) == 0;
    BOOST_TEST(is_there);
    for (std::size_t i = 0; i != c.images.size(); ++i)
        if (number(c.images[i], "pid") == static_cast<std::uint64_t>(left) && text(c.images[i], "program") == "tool_counted") {
            BOOST_TEST(text(c.images[i], "end") == "running");
            BOOST_TEST(number(account(c, i, "timer", "signal"), "kernel_raised") >= 5u);
            return;
        }
    BOOST_ERROR("it has no section");
}

BOOST_AUTO_TEST_CASE(a_program_without_the_environment_is_not_counted) {
    const auto c = run_counted({"env", "-i", SIGEV_COUNTED, "reads:2"});
    BOOST_REQUIRE(c.images.size() == 1u);
    BOOST_TEST(text(c.images[0], "program") == "env");
}

BOOST_AUTO_TEST_CASE(the_table_has_the_numbers_and_a_drawing) {
    const auto end = run_tool({"run", "--stats", "--", SIGEV_COUNTED, "reads:200", "exit:2"});
    BOOST_TEST(end.status == 2);
    BOOST_TEST(end.out == "");
    BOOST_TEST(end.err.starts_with("sigev: tool_counted, process "), end.err);
    BOOST_TEST(has(end.err, ": exit status 2\n  source method created raised delivered time    p50    p99 1µs         67ms\n"), end.err);
    BOOST_TEST(has(end.err, "\n  aio    none       200    200       200 took "), end.err);
    BOOST_TEST(has(end.err, "▇"), end.err);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_refused_before) {
    const auto end = run_tool({"run", "--stats=/no/such/folder/file", "--", "echo", "it runs"});
    BOOST_TEST(end.status == 2);
    BOOST_TEST(end.out == "");
    BOOST_TEST(has(end.err, "/no/such/folder/file"), end.err);
    const auto full = run_tool({"run", "--stats=/dev/full", "--", "sh", "-c", "exit 3"});
    BOOST_TEST(full.status == 3);
    BOOST_TEST(has(full.err, "No space left"), full.err);
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_said) {
    BOOST_TEST(run_tool({"run", "--json", "--", "true"}).status == 2);
    const auto refused = run_tool({"run", "--stats", "--", "no-such-program-anywhere"});
    BOOST_TEST(refused.status == 127);
    BOOST_TEST(!has(refused.err, "process"), refused.err);
}

BOOST_AUTO_TEST_CASE(a_program_that_writes_into_it_harms_itself) {
    const scratch_name file;
    const auto end = run_tool({"run", "--stats=" + file.path(), "--json", "--", SIGEV_COUNTED, "signals:2", "scribble", "reads:5", "calls:3", "exit:6"});
    BOOST_TEST(end.status == 6, end.err);
    BOOST_TEST(json::parse(file.content()).is_object());
    BOOST_TEST(run_tool({"run", "--stats", "--", SIGEV_COUNTED, "scribble", "exit:6"}).status == 6);
}

// Only the mapping of the command is taken for it.
BOOST_AUTO_TEST_CASE(what_the_variable_names_otherwise_is_left_alone) {
    const scratch_name file;
    const int fd = open(file.path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int short_one = memfd_create("short", MFD_ALLOW_SEALING);
    const int empty = memfd_create("empty", MFD_ALLOW_SEALING);
    const int unsealed = memfd_create("unsealed", MFD_ALLOW_SEALING);
    BOOST_REQUIRE((fd >= 0 && short_one >= 0 && empty >= 0 && unsealed >= 0));
    BOOST_REQUIRE(ftruncate(short_one, 4096) == 0);
    BOOST_REQUIRE(fcntl(short_one, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    const auto size = static_cast<off_t>(sizeof(sigev::sys::statistics::page));
    BOOST_REQUIRE(ftruncate(empty, size) == 0); // no magic in it
    BOOST_REQUIRE(fcntl(empty, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    BOOST_REQUIRE(ftruncate(unsealed, size) == 0);
    const std::uint64_t head[]{sigev::sys::statistics::magic, static_cast<std::uint64_t>(size)};
    BOOST_REQUIRE(pwrite(unsealed, head, sizeof head, 0) == sizeof head);
    BOOST_REQUIRE(ftruncate(fd, size) == 0);
    BOOST_REQUIRE(pwrite(fd, head, sizeof head, 0) == sizeof head);
    const std::string own = "/proc/" + std::to_string(getpid()) + "/fd/";
    for (const std::string& name : {own + std::to_string(fd), own + std::to_string(short_one), own + std::to_string(empty),
                                   own + std::to_string(unsealed), own + "9999", file.path(), std::string("/dev/null"),
                                   std::string("/proc/1/fd/"), std::string("nonsense"), std::string()}) {
        const auto end = run_tool({"run", "--", "sh", "-c", SIGEV_COUNTED " reads:2 calls:2 exit:5; s=$?; grep -c sigev-stat /proc/$$/maps; exit $s"},
                                  {"SIGEV_STATS=" + name});
        BOOST_TEST(end.status == 5, name);
        BOOST_TEST(end.out == "0\n", name);
    }
    for (const int f : {short_one, empty, unsealed}) { // and nothing has been counted there
        std::uint32_t taken[3]{};
        const ssize_t n = pread(f, taken, sizeof taken, offsetof(sigev::sys::statistics::page, images_taken));
        BOOST_TEST(n == static_cast<ssize_t>(sizeof taken));
        BOOST_TEST((taken[0] == 0 && taken[1] == 0 && taken[2] == 0));
    }
    for (const int f : {fd, short_one, empty, unsealed})
        close(f);
}

BOOST_AUTO_TEST_SUITE_END()
