#include "process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sigev_tests {

namespace {

using clock = std::chrono::steady_clock;

std::vector<std::string> environment_with(const std::vector<std::string>& wanted, bool terminal) {
    std::map<std::string, std::string> by_name;
    const auto set = [&](const std::string& assignment) {
        by_name[assignment.substr(0, assignment.find('='))] = assignment;
    };
    for (char** entry = environ; *entry; ++entry)
        set(*entry);
    by_name.erase("NO_COLOR");
    by_name.erase("SIGEV_FORCE");
    if (terminal)
        set("TERM=xterm-256color");
    for (const auto& assignment : wanted)
        set(assignment);
    std::vector<std::string> all;
    for (const auto& [name, assignment] : by_name)
        all.push_back(assignment);
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts)
        all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

/// What the child shall start with: the signals of a fresh shell, and these descriptors.
class preparation {
public:
    preparation() {
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_init(&files);
        sigset_t set;
        sigemptyset(&set);
        posix_spawnattr_setsigmask(&attributes, &set);
        for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) // ignored where the tests run in the background
            sigaddset(&set, signal);
        posix_spawnattr_setsigdefault(&attributes, &set);
        posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    }
    ~preparation() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }

    int open_pipe(int child_descriptor, int& other_end) {
        int ends[2];
        BOOST_REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
        posix_spawn_file_actions_adddup2(&files, ends[1], child_descriptor);
        other_end = ends[1];
        return ends[0];
    }

    /// Standard output and input; the first terminal that the leader of a session opens becomes its own.
    int open_terminal() {
        const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        BOOST_REQUIRE(master >= 0);
        BOOST_REQUIRE((grantpt(master) == 0 && unlockpt(master) == 0));
        const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
        ioctl(master, TIOCSWINSZ, &size);
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, ptsname(master), O_RDWR, 0);
        posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDOUT_FILENO);
        return master;
    }

    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
};

void close_now(int& descriptor) {
    if (descriptor >= 0)
        close(descriptor);
    descriptor = -1;
}

/// False at the end, which a terminal tells by EIO.
bool append(int descriptor, std::string& text) {
    std::array<char, 4096> buffer;
    const auto n = read(descriptor, buffer.data(), buffer.size());
    if (n > 0)
        text.append(buffer.data(), static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
}

} // namespace

tool_process::tool_process(
    std::vector<std::string> arguments, on where, std::vector<std::string> environment) {
    arguments.insert(arguments.begin(), "sigev");
    start(SIGEV_TOOL, std::move(arguments), where, environment);
}

tool_process::tool_process(const std::string& program, std::vector<std::string> arguments, on where) {
    arguments.insert(arguments.begin(), program);
    start(program, std::move(arguments), where, {});
}

void tool_process::start(
    const std::string& program, std::vector<std::string> arguments, on where,
    const std::vector<std::string>& environment) {
    preparation child;
    int out = -1, err = -1;
    out_ = where == on::terminal ? child.open_terminal() : child.open_pipe(STDOUT_FILENO, out);
    err_ = child.open_pipe(STDERR_FILENO, err);
    auto variables = environment_with(environment, where == on::terminal);
    const int error = posix_spawnp(
        &pid_, program.c_str(), &child.files, &child.attributes, pointers(arguments).data(),
        pointers(variables).data());
    close_now(out);
    close_now(err);
    BOOST_REQUIRE_MESSAGE(error == 0, "cannot start " << program);
}

tool_process::~tool_process() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    close_now(out_);
    close_now(err_);
}

bool tool_process::read_some(clock::time_point until) {
    std::array<pollfd, 2> watched{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
    const auto left = std::chrono::ceil<milliseconds>(until - clock::now());
    if (poll(watched.data(), watched.size(), std::max(0, static_cast<int>(left.count()))) == 0)
        return false;
    if (watched[0].revents != 0 && !append(out_, seen_.out))
        close_now(out_);
    if (watched[1].revents != 0 && !append(err_, seen_.err))
        close_now(err_);
    return true;
}

bool tool_process::says(const std::string& text, milliseconds limit) {
    const auto until = clock::now() + limit;
    while (seen_.out.find(text) == std::string::npos)
        if (out_ < 0 || !read_some(until))
            return false;
    return true;
}

void tool_process::signal(int number) {
    BOOST_TEST(kill(pid_, number) == 0);
}

int tool_process::next_change(int options) {
    int status = 0;
    BOOST_REQUIRE(wait_until([&] { return waitpid(pid_, &status, options | WNOHANG) == pid_; }));
    return status;
}

void tool_process::hang_up() {
    close_now(out_);
}

void tool_process::type(const std::string& keys) {
    BOOST_TEST(write(out_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
}

outcome tool_process::end(milliseconds limit) {
    const auto until = clock::now() + limit;
    while (out_ >= 0 || err_ >= 0)
        if (!read_some(until)) {
            kill(pid_, SIGKILL);
            BOOST_ERROR("sigev still runs after " << limit.count() << " ms");
            break;
        }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    seen_.dumped = WIFSIGNALED(status) && WCOREDUMP(status);
    seen_.status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    return seen_;
}

outcome run_tool(std::vector<std::string> arguments, std::vector<std::string> environment) {
    return tool_process(std::move(arguments), tool_process::on::pipes, std::move(environment)).end();
}

} // namespace sigev_tests
