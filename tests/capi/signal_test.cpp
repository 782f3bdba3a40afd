// SIGEV_SIGNAL and SIGEV_THREAD_ID: what arrives, where, in which order, and what happens when the kernel's queue is full or
// the thread has ended.
#include "fixture.hpp"

#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>

using namespace sigev_tests;

namespace {

const int rt = SIGRTMIN + 3;

/// A limit that only counts for this user: the kernel's count is per user, so the child becomes somebody else first.
void become_nobody() {
    if (!become_another_user())
        _exit(77);
}

void limit_pending_signals(rlim_t n) {
    rlimit limit{};
    BOOST_REQUIRE(getrlimit(RLIMIT_SIGPENDING, &limit) == 0);
    limit.rlim_cur = n;
    BOOST_REQUIRE(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
}

void run_as_nobody(const std::function<void()>& body) {
    const auto end = child([&] {
        become_nobody();
        body();
    });
    if (end.code == 77)
        skip("the user cannot be changed here");
    BOOST_TEST(end == exited_well);
}

// The next thread gets the number after this one, where the file may be written (CAP_CHECKPOINT_RESTORE).
int open_last_pid() {
    return open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
}

void set_last_pid(int file, pid_t pid) {
    const auto number = std::to_string(pid);
    if (pwrite(file, number.data(), number.size(), 0) < 0)
        _exit(77);
}

} // namespace

BOOST_AUTO_TEST_SUITE(signals)

// [3.3.1, B5, B6]
SIGEV_TEST_ON_BOTH(a_signal_has_number_code_value_and_sender) {
    const blocked_signals blocked{rt, SIGUSR1};
    for (const int signo : {rt, SIGUSR1})
        for (const int code : std::initializer_list<int>{0, SI_QUEUE, SI_TIMER, SI_ASYNCIO, SI_MESGQ}) {
            int target = 0;
            sigevent e = make_event(SIGEV_SIGNAL, signo);
            e.sigev_value.sival_ptr = &target;
            const auto options = make_options(on, 1, code);
            sigev_t s = 0;
            BOOST_REQUIRE(sigev_open(&e, 1, &options, &s) == 0);
            BOOST_TEST(sigev_submit(s, 1, 0) == 0);
            const auto info = blocked.take(on);
            BOOST_REQUIRE(info.has_value());
            BOOST_TEST(info->si_signo == signo);
            BOOST_TEST(info->si_code == (code == 0 ? SI_QUEUE : code));
            BOOST_TEST(info->si_value.sival_ptr == &target);
            if (code == SI_TIMER) { // in the same place, and 0: nothing has merged
                BOOST_TEST(info->si_overrun == 0);
            } else {
                BOOST_TEST(info->si_pid == getpid());
                BOOST_TEST(info->si_uid == getuid());
            }
            BOOST_TEST(sigev_close(s) == 0);
        }
}

// A batch of signals is asked once who sends it: after all of them were submitted.
SIGEV_TEST_ON_BOTH(a_signal_names_the_user_of_the_time_when_it_was_raised) {
    const auto end = child([&] {
        if (setreuid(1, 0) != 0)
            _exit(77);
        const place here(on.is_borrowed() ? place::borrowed : place::runtime);
        const blocked_signals blocked{rt};
        const subscription s(here, make_event(SIGEV_SIGNAL, rt), 2);
        for (uid_t user = 1; user != 20; ++user) {
            BOOST_REQUIRE(setreuid(user, 0) == 0);
            for (int i = 0; i != 2; ++i)
                s.submit(i);
            for (int i = 0; i != 2; ++i) {
                const auto info = blocked.take(here);
                BOOST_REQUIRE(info.has_value());
                BOOST_TEST(info->si_uid == user);
            }
        }
        sigev_shutdown();
    });
    if (end.code == 77)
        skip("the user cannot be changed here");
    BOOST_TEST(end == exited_well);
}

// [3.3.7] the lowest number first, the same number first in, first out
SIGEV_TEST_ON_BOTH(realtime_signals_are_accepted_by_number_and_then_in_order) {
    const blocked_signals blocked{rt, rt + 1};
    const subscription high(on, make_event(SIGEV_SIGNAL, rt + 1, 1), 10);
    const subscription low(on, make_event(SIGEV_SIGNAL, rt, 2), 10);
    for (int i = 0; i != 5; ++i) {
        high.submit(i, 100 + i);
        low.submit(i, 200 + i);
    }
    BOOST_REQUIRE(on.until([&] { return high.delivered() + low.delivered() == 10; }));
    for (const int base : {200, 100})
        for (int i = 0; i != 5; ++i) {
            const auto info = blocked.take();
            BOOST_REQUIRE(info.has_value());
            BOOST_TEST(info->si_signo == (base == 200 ? rt : rt + 1));
            BOOST_TEST(info->si_errno == base + i); // the error that was submitted
        }
}

// Delivered means accepted by the kernel, which keeps one instance of a classic signal.
SIGEV_TEST_ON_BOTH(a_classic_signal_is_merged_by_the_kernel_and_counted_as_accepted) {
    const blocked_signals blocked{SIGUSR2};
    const subscription s(on, make_event(SIGEV_SIGNAL, SIGUSR2), 3);
    for (int i = 0; i != 3; ++i)
        s.submit();
    BOOST_TEST(on.until([&] { return s.delivered() == 3; }));
    BOOST_TEST(blocked.take(on).has_value());
    BOOST_TEST(!blocked.take().has_value());
}

SIGEV_TEST_ON_BOTH(a_full_signal_queue_holds_what_comes_and_loses_nothing_and_no_order) {
    run_as_nobody([&] {
        // a child has no reactor of its parent's
        const place here(on.is_borrowed() ? place::borrowed : place::runtime);
        const blocked_signals blocked{rt};
        const subscription s(here, make_event(SIGEV_SIGNAL, rt), 200);
        limit_pending_signals(8);
        for (int i = 0; i != 100; ++i)
            s.submit(i, i + 1);
        BOOST_TEST(here.until([&] { return s.delivered() == 8; }));
        SIGEV_CHECK_LEDGER(s.ledger(), 100, 8, 0, 92);
        for (int i = 0; i != 50; ++i) { // room comes as signals are accepted
            const auto info = blocked.take(here);
            BOOST_REQUIRE(info.has_value());
            BOOST_TEST(info->si_errno == i + 1);
        }
        limit_pending_signals(1000); // a limit that is lifted wakes nobody
        for (int i = 50; i != 100; ++i) {
            const auto info = blocked.take(here);
            BOOST_REQUIRE(info.has_value());
            BOOST_TEST(info->si_errno == i + 1);
        }
        SIGEV_CHECK_LEDGER(s.ledger(), 100, 100);
        sigev_shutdown();
    });
}

SIGEV_TEST_ON_BOTH(what_a_full_queue_holds_is_discarded_by_close_and_others_go_on) {
    run_as_nobody([&] {
        const place here(on.is_borrowed() ? place::borrowed : place::runtime);
        const blocked_signals blocked{rt};
        limit_pending_signals(0);
        for (int round = 0; round != 20; ++round) {
            subscription s(here, make_event(SIGEV_SIGNAL, rt), 4);
            const subscription other(here, make_event(SIGEV_NONE), 4);
            s.submit();
            other.submit();
            BOOST_TEST(here.until([&] { return other.delivered() == 1; }));
            BOOST_TEST(sigev_cancel_and_wait(s.handle()) == 0);
            BOOST_TEST(wait_until([&] { return s.ledger().discarded == 1; })); // by the drain that may be under way
        }
        sigev_ledger total{};
        sigev_shutdown();
        sigev_ledger_total(-1, SIGEV_SIGNAL, &total);
        SIGEV_CHECK_LEDGER(total, 20, 0, 0, 0, 20);
    });
}

// [B14, B15]
SIGEV_TEST_ON_BOTH(a_signal_for_a_thread_reaches_that_thread) {
    const blocked_signals blocked{rt};
    std::atomic<pid_t> tid{0};
    std::atomic<pid_t> got{0};
    std::atomic<int> value{0}, code{0};
    std::thread receiver([&] {
        tid = this_thread();
        if (const auto info = blocked.take(10000)) {
            value = info->si_value.sival_int;
            code = info->si_code;
            got = this_thread();
        }
    });
    BOOST_REQUIRE(wait_until([&] { return tid != 0; }));
    const subscription s(on, make_thread_id_event(tid, rt, 4242), 2);
    s.submit();
    BOOST_TEST(on.until([&] { return got != 0; }));
    receiver.join();
    BOOST_TEST(got == tid);
    BOOST_TEST(value == 4242);
    BOOST_TEST(code == SI_QUEUE);
    BOOST_TEST(!blocked.take().has_value()); // not to the process
    BOOST_TEST(on.until([&] { return s.ledger().pending == 0; })); // the signal may be faster than the account
    SIGEV_CHECK_LEDGER(s.ledger(), 1, 1);
}

SIGEV_TEST_ON_BOTH(a_thread_that_has_ended_is_gone_and_what_is_raised_for_it_is_counted) {
    const blocked_signals blocked{rt};
    std::atomic<pid_t> tid{0};
    gate end;
    std::thread short_lived([&] {
        tid = this_thread();
        (void)end.wait();
    });
    BOOST_REQUIRE(wait_until([&] { return tid != 0; }));
    const subscription s(on, make_thread_id_event(tid, rt), 10);
    end.open();
    short_lived.join();
    BOOST_REQUIRE(wait_until([&] { return syscall(SYS_tgkill, getpid(), tid.load(), 0) != 0; }));
    for (int i = 0; i != 5; ++i)
        s.submit();
    BOOST_TEST(on.until([&] { return s.ledger().pending == 0; }));
    SIGEV_CHECK_LEDGER(s.ledger(), 5, 0, 0, 0, 5);
    BOOST_TEST(!blocked.take().has_value());
}

// The number of a thread that has ended goes to another one: the signal must not reach that one.
SIGEV_TEST_ON_BOTH(a_thread_that_has_the_number_of_one_that_ended_gets_nothing) {
    if (sigev_probe("pidfd_thread") != 1 && sigev_probe("thread_folder") != 1)
        skip("without descriptors of threads and without /proc the number is all there is");
    const blocked_signals blocked{rt};
    const auto end = child([&] { // the only thread of a young process: numbers follow soon
        const place here(on.is_borrowed() ? place::borrowed : place::runtime);
        std::atomic<pid_t> old{0};
        std::optional<subscription> s;
        std::thread first([&] {
            old = this_thread();
            s.emplace(here, make_thread_id_event(old, rt), 10);
        });
        first.join();
        BOOST_REQUIRE(wait_until([&] { return syscall(SYS_tgkill, getpid(), old.load(), 0) != 0; }));
        const int last = open_last_pid();
        bool same = false;
        for (int attempt = 0; attempt != 200 && !same && last >= 0; ++attempt) {
            set_last_pid(last, old - 1);
            std::thread successor([&] {
                if (this_thread() != old)
                    return;
                same = true;
                s->submit();
                BOOST_TEST(here.until([&] { return s->ledger().pending == 0; }));
                BOOST_TEST(!blocked.take().has_value());
            });
            successor.join();
        }
        if (!same)
            return 77;
        SIGEV_CHECK_LEDGER(s->ledger(), 1, 0, 0, 0, 1);
        return 0;
    });
    if (end.code == 77)
        skip("thread numbers cannot be chosen here");
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_SUITE_END()
