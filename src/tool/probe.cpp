// `sigev probe`: what this kernel and this build can do, and the limits that a program will meet.
#include "tool/subcommand.hpp"
#include "tool/system.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <sigev.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <gnu/libc-version.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

namespace sigev::tool {

namespace {

struct feature {
    const char* name;
    const char* purpose;
};

constexpr std::array<feature, 7> features{{
    {"eventfd", "wakeups by one descriptor (else a pipe)"},
    {"timerfd", "one descriptor for all timers of a clock"},
    {"atomic16", "timers set without a lock (16-byte compare and exchange)"},
    {"wipeonfork", "the epoch page: a forked child is noticed by a load"},
    {"pidfd_thread", "a thread named by descriptor: its end is noticed"},
    {"thread_folder", "a thread named by its folder in /proc, where it has no descriptor"},
    {"perpetual_read", "the loop's descriptors are watched without being armed"},
}};

struct limit {
    decltype(RLIMIT_NOFILE) resource;
    const char* name;
    const char* purpose;
};

constexpr std::array<limit, 3> limits{{
    {RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING", "signals queued at once, for this user"},
    {RLIMIT_NOFILE, "RLIMIT_NOFILE", "open descriptors"},
    {RLIMIT_NPROC, "RLIMIT_NPROC", "threads, for this user"},
}};

const char* answer_text(int answer) noexcept {
    switch (answer) {
    case 0:
        return "not there";
    case 1:
        return "used";
    case 2:
        return "forced off";
    default:
        return "unknown";
    }
}

rlim_t soft_limit(const limit& l) {
    rlimit value{};
    checked(getrlimit(l.resource, &value), "getrlimit");
    return value.rlim_cur;
}

int cpus() {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                       : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

std::string kernel_release() {
    utsname names{};
    checked(uname(&names), "uname");
    return names.release;
}

int timer_slack() noexcept {
    return prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
}

std::string_view forced_names() noexcept {
    const char* const names = std::getenv("SIGEV_FORCE");
    return names ? names : "";
}

bool forced_names_exist() noexcept {
    return sigev_probe("SIGEV_FORCE") == 1;
}

std::string as_json() {
    boost::json::object able, allowed;
    for (const auto& f : features)
        able[f.name] = answer_text(sigev_probe(f.name));
    for (const auto& l : limits) {
        const auto value = soft_limit(l);
        allowed[l.name] = value == RLIM_INFINITY ? boost::json::value(nullptr) : boost::json::value(value);
    }
    const boost::json::object all{
        {"sigev", library_version()},
        {"kernel", kernel_release()},
        {"libc", fmt::format("glibc {}", gnu_get_libc_version())},
        {"cpus", cpus()},
        {"epoch", sigev_epoch()},
        {"realtime_signals", boost::json::array{SIGRTMIN, SIGRTMAX}},
        {"timer_slack_ns", timer_slack()},
        {"features", able},
        {"forced", {{"names", forced_names()}, {"all_exist", forced_names_exist()}}},
        {"limits", allowed}};
    return boost::json::serialize(all) + '\n';
}

std::string as_text() {
    std::string text;
    const auto line = [&text](const char* name, const auto& value, const char* purpose) {
        const auto written = fmt::format("{:<18}{:<18}{}", name, value, purpose);
        text += written.substr(0, written.find_last_not_of(' ') + 1) + '\n';
    };
    line("sigev", library_version(), "the library that runs");
    line("kernel", kernel_release(), "");
    line("libc", fmt::format("glibc {}", gnu_get_libc_version()), "");
    line("cpus", cpus(), "that this process may use");
    line("epoch", sigev_epoch(), "of this process; a forked child has another one");
    text += '\n';
    for (const auto& f : features)
        line(f.name, answer_text(sigev_probe(f.name)), f.purpose);
    line(
        "SIGEV_FORCE", forced_names().empty() ? "not set" : forced_names(),
        forced_names_exist() ? "what is not to be used" : "HAS A NAME THAT MEANS NOTHING");
    text += '\n';
    for (const auto& l : limits) {
        const auto value = soft_limit(l);
        line(l.name, value == RLIM_INFINITY ? "unlimited" : fmt::to_string(value), l.purpose);
    }
    line(
        "real-time signals", fmt::format("{} to {}", SIGRTMIN, SIGRTMAX),
        "queued, not merged, by the kernel");
    line("timer slack", fmt::format("{} ns", timer_slack()), "what the kernel may add to every sleep");
    return text;
}

} // namespace

std::string library_version() {
    const int v = sigev_version();
    return fmt::format("{}.{}.{}", v / 10000, v / 100 % 100, v % 100);
}

void add_probe(CLI::App& app, int& status) {
    const auto json = std::make_shared<bool>(false);
    auto* command = app.add_subcommand("probe", "Say what this kernel and this build can do");
    command->add_flag("--json", *json, "Print one JSON object");
    command->footer("Features are chosen when the program runs; SIGEV_FORCE turns them off for a trial.");
    command->callback([json, &status] {
        write_all(STDOUT_FILENO, *json ? as_json() : as_text());
        status = exit_well;
    });
}

} // namespace sigev::tool
