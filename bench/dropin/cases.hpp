// The measurements of bench_dropin. Programs of other people's are run as they are, and say themselves how fast they were: fio
// reads blocks of 4 KiB at random from a file that is in memory; what counts is how many it has read in a second.
//
// fio makes a process for its job, has its own clock, its own random numbers, and looks at each request: some hundreds of
// nanoseconds of each are its own, whatever reads.
#pragma once

#include "support/nanoseconds.hpp"
#include "support/statistics.hpp"
#include "support/unless.h"

#include <boost/json.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

extern char** environ;

namespace sigev_bench {

// ---- a file that is in memory, for others to read ---------------------------------------------------------------------------

inline constexpr std::size_t file_size = 32u << 20;

/// It has no name but that of our descriptor, and is gone with us.
inline std::string cached_file()
{
    static const int fd = [] {
        const std::string here = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
        const int made = ::open(here.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        unless(made >= 0, "cannot make a file");
        const std::vector<char> block(1u << 20, 'x');
        for (std::size_t at = 0; at != file_size; at += block.size())
            unless(::write(made, block.data(), block.size()) == static_cast<ssize_t>(block.size()), "cannot write a file");
        return made;
    }();
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
}

// ---- fio --------------------------------------------------------------------------------------------------------------------

/// For the shell.
inline std::string quoted(const std::string& word)
{
    std::string text = "'";
    for (const char c : word)
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

/// All that a command of fio says, if it ends well.
inline std::string output_of(const std::string& command)
{
    FILE* const pipe = ::popen(command.c_str(), "re");
    unless(pipe != nullptr, "cannot start a shell");
    std::string text;
    char buffer[4096];
    while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe))
        text.append(buffer, n);
    const int status = ::pclose(pipe);
    unless(!WIFEXITED(status) || WEXITSTATUS(status) != 127, "absent: there is no fio");
    unless(WIFEXITED(status) && WEXITSTATUS(status) == 0, "fio ends with status " + std::to_string(status));
    return text;
}

/// What fio says of its one job, as thousands of reads a second. It may have said something else before.
inline double reads_of(const std::string& said)
{
    const auto begin = said.find('{');
    unless(begin != said.npos, "fio says nothing");
    const boost::json::value document = boost::json::parse(said.substr(begin));
    const boost::json::value& job = document.at("jobs").at(0);
    unless(job.at("error").to_number<int>() == 0, "a read of fio's has failed");
    const auto reads = job.at("read").at("total_ios").to_number<double>();
    unless(reads > 0, "fio has read nothing");
    return job.at("read").at("iops").to_number<double>() / 1000;
}

/// fio reads for some milliseconds, by one of its engines, started behind the words `under`.
inline double fio(const std::string& under, const char* engine, unsigned depth, std::uint64_t milliseconds)
{
    return reads_of(output_of(
        "exec " + under +
        "fio --name=bench --rw=randread --bs=4k --time_based --invalidate=0 --output-format=json --ioengine=" + engine +
        " --iodepth=" + std::to_string(depth) + " --runtime=" + std::to_string(milliseconds) + "ms --size=" +
        std::to_string(file_size) + " --filename=" + quoted(cached_file())));
}

// ---- starting ---------------------------------------------------------------------------------------------------------------

/// From before a process is made to after it has been waited for, in milliseconds.
inline double time_of(std::vector<std::string> words, const std::vector<std::string>& more_environment = {})
{
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> own = more_environment;
    std::vector<char*> environment;
    for (std::string& variable : own)
        environment.push_back(variable.data());
    for (char** variable = environ; *variable; ++variable)
        environment.push_back(*variable);
    environment.push_back(nullptr);
    pid_t child = -1;
    int status = -1;
    const std::uint64_t begin = nanoseconds(CLOCK_MONOTONIC);
    unless(::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environment.data()) == 0, "cannot start");
    unless(::waitpid(child, &status, 0) == child && status == 0, words[0] + " has failed");
    return static_cast<double>(nanoseconds(CLOCK_MONOTONIC) - begin) / 1e6;
}

/// The median of what each of `pairs` has the second one take longer than the first.
template <class First, class Second>
double longer(std::uint64_t pairs, First&& first, Second&& second)
{
    std::vector<double> all;
    for (std::uint64_t i = 0; i != pairs; ++i) {
        const double before = first();
        all.push_back(second() - before);
    }
    return median(all);
}

} // namespace sigev_bench
