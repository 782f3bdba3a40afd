#include "support/contestant_process.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

extern char** environ;

namespace sigev_bench {

namespace {

void close_if_open(int& fd) noexcept
{
    if (fd >= 0)
        ::close(std::exchange(fd, -1));
}

/// Its standard input comes from `in` and its output goes to `out`, where they are descriptors. The child's id; throws no_value.
/// It leads a process group of its own.
pid_t spawn(std::vector<std::string> words, int in, int out)
{
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    if (in >= 0)
        ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (out >= 0)
        ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    sigset_t usual;
    ::sigemptyset(&usual);
    ::sigaddset(&usual, SIGPIPE); // which the bench ignores
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setsigdefault(&attributes, &usual);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP); // group 0: its own number
    pid_t child = -1;
    const int error = ::posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT)
        throw no_value(fmt::format("absent: there is no {}", words[0]));
    if (error != 0)
        throw no_value(fmt::format("{}: {}", words[0], std::strerror(error)));
    return child;
}

bool is_readable_before(int fd, std::chrono::steady_clock::time_point end)
{
    using namespace std::chrono;
    pollfd p{fd, POLLIN, 0};
    for (;;) {
        const auto left = duration_cast<milliseconds>(end - steady_clock::now()).count();
        if (left <= 0)
            return false;
        const int n = ::poll(&p, 1, static_cast<int>(left));
        if (n != 0 && !(n < 0 && errno == EINTR))
            return true;
    }
}

struct pipe_ends {
    int read = -1;
    int write = -1;

    pipe_ends()
    {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0)
            throw no_value(fmt::format("pipe2: {}", std::strerror(errno)));
        read = ends[0];
        write = ends[1];
    }
    pipe_ends(const pipe_ends&) = delete;
    pipe_ends& operator=(const pipe_ends&) = delete;
    ~pipe_ends()
    {
        close_if_open(read);
        close_if_open(write);
    }
};

/// All that comes until the other side closes.
std::string read_all(int fd)
{
    std::string all;
    const auto end = std::chrono::steady_clock::now() + patience;
    char buffer[4096];
    while (is_readable_before(fd, end)) {
        const ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n == 0)
            return all;
        if (n > 0)
            all.append(buffer, static_cast<std::size_t>(n));
        else if (errno != EINTR)
            throw no_value(fmt::format("read: {}", std::strerror(errno)));
    }
    throw no_value("no answer in time");
}

} // namespace

contestant_process::contestant_process(contestant_process&& other) noexcept
    : program_(std::move(other.program_)), patience_(other.patience_), child_(std::exchange(other.child_, -1)), to_(std::exchange(other.to_, -1)),
      from_(std::exchange(other.from_, -1))
{
}

contestant_process::~contestant_process()
{
    close_if_open(to_);
    end();
}

void contestant_process::start()
{
    pipe_ends down;
    pipe_ends up;
    child_ = spawn({program_}, down.read, up.write);
    to_ = std::exchange(down.write, -1);
    from_ = std::exchange(up.read, -1);
}

void contestant_process::end() noexcept
{
    close_if_open(to_);
    close_if_open(from_);
    if (child_ < 0)
        return;
    int status;
    // It ends by itself when its input does, unless it hangs.
    for (int i = 0; i != 100; ++i) {
        if (::waitpid(child_, &status, WNOHANG) == child_) {
            child_ = -1;
            return;
        }
        ::poll(nullptr, 0, 10);
    }
    ::kill(-child_, SIGKILL);
    ::waitpid(std::exchange(child_, -1), &status, 0);
}

std::string contestant_process::read_line()
{
    const auto deadline = std::chrono::steady_clock::now() + patience_;
    std::string line;
    for (char c; is_readable_before(from_, deadline);) {
        const ssize_t n = ::read(from_, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            throw no_value("it has ended without an answer");
        if (c == '\n')
            return line;
        line += c;
    }
    throw no_value("no answer in time");
}

double contestant_process::ask(const std::string& measure, std::uint64_t n)
{
    if (child_ < 0)
        start();
    try {
        const std::string line = boost::json::serialize(boost::json::object{{"measure", measure}, {"n", n}}) + '\n';
        if (::write(to_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
            throw no_value("it has ended");
        const boost::json::value answer = boost::json::parse(read_line());
        if (const boost::json::value* failure = answer.as_object().if_contains("failure"))
            throw no_value(std::string(failure->as_string()));
        return answer.at("value").to_number<double>();
    } catch (...) {
        end();
        throw;
    }
}

std::uint64_t count_calls(const std::string& program, const std::string& measure, std::uint64_t n)
{
    if (::access(program.c_str(), X_OK) != 0)
        throw no_value(fmt::format("absent: there is no {}", program));
    pipe_ends summary;
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    // A line a system call; strace's own last line sums them up: "100.00 0.123 5 20012 3 total".
    const pid_t child = spawn(
        {"strace", "--follow-forks", "--summary-only", "--summary-columns=calls,name", "--output=/dev/fd/1", program, measure,
         std::to_string(n)},
        null, summary.write);
    ::close(null);
    close_if_open(summary.write);
    int status = 0;
    std::string text;
    try {
        text = read_all(summary.read);
    } catch (...) {
        ::kill(-child, SIGKILL); // strace, and what it traces
        ::waitpid(child, &status, 0);
        throw;
    }
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw no_value(fmt::format("strace: status {}", status));
    std::uint64_t total = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        if (line.find("total") != line.npos)
            total = std::strtoull(line.c_str(), nullptr, 10);
    }
    if (total == 0)
        throw no_value("strace counted nothing");
    return total;
}

} // namespace sigev_bench
