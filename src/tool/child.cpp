#include "tool/child.hpp"

#include "tool/system.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sigev::tool {

namespace {

constexpr int exit_not_runnable = 126; // what shells answer for a program that is there and cannot be run

sigset_t only(int signal) noexcept {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

void take_default(int signal) noexcept {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
}

/// Does to this process what the signal does by default: the same as has been done to the child.
void suffer(int signal) noexcept {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    take_default(signal);
    // To the process, not to the thread: one that the terminal has sent as well, and that is pending, must not count twice.
    kill(getpid(), signal);
    const sigset_t set = only(signal);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    sigaction(signal, &before, nullptr);
}

class watch {
public:
    explicit watch(pid_t child) noexcept
        : child_(child) {}

    program_end until_it_ends() noexcept {
        sigset_t all;
        sigfillset(&all);
        while (!ended_) {
            siginfo_t info{};
            const int signal = sigwaitinfo(&all, &info);
            if (signal == SIGCHLD)
                look();
            else if (signal == SIGCONT)
                go_on(info);
            else if (signal > 0 && !has_reached_it(signal, info))
                pass_on(signal, info);
        }
        return end_;
    }

private:
    /// What the child has done: several of its changes may stand behind one SIGCHLD.
    void look() noexcept {
        int status = 0;
        rusage used{};
        while (!ended_ && wait4(child_, &status, WNOHANG | WUNTRACED | WCONTINUED, &used) == child_) {
            if (WIFSTOPPED(status)) {
                stopped_ = true;
                continued_ = true; // whatever continues this process has perhaps continued the child too
                suffer(WSTOPSIG(status));
            } else if (WIFCONTINUED(status)) {
                stopped_ = false;
            } else {
                ended_ = true;
                const auto nanoseconds = [](const timeval& t) { return (t.tv_sec * 1'000'000 + t.tv_usec) * 1000; };
                end_ = {child_, status, now_ns(), nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime)};
            }
        }
    }

    /// A shell continues the whole group; whoever names this process alone means the program.
    void go_on(const siginfo_t& info) noexcept {
        look();
        if (ended_)
            return;
        if (stopped_ || !continued_)
            pass_on(SIGCONT, info);
        continued_ = false;
    }

    /// From the terminal, to the foreground's whole group; or from the program, to the whole of its own.
    bool has_reached_it(int signal, const siginfo_t& info) const noexcept {
        if (info.si_code <= 0)
            return info.si_pid == child_;
        switch (signal) {
        case SIGINT:
        case SIGQUIT:
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU:
        case SIGWINCH:
            return true;
        case SIGHUP:
            return getsid(0) != getpid(); // the terminal has gone: only the leader of its session is told
        default:
            return false; // an alarm that was set before the command was executed
        }
    }

    void pass_on(int signal, const siginfo_t& info) const noexcept {
        siginfo_t copy = info;
        if (info.si_code != SI_QUEUE || syscall(SYS_rt_sigqueueinfo, child_, signal, &copy) != 0)
            kill(child_, signal);
    }

    const pid_t child_;
    program_end end_;
    bool ended_ = false;
    bool stopped_ = false;   ///< the child is
    bool continued_ = false; ///< this process was stopped and has been continued; the SIGCONT is still to be taken
};

/// Nothing stays open here that the program may think it has alone.
void let_go_of_descriptors(std::vector<int> keep) noexcept {
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO})
        if (nothing < 0 || dup2(nothing, fd) < 0)
            close(fd);
    std::sort(keep.begin(), keep.end());
    unsigned first = STDERR_FILENO + 1;
    for (const int fd : keep) {
        if (static_cast<unsigned>(fd) > first)
            close_range(first, static_cast<unsigned>(fd) - 1, 0);
        first = std::max(first, static_cast<unsigned>(fd) + 1);
    }
    close_range(first, ~0u, 0);
}

} // namespace

void execute(const std::string& path, const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& argument : command)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execv(path.c_str(), arguments.data());
    std::fprintf(stderr, "sigev: %s: %s\n", path.c_str(), std::strerror(errno));
    std::_Exit(exit_not_runnable);
}

program_end run_as_child(const std::string& path, const std::vector<std::string>& command, std::vector<int> keep) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    struct sigaction children {};
    sigaction(SIGCHLD, nullptr, &children);
    take_default(SIGCHLD); // ignored, children are nobody's to wait for
    const pid_t self = getpid();
    const pid_t child = checked(fork(), "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != self) // it was too late for that
            kill(getpid(), SIGKILL);
        sigaction(SIGCHLD, &children, nullptr);
        sigprocmask(SIG_SETMASK, &before, nullptr);
        execute(path, command);
    }
    let_go_of_descriptors(std::move(keep));
    return watch(child).until_it_ends();
}

void end_like(const program_end& end) {
    if (WIFEXITED(end.status))
        std::exit(WEXITSTATUS(end.status));
    const int signal = WTERMSIG(end.status);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0); // where a core file goes to a program, no limit keeps it
    suffer(signal);
    std::exit(128 + signal); // the first process of a container dies by none
}

} // namespace sigev::tool
