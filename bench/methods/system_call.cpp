// The floor: the bare system call, with a siginfo that was filled once.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace {

using namespace sigev_bench;

class caller {
public:
    explicit caller(int signo)
    {
        std::memset(&info_, 0, sizeof info_);
        info_.si_signo = signo;
        info_.si_code = SI_QUEUE;
        info_.si_pid = process_;
        info_.si_uid = ::getuid();
        info_.si_value.sival_int = signal_value;
    }

protected:
    pid_t process_ = ::getpid();
    pid_t thread_ = static_cast<pid_t>(::syscall(SYS_gettid));
    siginfo_t info_;
};

class to_process : caller {
public:
    using caller::caller;
    void queue(unsigned n)
    {
        for (unsigned i = 0; i != n; ++i)
            unless(::syscall(SYS_rt_sigqueueinfo, process_, info_.si_signo, &info_) == 0, "rt_sigqueueinfo");
    }
};

class to_thread : caller {
public:
    using caller::caller;
    void queue(unsigned n)
    {
        for (unsigned i = 0; i != n; ++i)
            unless(::syscall(SYS_rt_tgsigqueueinfo, process_, thread_, info_.si_signo, &info_) == 0, "rt_tgsigqueueinfo");
    }
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"signal", signals<to_process>}, {"thread_id", signals<to_thread>}});
}
