// An operation that is interrupted after its first instruction, then after its second, and so on to its last: what a stress
// meets by chance, this meets for certain, and at every place.
//
// The processor traps after each instruction while its trap flag is set (x86-64), and the kernel makes a SIGTRAP of that. So
// the interruption runs in a signal handler, on the operation's own thread, exactly as a handler of the program's would; it may
// do what another thread could have done meanwhile, and it may leave by siglongjmp(), which abandons the operation there.
//
// What it cannot show is what a processor does out of order: that is for the stresses.
#pragma once

#include "support/support.hpp"

#include <functional>

#include <signal.h>
#include <ucontext.h>

namespace sigev_tests {

/// For the scope of a case: SIGTRAP is this class's.
class stepping {
public:
    /// Skips the case where it cannot be done.
    stepping()
    {
#if !defined(__x86_64__)
        skip("single steps are done with the trap flag of x86-64");
#elif defined(__SANITIZE_THREAD__)
        skip("ThreadSanitizer defers signals: no single steps");
#elif defined(__SANITIZE_ADDRESS__)
        skip("AddressSanitizer's own instructions would be stepped too: minutes for the same paths");
#else
        struct sigaction action = {};
        action.sa_sigaction = &on_trap;
        action.sa_flags = SA_SIGINFO | SA_NODEFER; // left by jumps that restore no mask
        sigaction(SIGTRAP, &action, &before_);
#endif
    }
    stepping(const stepping&) = delete;
    stepping& operator=(const stepping&) = delete;
    ~stepping() { sigaction(SIGTRAP, &before_, nullptr); }

    /// Runs the operation, and the interruption after so many of its instructions. False: it has fewer, and was not interrupted.
    template <class Operation, class Interruption>
    bool interrupted(unsigned after, Operation&& operation, Interruption&& interruption)
    {
        const std::function<void()> what(std::ref(interruption));
        interruption_ = &what;
        left_ = after;
        has_run_ = false;
        enter();
        operation();
        leave(); // the interruption may have come on the way there, so it is asked afterwards
        return has_run_;
    }

    /// How many instructions the operation has; some of them are of this class.
    template <class Operation>
    unsigned length(Operation&& operation)
    {
        constexpr unsigned more_than_it_has = ~0u;
        interrupted(more_than_it_has, operation, [] {});
        return more_than_it_has - left_;
    }

    /// round(k) for k = 0, 1, ... until it says that the operation was not interrupted any more. How often it was.
    template <class Round>
    unsigned each(Round&& round, unsigned most = 100'000)
    {
        unsigned k = 0;
        while (k != most && round(k))
            ++k;
        BOOST_TEST(k != most);
        return k;
    }

private:
#if defined(__x86_64__)
    static void enter() { asm volatile("int3" ::: "memory"); }
    static void leave()
    {
        interruption_ = nullptr;
        asm volatile("int3" ::: "memory");
    }

    static void on_trap(int, siginfo_t*, void* context)
    {
        constexpr greg_t trap_flag = 0x100; // clear while a handler runs
        greg_t& flags = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL];
        if (!interruption_) {
            flags &= ~trap_flag;
        } else if (left_ != 0) {
            left_ = left_ - 1;
            flags |= trap_flag;
        } else {
            flags &= ~trap_flag;
            const auto& what = *interruption_;
            interruption_ = nullptr;
            what();
            has_run_ = true;
        }
    }
#else
    static void enter() {}
    static void leave() {}
#endif

    inline static const std::function<void()>* volatile interruption_ = nullptr;
    inline static volatile unsigned left_ = 0;
    inline static volatile bool has_run_ = false;
    struct sigaction before_ = {};
};

} // namespace sigev_tests
