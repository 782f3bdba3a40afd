// `sigev demo`: every method of sigevent(3) and one of the demo's own, told by timers and by reads, before
// your eyes.
#include "tool/demo_file.hpp"
#include "tool/demo_run.hpp"
#include "tool/demo_view.hpp"
#include "tool/subcommand.hpp"
#include "tool/system.hpp"
#include "tool/table.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <memory>

namespace sigev::tool {

namespace {

constexpr const char* own_executable = "/proc/self/exe";
constexpr std::int64_t redraw_ns = second_ns / 10;

struct demo_options {
    std::string file = own_executable;
    double seconds = 5;
    bool json = false;
};

/// Ctrl-C and SIGTERM, blocked and waited for: no handler, and no place where they could interrupt anything.
class interruption {
public:
    interruption() {
        sigemptyset(&set_);
        for (const int signal : {SIGINT, SIGTERM}) {
            struct sigaction action {};
            sigaction(signal, nullptr, &action);
            if (action.sa_handler != SIG_IGN) // the shell of a background job wants it left alone
                sigaddset(&set_, signal);
        }
        pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    }

    /// True when one has come within that time.
    bool wait(std::int64_t nanoseconds) noexcept {
        const auto limit = to_timespec(nanoseconds);
        return sigtimedwait(&set_, nullptr, &limit) > 0;
    }

    /// All has been said: from here on a second Ctrl-C is one that cannot wait.
    void release() noexcept { pthread_sigmask(SIG_UNBLOCK, &set_, nullptr); }

private:
    sigset_t set_;
};

std::string title(const demo_options& options, const demo_file& file) {
    return fmt::format(
        "sigev demo: timers, and reads of {} ({})",
        options.file == own_executable ? "its own executable" : options.file, size_text(file.size()));
}

void watch(demo_run& run, demo_view& view, interruption& interrupted, double seconds) {
    const auto start = now_ns();
    const auto end = start + static_cast<std::int64_t>(seconds * double(second_ns));
    auto redraw = start;
    while (now_ns() < end) {
        run.tick();
        if (const auto now = now_ns(); now >= redraw) {
            view.progress(run.rows(), double(now - start) / double(second_ns));
            redraw = now + redraw_ns;
        }
        if (interrupted.wait(demo_run::tick_ns))
            return;
    }
}

std::vector<std::string> summary(demo_run& run, const std::vector<row>& rows, bool well) {
    const auto all = sum(rows);
    std::vector<std::string> lines{fmt::format(
        "{} blocks ({}) read and compared with a plain read", run.blocks(), size_text(run.bytes()))};
    if (well)
        lines.push_back(fmt::format("ledgers add up: {} = {}", all.raised, parts(all)));
    return lines;
}

int demo(const demo_options& options) {
    if (std::isnan(options.seconds)) // which lies within every range
        throw usage_error("--seconds: not a number");
    const demo_file file(options.file);
    interruption interrupted; // before there is any other thread
    demo_run run(file.descriptor());
    demo_view view(options.json, title(options, file), options.seconds);
    run.start();
    watch(run, view, interrupted, options.seconds);
    const auto found = run.finish();
    const auto rows = run.rows();
    view.end(rows, summary(run, rows, found.empty()));
    for (const auto& fault : found)
        fmt::print(stderr, "sigev: {}\n", fault);
    interrupted.release();
    return found.empty() ? exit_well : exit_failed;
}

} // namespace

void add_demo(CLI::App& app, int& status) {
    const auto options = std::make_shared<demo_options>();
    auto* command =
        app.add_subcommand("demo", "Show every method being told, by timers and by reads of a file");
    command->add_option(
        "FILE", options->file, "The file to read, block by block (default: the executable itself)");
    command->add_option("--seconds", options->seconds, "How long")
        ->check(CLI::Range(0.1, 1e6))
        ->capture_default_str();
    command->add_flag(
        "--json", options->json, "Print one JSON array, an object for each of the twelve subscriptions");
    command->footer(
        "Ctrl-C ends it early, with its summary.\n"
        "Exit status: 0 when every ledger adds up and every byte was right, 1 when not, 2 for wrong usage.");
    command->callback([options, &status] { status = demo(*options); });
}

} // namespace sigev::tool
