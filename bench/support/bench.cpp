// Rounds: each asks every question once, in the order of the table, so that what drifts on the machine drifts for all
// contestants of a measure alike. A question that fails is not asked again; a goal that needs it is missed.
#include "support/bench.hpp"

#include "support/contestant_process.hpp"
#include "support/report.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

namespace sigev_bench {

namespace {

constexpr unsigned fewest_repetitions = 5;
constexpr auto longest = std::chrono::seconds(100);     // nor any question

struct options {
    unsigned repetitions = 15;
    std::string json_file;
    std::vector<std::string> only;
};

std::string machine()
{
    std::string processor = "unknown processor";
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name")) {
            processor = line.substr(line.find(':') + 2);
            break;
        }
    utsname system{};
    ::uname(&system);
    return fmt::format("{}, {} {} {}", processor, system.sysname, system.release, system.machine);
}

std::string now()
{
    const std::time_t seconds = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

class runner {
public:
    runner(const bench& b, const options& o) : bench_(b), options_(o)
    {
        for (const question& q : b.questions) {
            if (!is_wanted(q.measure))
                continue;
            asked_.push_back(&q);
            results_.all.push_back({q.measure, q.contestant, q.unit, {}, {}});
        }
    }

    results run()
    {
        const auto start = std::chrono::steady_clock::now();
        for (unsigned round = 0; round != options_.repetitions; ++round) {
            if (round >= fewest_repetitions && std::chrono::steady_clock::now() - start > bench_.long_enough)
                break;
            for (std::size_t i = 0; i != asked_.size() && std::chrono::steady_clock::now() - start < longest; ++i)
                ask(*asked_[i], results_.all[i], round);
        }
        for (std::size_t i = 0; i != asked_.size(); ++i) {
            series& s = results_.all[i];
            const unsigned wanted = std::min({fewest_repetitions, options_.repetitions, most(*asked_[i])});
            if (s.values.size() < wanted && s.failure.empty()) {
                s.values.clear();
                s.failure = "there was no time for enough repetitions";
            }
        }
        return std::move(results_);
    }

private:
    bool is_wanted(std::string_view measure) const
    {
        return options_.only.empty() ||
               std::find(options_.only.begin(), options_.only.end(), measure) != options_.only.end();
    }

    /// What hardly varies and takes long is not asked more often than has to be.
    unsigned most(const question& q) const
    {
        return q.how == how::ask ? options_.repetitions : q.how == how::once ? 1 : fewest_repetitions;
    }

    void ask(const question& q, series& s, unsigned round)
    {
        if (!s.failure.empty() || round >= most(q))
            return;
        try {
            s.values.push_back(value(q));
        } catch (const std::exception& e) {
            s.values.clear(); // what cannot be measured each time is not a measurement
            s.failure = e.what();
            std::fprintf(stderr, "%s: %s of %s: %s\n", bench_.name, q.measure, q.contestant, e.what());
        }
    }

    double value(const question& q)
    {
        const std::string program = path(q.contestant);
        const char* const measure = q.asked_as ? q.asked_as : q.measure;
        if (q.how == how::ask)
            return processes_.try_emplace(q.contestant, program).first->second.ask(measure, q.n);
        if (q.how == how::apart || q.how == how::once)
            return contestant_process(program, 4 * patience).ask(measure, q.n);
        const auto once = static_cast<double>(count_calls(program, measure, q.n));
        const auto twice = static_cast<double>(count_calls(program, measure, 2 * q.n));
        return (twice - once) / static_cast<double>(q.n);
    }

    std::string path(const char* contestant) const
    {
        const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
        return (here / "contestants" / fmt::format("{}_{}", bench_.prefix, contestant)).string();
    }

    const bench& bench_;
    const options& options_;
    std::vector<const question*> asked_;
    results results_;
    std::map<std::string, contestant_process> processes_;
};

int run(int argc, char** argv, const bench& b)
{
    options o;
    CLI::App app(b.about, b.name);
    app.add_option("--json", o.json_file, "Write every repetition to this file")->type_name("FILE");
    app.add_option("--repetitions", o.repetitions, "How often each is measured, if there is time for it")
        ->capture_default_str()
        ->check(CLI::Range(1u, 1000u));
    app.add_option("--only", o.only, "Measure these only; the goals of others are missed")->type_name("MEASURE");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : 2;
    }
    std::signal(SIGPIPE, SIG_IGN); // a contestant that has ended is a failed write
    const circumstances where{b.name, now(), machine(), std::thread::hardware_concurrency()};
    const results r = runner(b, o).run();
    std::printf("%s\n", table(r).c_str());
    for (const goal& g : b.goals)
        std::printf("%s\n", goal_line(g, value_of(g, r)).c_str());
    if (!o.json_file.empty()) {
        std::ofstream file(o.json_file);
        file << json(where, r, b.goals) << std::flush;
        if (!file)
            throw std::runtime_error("cannot write " + o.json_file);
    }
    return 0;
}

} // namespace

int run_bench(int argc, char** argv, const bench& b)
{
    try {
        return run(argc, argv, b);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s: %s\n", b.name, e.what());
        return 1;
    }
}

} // namespace sigev_bench
