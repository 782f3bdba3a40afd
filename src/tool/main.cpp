// The `sigev` command: written on include/sigev.h alone, as any other program would be.
#include "tool/subcommand.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string_view>

namespace {

int run(int argc, char** argv) {
    using namespace sigev::tool;
    CLI::App app(
        "Delivers the notifications of timers and asynchronous I/O by every method of sigevent(3).", "sigev");
    app.set_version_flag(
        "-V,--version", [] { return "sigev " + library_version(); }, "Say which version of the library runs");
    app.require_subcommand(1);
    app.failure_message([](const CLI::App*, const CLI::Error& error) {
        return fmt::format("sigev: {}; see sigev --help\n", error.what());
    });

    int status = exit_well;
    add_demo(app, status);
    add_probe(app, status);
    // CLI11 would hand what stands behind the mark to the application's positionals, and there are none.
    char** const end = argv + argc;
    char** const mark = argc > 1 && std::string_view(argv[1]) == "run" ? std::find(argv, end, std::string_view("--")) : end;
    add_run(app, {mark, end});
    const auto is_named = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_named).empty())
        throw usage_error(fmt::format("there is no subcommand {}; see sigev --help", argv[1]));
    try {
        app.parse(static_cast<int>(mark - argv), argv);
    } catch (const CLI::ParseError& error) {
        // CLI11 numbers its errors from 100 on; ours is the status that shells and tools use for wrong usage.
        return app.exit(error) == 0 ? exit_well : exit_usage;
    }
    return status;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const sigev::tool::usage_error& error) {
        std::fprintf(stderr, "sigev: %s\n", error.what());
        return sigev::tool::exit_usage;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sigev: %s\n", error.what());
        return sigev::tool::exit_failed;
    }
}
