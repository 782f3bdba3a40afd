#include "companion.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <ostream>
#include <stdexcept>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sigev_tests {

namespace {

ssize_t receive(int socket, void* to, std::size_t size)
{
    ssize_t got;
    do
        got = recv(socket, to, size, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

bool send_all(int socket, const void* from, std::size_t size)
{
    return send(socket, from, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
}

} // namespace

std::ostream& operator<<(std::ostream& stream, const child_report& r)
{
    return stream << r.turns << " turns, " << r.taken << " taken, " << r.broken << " broken";
}

void companion::link::stay(const std::function<void(child_report&)>& turn)
{
    child_report report;
    char asked;
    do
        if (!send_all(socket_, &report, sizeof report))
            break;
    while (receive(socket_, &asked, 1) == 1 && (turn(report), turn(report), report.turns += 2, true));
    _exit(0);
}

companion::companion(const std::function<void(link&)>& life)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        throw std::runtime_error("socketpair");
    std::fflush(nullptr); // else both processes would write what is buffered
    settle_before_fork();
    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // one that a broken library has made wait for ever ends with a parent that was late
        ::close(ends[0]);
        try {
            link here(ends[1]);
            life(here);
            _exit(0);
        } catch (const std::exception& error) {
            std::fprintf(stderr, "exception in the child: %s\n", error.what());
        }
        _exit(1);
    }
    ::close(ends[1]);
    socket_ = ends[0];
    if (pid_ < 0) {
        hang_up();
        throw std::runtime_error("fork");
    }
}

companion::~companion()
{
    hang_up();
    if (pid_ <= 0)
        return;
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
        ;
}

void companion::hang_up()
{
    if (socket_ >= 0)
        ::close(std::exchange(socket_, -1));
}

// Gone is as good as an answer: what it has done is done.
bool companion::hear()
{
    pollfd watched{socket_, POLLIN, 0};
    int ready;
    do
        ready = poll(&watched, 1, static_cast<int>(patience.count()));
    while (ready < 0 && errno == EINTR);
    child_report fresh;
    if (ready != 1)
        return in_time_ = false;
    if (receive(socket_, &fresh, sizeof fresh) == sizeof fresh)
        report_ = fresh;
    else
        hang_up();
    return true;
}

bool companion::has_acted()
{
    return hear();
}

bool companion::turns()
{
    if (!in_time_ || socket_ < 0)
        return in_time_;
    if (send_all(socket_, "t", 1))
        return hear();
    hang_up();
    return true;
}

child_end companion::end()
{
    hang_up();
    int status = 0;
    const bool late = !wait_until([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
    if (late)
        return {.late = true}; // the destructor sees to it
    pid_ = -1;
    if (WIFSIGNALED(status))
        return {.signal = WTERMSIG(status)};
    return {.code = WEXITSTATUS(status)};
}

} // namespace sigev_tests
