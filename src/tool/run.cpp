// `sigev run`: another program, with its timers and its asynchronous I/O on this layer.
//
// It becomes that program: no process stands between it and whoever waits for it, so exit status, signals, terminal and job
// control are the program's own. With --stats somebody has to be there when the program has ended: see child.hpp.
#include "sys/statistics_page.hpp"
#include "tool/child.hpp"
#include "tool/program_file.hpp"
#include "tool/statistics.hpp"
#include "tool/subcommand.hpp"
#include "tool/system.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

namespace sigev::tool {

namespace {

constexpr int exit_not_found = 127;

struct wanted {
    std::vector<std::string> command;
    std::string disable;
    std::string engine;
    std::string library;
    std::string stats; ///< a file, or what stands for standard error; empty: not wanted
    bool precise = false;
    bool json = false;
};

constexpr const char* to_stderr = "-";

/// The drop-in that belongs to this command: beside it as it is built, or where it was installed together with it.
std::string library_beside() {
    namespace fs = std::filesystem;
    const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
    for (const fs::path& path : {folder / "libsigev-posix.so", folder / SIGEV_LIBRARY_FROM_TOOL / "libsigev-posix.so"})
        if (fs::exists(path))
            return fs::canonical(path).string();
    throw usage_error(fmt::format("libsigev-posix.so is not beside {} and not where it would be installed", folder.string()));
}

void set(const char* name, const std::string& value) {
    checked(setenv(name, value.c_str(), 1), "setenv");
}

void put_in_front(const char* name, const std::string& value, char separator) {
    const char* const before = std::getenv(name);
    set(name, before && *before ? value + separator + before : value);
}

/// What --disable says wrong, or nothing.
std::string unknown_part(const std::string& list) {
    for (const std::string& part : CLI::detail::split(list, ','))
        if (part != "timer" && part != "aio")
            return fmt::format("there is no part {}; there are timer and aio", part);
    return {};
}

/// The program's file, which can be served.
std::string accepted(const std::string& name) {
    std::string path;
    try {
        path = find_program(name);
    } catch (const usage_error& error) {
        std::fprintf(stderr, "sigev: %s\n", error.what());
        std::exit(exit_not_found);
    }
    const std::string why = refusal(path);
    if (!why.empty())
        throw usage_error(fmt::format("cannot serve {}: {}", path, why));
    return path;
}

/// What the drop-in reads when it is loaded.
void prepare_environment(const wanted& w) {
    const std::string library = w.library.empty() ? library_beside() : std::filesystem::canonical(w.library).string();
    // The dynamic linker takes both characters for the end of a name, and knows no way to write them.
    if (library.find_first_of(" :") != library.npos)
        throw usage_error(fmt::format("LD_PRELOAD cannot name {}: there is a blank or a colon in it", library));
    put_in_front("LD_PRELOAD", library, ':');
    if (!w.disable.empty())
        put_in_front("SIGEV_DISABLE", w.disable, ',');
    if (!w.engine.empty())
        set("SIGEV_ENGINE", w.engine);
    if (w.precise)
        set("SIGEV_PRECISE", "1");
}

[[noreturn]] void run_with_statistics(const std::string& path, const wanted& w) {
    const statistics_output output(w.stats == to_stderr ? "" : w.stats); // an unwritable one is known before the program runs
    const statistics_memory memory;
    set(sys::statistics::variable, memory.name());
    const program_end end = run_as_child(path, w.command, {memory.descriptor(), output.descriptor()});
    try {
        const statistics found = memory.read(end);
        output.write(w.json ? json(found) : text(found));
    } catch (const std::exception& error) { // it is the program's status that is asked for
        std::fprintf(stderr, "sigev: the statistics: %s\n", error.what());
    }
    end_like(end);
}

} // namespace

void add_run(CLI::App& app, std::vector<std::string> behind) {
    auto* const run = app.add_subcommand("run", "Run a program with its timers and asynchronous I/O on this layer: run [OPTIONS] [--] program [argument...]");
    const auto w = std::make_shared<wanted>();
    run->add_option("--disable", w->disable, "Parts that stay libc's: timer, aio, or both with a comma between")
        ->check([](const std::string& list) { return unknown_part(list); });
    run->add_option("--engine", w->engine, "timer=heap or timer=kernel: who keeps timers that send signals")
        ->check(CLI::IsMember({"timer=heap", "timer=kernel"}));
    run->add_flag("--precise", w->precise, "Timers look for their deadline instead of sleeping until it, for the last moment");
    run->add_option("--library", w->library, "The drop-in to use, instead of the one installed with this command")
        ->check(CLI::ExistingFile);
    run->add_flag(
        fmt::format("--stats{{{}}}", to_stderr), w->stats,
        "Say at the end what became of the notifications, on standard error, or into FILE: --stats=FILE");
    run->add_flag("--json", w->json, "The same as JSON")->needs("--stats");
    run->prefix_command(); // what begins with the program's name is the program's
    run->callback([w, run, behind = std::move(behind)] {
        w->command = run->remaining();
        // With a program in front of it the mark is one of that program's arguments.
        w->command.insert(w->command.end(), behind.begin() + (w->command.empty() && !behind.empty()), behind.end());
        if (w->command.empty())
            throw usage_error("run: which program? see sigev run --help");
        const std::string path = accepted(w->command.front());
        prepare_environment(*w);
        if (w->stats.empty())
            execute(path, w->command);
        run_with_statistics(path, *w);
    });
}

} // namespace sigev::tool
