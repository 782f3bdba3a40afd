// `sigev probe`, and what the command says of itself.
#include "process.hpp"

#include <boost/json.hpp>

#include <array>

#include <sys/resource.h>
#include <sys/utsname.h>

using namespace sigev_tests;

namespace {

constexpr std::array features{"eventfd", "timerfd", "atomic16", "wipeonfork", "pidfd_thread", "thread_folder", "perpetual_read"};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

boost::json::object probe(std::vector<std::string> environment = {}) {
    const auto end = run_tool({"probe", "--json"}, std::move(environment));
    BOOST_TEST(end.status == 0);
    BOOST_TEST(end.err == "");
    return boost::json::parse(end.out).as_object();
}

} // namespace

BOOST_AUTO_TEST_SUITE(probing)

BOOST_AUTO_TEST_CASE(the_table_names_everything) {
    const auto end = run_tool({"probe"});
    BOOST_TEST(end.status == 0);
    BOOST_TEST(end.err == "");
    utsname names{};
    uname(&names);
    for (const std::string& part : std::vector<std::string>{
             "sigev", names.release, "glibc 2.", "cpus", "epoch", "RLIMIT_SIGPENDING", "RLIMIT_NOFILE",
             "RLIMIT_NPROC"})
        BOOST_TEST(has(end.out, part), part << " is missing");
    for (const char* feature : features)
        BOOST_TEST(has(end.out, feature), feature << " is missing");
    BOOST_TEST(!has(end.out, "unknown"), end.out);
}

BOOST_AUTO_TEST_CASE(json_says_the_same) {
    const auto all = probe();
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    BOOST_TEST(all.at("limits").at("RLIMIT_NOFILE").to_number<rlim_t>() == files.rlim_cur);
    BOOST_TEST(all.at("features").as_object().size() == features.size());
    BOOST_TEST(all.at("features").at("eventfd").as_string() == "used");
    BOOST_TEST(all.at("cpus").to_number<int>() > 0);
}

BOOST_AUTO_TEST_CASE(what_is_forced_off_is_said) {
    BOOST_TEST(probe({"SIGEV_FORCE=pipe"}).at("features").at("eventfd").as_string() == "forced off");
}

BOOST_AUTO_TEST_CASE(a_forced_name_that_means_nothing_is_said) {
    BOOST_TEST(probe().at("forced").at("all_exist").as_bool());
    BOOST_TEST(probe({"SIGEV_FORCE=pipe,nowipe"}).at("forced").at("all_exist").as_bool());
    const auto forced = probe({"SIGEV_FORCE=pipe,nopipe"}).at("forced");
    BOOST_TEST(forced.at("names").as_string() == "pipe,nopipe");
    BOOST_TEST(!forced.at("all_exist").as_bool());
    BOOST_TEST(has(run_tool({"probe"}, {"SIGEV_FORCE=nopipe"}).out, "MEANS NOTHING"));
    BOOST_TEST(!has(run_tool({"probe"}, {"SIGEV_FORCE=nopidfd"}).out, "MEANS NOTHING"));
}

BOOST_AUTO_TEST_CASE(version_and_help_go_to_standard_output) {
    const auto version = run_tool({"--version"});
    BOOST_TEST(version.status == 0);
    BOOST_TEST(version.out.starts_with("sigev 0."), version.out);
    for (const auto& arguments : std::vector<std::vector<std::string>>{{"--help"}, {"demo", "--help"}}) {
        const auto help = run_tool(arguments);
        BOOST_TEST(help.status == 0);
        BOOST_TEST(has(help.out, "demo"));
        BOOST_TEST(help.err == "");
    }
}

BOOST_AUTO_TEST_SUITE_END()
