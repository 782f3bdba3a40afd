// `sigev demo` as a script runs it: its JSON, its plain text, its end by a signal, and what it refuses.
#include "process.hpp"

#include <boost/json.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sigev_tests;

namespace {

/// A file that is gone at the end of the case.
class scratch_file {
public:
    explicit scratch_file(const std::string& content) {
        const int file = mkstemp(path.data());
        BOOST_REQUIRE(file >= 0);
        close(file);
        std::ofstream(path, std::ios::binary) << content;
    }
    ~scratch_file() { unlink(path.c_str()); }

    std::string path = "/tmp/sigev-demo-XXXXXX";
};

std::uint64_t number(const boost::json::object& row, const char* member) {
    return row.at(member).to_number<std::uint64_t>();
}

void check_row(const boost::json::object& row) {
    BOOST_TEST_CONTEXT(boost::json::serialize(row)) {
        BOOST_TEST(row.size() == 9u);
        BOOST_TEST(number(row, "raised") > 0u);
        BOOST_TEST(
            number(row, "raised") == number(row, "delivered") + number(row, "merged") +
                                         number(row, "pending") + number(row, "discarded"));
        BOOST_TEST(number(row, "pending") == 0u);
        BOOST_TEST(number(row, "p50_ns") > 0u);
        BOOST_TEST(number(row, "p50_ns") <= number(row, "p99_ns"));
    }
}

void check_json(const std::string& text) {
    std::set<std::string> expected, found;
    for (const char* method : {"none", "signal", "thread", "kevent", "thread_id", "user"})
        for (const char* source : {"timer", "aio"})
            expected.insert(std::string(method) + ' ' + source);
    const auto rows = boost::json::parse(text).as_array();
    BOOST_TEST(rows.size() == 12u);
    for (const auto& value : rows) {
        const auto& row = value.as_object();
        check_row(row);
        found.insert(
            std::string(row.at("method").as_string()) + ' ' + std::string(row.at("source").as_string()));
    }
    BOOST_TEST(found == expected, boost::test_tools::per_element());
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

void check_refused(std::vector<std::string> arguments, const std::string& reason) {
    const auto end = run_tool(std::move(arguments));
    BOOST_TEST(end.status == 2);
    BOOST_TEST(end.out == "");
    BOOST_TEST(has(end.err, reason), "\"" << reason << "\" is not in: " << end.err);
}

} // namespace

BOOST_AUTO_TEST_SUITE(demo)

BOOST_AUTO_TEST_CASE(json_has_twelve_subscriptions_that_add_up) {
    const auto end = run_tool({"demo", "--seconds", "2", "--json"});
    BOOST_TEST(end.status == 0);
    BOOST_TEST(end.err == "");
    check_json(end.out);
}

BOOST_AUTO_TEST_CASE(it_works_with_every_feature_forced_off) {
    const auto end =
        run_tool({"demo", "--seconds", "1", "--json"}, {"SIGEV_FORCE=pipe,noatomic16,nowipe,nopidfd,noproc,noperpetual"});
    BOOST_TEST(end.status == 0);
    BOOST_TEST(end.err == "");
    check_json(end.out);
}

BOOST_AUTO_TEST_CASE(a_file_smaller_than_a_block_is_read_whole) {
    const scratch_file file("hello\n");
    const auto end = run_tool({"demo", file.path, "--seconds", "0.5"});
    BOOST_TEST(end.status == 0);
    BOOST_TEST(has(end.out, file.path + " (6 B)"), end.out);
    BOOST_TEST(end.err == "");
}

BOOST_AUTO_TEST_CASE(blocks_go_on_to_a_short_last_one) {
    std::string content;
    for (int i = 0; i != 30'000; ++i)
        content += std::to_string(i) + '\n';
    const scratch_file file(content);
    const auto end = run_tool({"demo", file.path, "--seconds", "0.5"});
    BOOST_TEST(end.status == 0);
    BOOST_TEST(end.err == "");
}

BOOST_AUTO_TEST_CASE(plain_text_has_no_escape_sequence) {
    const auto end = run_tool({"demo", "--seconds", "1.3"}, {"TERM=xterm"});
    BOOST_TEST(end.status == 0);
    BOOST_TEST(!has(end.out, "\033"));
    BOOST_TEST(has(end.out, "1 s: "), end.out);
    BOOST_TEST(has(end.out, "method    source raised delivered merged pending discarded"), end.out);
    BOOST_TEST(has(end.out, "ledgers add up: "), end.out);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_it_with_its_summary) {
    for (const int signal : {SIGINT, SIGTERM}) {
        tool_process demo({"demo", "--seconds", "3600"});
        BOOST_TEST(demo.says("1 s: "));
        demo.signal(signal);
        const auto end = demo.end();
        BOOST_TEST(end.status == 0);
        BOOST_TEST(has(end.out, "ledgers add up: "), end.out);
        BOOST_TEST(end.err == "");
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_shrinks_to_nothing_is_no_crash) {
    const scratch_file file(std::string(200'000, 'x'));
    tool_process demo({"demo", file.path, "--seconds", "3600"});
    BOOST_TEST(demo.says("1 s: "));
    BOOST_TEST(truncate(file.path.c_str(), 0) == 0);
    BOOST_TEST(demo.says("2 s: "));
    demo.signal(SIGINT);
    const auto end = demo.end();
    // A read that the cut fell into differs from the plain read after it, and is said; else all is well.
    BOOST_TEST((end.status == 0 || has(end.err, "not what a plain read gives")), end.err);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_refused) {
    const scratch_file empty("");
    check_refused({"demo", empty.path}, "is empty");
    check_refused({"demo", "/no/such/file"}, "cannot read /no/such/file: No such file or directory");
    check_refused({"demo", "/tmp"}, "/tmp is a directory");
    check_refused({"demo", "/dev/zero"}, "/dev/zero is not a regular file");
    unlink(empty.path.c_str());
    BOOST_TEST(mkfifo(empty.path.c_str(), 0600) == 0);
    check_refused({"demo", empty.path}, "is not a regular file");
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_refused) {
    check_refused({}, "subcommand");
    check_refused({"dance"}, "no subcommand dance");
    check_refused({"demo", "--seconds", "0"}, "--seconds");
    check_refused({"demo", "--seconds", "nan"}, "--seconds");
    check_refused({"demo", "--seconds", "long"}, "--seconds");
    check_refused({"demo", "--jason"}, "--jason");
    check_refused({"demo", "one", "two"}, "two");
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_a_failure) {
    // An exception on the way out must not leave the library running over memory that is gone.
    const std::string command = "exec " SIGEV_TOOL " demo --seconds 0.3 > /dev/full 2>&1";
    const auto end = child([&] { return execl("/bin/sh", "sh", "-c", command.c_str(), nullptr); });
    BOOST_TEST(end == child_end{.code = 1});
}

// Signals are then held and offered again, for ever: the demo gives up on them, says so, and still ends.
BOOST_AUTO_TEST_CASE(a_signal_queue_without_room_is_a_failure_with_an_end) {
    const auto end = child(
        [] {
            const rlimit none{.rlim_cur = 0, .rlim_max = 0};
            setrlimit(RLIMIT_SIGPENDING, &none);
            return execl(SIGEV_TOOL, "sigev", "demo", "--seconds", "0.3", nullptr);
        },
        seconds(25));
    BOOST_TEST(end == child_end{.code = 1});
}

BOOST_AUTO_TEST_SUITE_END()
