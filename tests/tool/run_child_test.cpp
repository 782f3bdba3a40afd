// `sigev run --stats` stays beside the program, and nobody is to notice: status, signals, stopping, the terminal.
#include "process.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

using namespace sigev_tests;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

std::vector<std::string> shell(const std::string& script, std::vector<std::string> options = {"--stats"}) {
    options.insert(options.begin(), "run");
    options.insert(options.end(), {"--", "sh", "-c", script});
    return options;
}

/// Says "ready", and then stays until a signal ends it: without children, which a signal to the shell would leave behind.
const std::string stays = "; echo ready $$.; while kill -0 $$; do read line <&- 2>/dev/null; done";

/// A number that stands behind `word` in what it has said.
pid_t number_behind(const tool_process& process, const std::string& word) {
    const auto at = process.said().find(word);
    BOOST_REQUIRE(at != std::string::npos);
    return std::atoi(process.said().c_str() + at + word.size());
}

bool is_alive(pid_t pid) {
    return kill(pid, 0) == 0;
}

} // namespace

BOOST_AUTO_TEST_SUITE(run_child)

BOOST_AUTO_TEST_CASE(status_and_output_are_the_programs) {
    const auto end = run_tool(shell("echo out; echo err >&2; exit 5"));
    BOOST_TEST(end.status == 5);
    BOOST_TEST(end.out == "out\n");
    BOOST_TEST(end.err.starts_with("err\n"));
    BOOST_TEST(has(end.err, ": exit status 5\n"), end.err);
}

BOOST_AUTO_TEST_CASE(it_dies_by_the_same_signal) {
    for (const int signal : {SIGTERM, SIGKILL, SIGABRT, SIGSEGV, SIGRTMIN}) {
        const auto end = run_tool(shell("kill -" + std::to_string(signal) + " $$"));
        BOOST_TEST(end.status == -signal);
        BOOST_TEST(has(end.err, ": killed by "), end.err);
    }
}

BOOST_AUTO_TEST_CASE(the_core_file_is_the_programs_alone) {
    char folder[] = "./run-child-XXXXXX";
    BOOST_REQUIRE(mkdtemp(folder));
    const auto abort = [&](const std::string& options) {
        return tool_process(
                   "bash", {"-c", std::string("ulimit -c unlimited && cd ") + folder + " && exec " SIGEV_TOOL " run " + options +
                                      " -- sh -c 'kill -ABRT $$'"})
            .end();
    };
    const auto direct = abort(""), beside = abort("--stats");
    std::filesystem::remove_all(folder);
    BOOST_TEST(direct.status == -SIGABRT);
    BOOST_TEST(beside.status == -SIGABRT);
    BOOST_TEST(!beside.dumped);
    if (!direct.dumped)
        skip("no core files are made here");
}

BOOST_AUTO_TEST_CASE(signals_reach_the_program_once) {
    const std::pair<std::string, int> signals[]{{"USR1", SIGUSR1}, {"TERM", SIGTERM}, {"HUP", SIGHUP},     {"INT", SIGINT},
                                                {"QUIT", SIGQUIT}, {"ALRM", SIGALRM}, {"WINCH", SIGWINCH}, {"RTMIN", SIGRTMIN}};
    for (const auto& [name, signal] : signals) {
        tool_process process(shell("trap 'echo got; exit 3' " + name + stays));
        BOOST_REQUIRE(process.says("ready"));
        process.signal(signal);
        const auto end = process.end();
        BOOST_TEST(end.status == 3, name);
        BOOST_TEST(count(end.out, "got") == 1u, name);
    }
}

// Signals that queue, so that none is taken for another; the last one has a higher number, and comes behind all that come twice.
BOOST_AUTO_TEST_CASE(what_the_program_sends_to_its_group_it_gets_once) {
    tool_process process({"run", "--stats", "--", SIGEV_COUNTED, "group:10"});
    BOOST_REQUIRE(process.says("sent"));
    process.signal(SIGRTMIN + 1);
    BOOST_REQUIRE(process.says("came"));
    const auto end = process.end();
    BOOST_TEST(end.status == 0);
    BOOST_TEST(end.out == "sent\n10 came\n");
}

BOOST_AUTO_TEST_CASE(mask_and_dispositions_are_handed_on) {
    const auto run = [&](const std::string& options) {
        return tool_process(
                   "bash", {"-c", "trap '' USR1 CHLD HUP; exec " SIGEV_TOOL " run " + options + " -- grep '^Sig[BI]' /proc/self/status"})
            .end();
    };
    const auto direct = run(""), beside = run("--stats=/dev/null");
    BOOST_TEST(direct.status == 0);
    BOOST_TEST(beside.status == 0);
    BOOST_TEST(has(direct.out, "SigIgn"), direct.out);
    BOOST_TEST(direct.out == beside.out);
}

BOOST_AUTO_TEST_CASE(descriptors_are_as_without_it) {
    const std::string look = "ls -l /proc/self/fd | sed 's/.* \\([0-9]*\\) -> \\([a-z/]*\\).*/\\1 \\2/'";
    const auto direct = run_tool(shell(look, {})), beside = run_tool(shell(look));
    BOOST_TEST(has(direct.out, "0 "), direct.out);
    BOOST_TEST(direct.out == beside.out);
}

BOOST_AUTO_TEST_CASE(a_pipe_ends_when_the_program_closes_it) {
    tool_process process(shell("echo $$.; exec >&-" + stays, {"--stats=/dev/null"}));
    BOOST_TEST(!process.says("never"));
    BOOST_TEST(process.has_said_all());
    const pid_t program = number_behind(process, "");
    BOOST_TEST(is_alive(program));
    process.signal(SIGTERM);
    BOOST_TEST(process.end().status == -SIGTERM);
}

BOOST_AUTO_TEST_CASE(it_stops_and_goes_on_with_the_program) {
    tool_process process(shell("trap 'n=$((n+1)); echo on $n.' CONT; trap 'exit 4' USR1" + stays));
    BOOST_REQUIRE(process.says("ready"));
    const pid_t program = number_behind(process, "ready ");
    for (int round = 1; round != 4; ++round) {
        kill(program, SIGSTOP);
        const int status = process.next_change(WUNTRACED);
        BOOST_REQUIRE(WIFSTOPPED(status));
        BOOST_TEST(WSTOPSIG(status) == SIGSTOP);
        process.signal(SIGCONT);
        BOOST_TEST(WIFCONTINUED(process.next_change(WCONTINUED)));
        BOOST_REQUIRE(process.says("on " + std::to_string(round) + "."));
    }
    process.signal(SIGUSR1);
    const auto end = process.end();
    BOOST_TEST(end.status == 4);
    BOOST_TEST(count(end.out, "on ") == 3u, end.out);
}

BOOST_AUTO_TEST_CASE(who_kills_the_command_kills_the_program) {
    tool_process process(shell(":" + stays));
    BOOST_REQUIRE(process.says("ready"));
    const pid_t program = number_behind(process, "ready ");
    process.signal(SIGKILL);
    BOOST_TEST(process.end().status == -SIGKILL);
    BOOST_TEST(wait_until([&] { return !is_alive(program); }));
}

BOOST_AUTO_TEST_CASE(the_terminals_signals_come_once) {
    tool_process process(
        shell("trap 'echo int' INT; trap 'echo quit' QUIT; trap 'exit 7' RTMIN" + stays), tool_process::on::terminal);
    BOOST_REQUIRE(process.says("ready"));
    process.type("\003");
    BOOST_REQUIRE(process.says("int"));
    process.type("\034");
    BOOST_REQUIRE(process.says("quit"));
    process.signal(SIGRTMIN); // behind all that may come twice
    const auto end = process.end();
    BOOST_TEST(end.status == 7);
    BOOST_TEST(count(end.out, "int\r\n") == 1u, end.out);
    BOOST_TEST(count(end.out, "quit\r\n") == 1u, end.out);
}

// The command leads the session here, so the kernel tells it alone.
BOOST_AUTO_TEST_CASE(a_terminal_that_goes_away_is_the_programs_business) {
    tool_process process(shell("trap 'echo hup >&2; exit 6' HUP" + stays), tool_process::on::terminal);
    BOOST_REQUIRE(process.says("ready"));
    process.hang_up();
    const auto end = process.end();
    BOOST_TEST(end.status == 6);
    BOOST_TEST(count(end.err, "hup\n") == 1u, end.err);
}

// A real shell with job control: it sees the command stop, and what it continues reads on from the terminal.
BOOST_AUTO_TEST_CASE(a_shell_stops_it_and_brings_it_back) {
    if (std::system("bash -c : >/dev/null 2>&1") != 0)
        skip("bash is not installed");
    tool_process process("bash", {"--norc", "--noprofile", "-i"}, tool_process::on::terminal);
    process.type("PS1=ready:\n");
    process.type("exec 2>&1; stty -echo; echo begun\n"); // what it says of its jobs goes to standard error
    BOOST_REQUIRE(process.says("begun\r\n"));
    process.type(SIGEV_TOOL " run --stats -- sh -c 'echo up; read a; echo \"1 $a\"; read b; echo \"2 $b\"; exit 9'\n");
    BOOST_REQUIRE(process.says("up\r\n"));
    process.type("first\n");
    BOOST_REQUIRE(process.says("1 first"));
    process.type("\032");
    BOOST_REQUIRE(process.says("Stopped")); // nothing more is typed into a program that is being stopped
    process.type("echo \"$(jobs -s | wc -l) stopped job\"\n");
    BOOST_REQUIRE(process.says("1 stopped job"));
    process.type("fg; echo \"status $?\"\n");
    process.type("second\n");
    BOOST_REQUIRE(process.says("2 second"));
    BOOST_REQUIRE(process.says("status 9"));
    process.type("exit\n");
    BOOST_TEST(process.end().status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
