// Errors at subscription, where they can still be reported, and what every call says of its arguments.
#include "fixture.hpp"

#include <climits>
#include <thread>

using namespace sigev_tests;

namespace {

void nothing(sigval) {}

} // namespace

BOOST_AUTO_TEST_SUITE(errors)

// 5 and 6 are THREAD_ID's bit with something else: Linux rejects them too
SIGEV_TEST_ON_BOTH(unknown_methods_are_invalid) {
    const auto o = make_options(on);
    for (const int notify :
         {5, 6, 7, 77, -1, SIGEV_METHOD_FIRST, SIGEV_METHOD_FIRST + 9, SIGEV_METHOD_LAST, SIGEV_METHOD_LAST + 1,
          SIGEV_CALLBACK - 1})
        BOOST_TEST(open_error(make_event(notify, SIGUSR1), 1, &o) == EINVAL);
}

SIGEV_TEST_ON_BOTH(bad_signal_numbers_are_invalid_and_every_real_one_is_accepted) {
    const auto o = make_options(on);
    for (const int signo : {0, -1, 65, 1000, INT_MAX, INT_MIN}) {
        BOOST_TEST(open_error(make_event(SIGEV_SIGNAL, signo), 1, &o) == EINVAL);
        BOOST_TEST(open_error(make_thread_id_event(this_thread(), signo), 1, &o) == EINVAL);
        BOOST_TEST(open_error(make_event(SIGEV_NONE, signo), 1, &o) == 0); // not looked at
    }
    for (int signo = 1; signo <= 64; ++signo) // SIGKILL among them
        BOOST_TEST(open_error(make_event(SIGEV_SIGNAL, signo), 1, &o) == 0);
}

SIGEV_TEST_ON_BOTH(threads_of_others_and_of_nobody_are_invalid) {
    const auto o = make_options(on);
    BOOST_TEST(open_error(make_thread_id_event(this_thread(), SIGUSR1), 1, &o) == 0);
    for (const pid_t tid : {0, -1, 1, getppid(), 0x7fffffff})
        BOOST_TEST(open_error(make_thread_id_event(tid, SIGUSR1), 1, &o) == EINVAL);
    std::atomic<pid_t> tid{0};
    std::thread([&] { tid = this_thread(); }).join();
    BOOST_REQUIRE(wait_until([&] { return syscall(SYS_tgkill, getpid(), tid.load(), 0) != 0; }));
    BOOST_TEST(open_error(make_thread_id_event(tid, SIGUSR1), 1, &o) == EINVAL);
}

SIGEV_TEST_ON_BOTH(functions_must_not_be_null) {
    const auto o = make_options(on);
    BOOST_TEST(open_error(make_event(SIGEV_THREAD, nullptr, nullptr), 1, &o) == EINVAL);
    BOOST_TEST(open_error(make_event(SIGEV_CALLBACK, nullptr, nullptr), 1, &o) == EINVAL);
}

SIGEV_TEST_ON_BOTH(kqueues_must_be_open_ones_and_their_flags_legal) {
    const auto o = make_options(on);
    const int kqueue = sigev_kqueue();
    BOOST_REQUIRE(kqueue >= 0);
    sigevent e = make_event(SIGEV_KEVENT);
    e.sigev_notify_kqueue = kqueue;
    for (const int flags : {0, EV_ONESHOT, EV_CLEAR, EV_DISPATCH, EV_ONESHOT | EV_CLEAR | EV_DISPATCH}) {
        e.sigev_notify_kevent_flags = flags;
        BOOST_TEST(open_error(e, 1, &o) == 0);
    }
    for (const int flags : {EV_ADD, EV_DELETE, EV_ENABLE, EV_DISABLE, EV_RECEIPT, EV_EOF, EV_ERROR, 0x10000, -1}) {
        e.sigev_notify_kevent_flags = flags;
        BOOST_TEST(open_error(e, 1, &o) == EINVAL);
    }
    e.sigev_notify_kevent_flags = 0;
    BOOST_TEST(sigev_kqueue_close(kqueue) == 0);
    for (const int other : {kqueue, -1, 0, 9999}) {
        e.sigev_notify_kqueue = other;
        BOOST_TEST(open_error(e, 1, &o) == EBADF);
    }
}

SIGEV_TEST_ON_BOTH(capacity_options_and_pointers_are_checked) {
    auto o = make_options(on);
    const auto e = make_event(SIGEV_NONE);
    for (const std::uint32_t capacity : {0u, (1u << 20) + 1, ~0u})
        BOOST_TEST(open_error(e, capacity, &o) == EINVAL);
    BOOST_TEST(open_error(e, 1u << 20, &o) == 0);
    for (const std::uint32_t size : {std::uint32_t{0}, std::uint32_t{sizeof o} - 1, std::uint32_t{sizeof o} + 8}) {
        o.size = size;
        BOOST_TEST(open_error(e, 1, &o) == EINVAL);
    }
    o = make_options(on);
    o.flags = 4;
    BOOST_TEST(open_error(e, 1, &o) == EINVAL);
    o = make_options(on);
    for (const int code : std::initializer_list<int>{SI_USER + 1, -6 /* SI_TKILL */, SI_KERNEL, -60, -1000}) {
        o.code = code; // the kernel would refuse, or forge, what it says
        BOOST_TEST(open_error(make_event(SIGEV_SIGNAL, SIGUSR1), 1, &o) == EINVAL);
    }
    o = make_options(on);
    o.concurrency = ~0u;
    BOOST_TEST(open_error(make_event(SIGEV_THREAD, nothing, nullptr), 1, &o) == 0);
    sigev_t s = 0;
    sigev_ledger ledger{};
    const auto invalid = [](int result) { return result == -1 && errno == EINVAL; };
    BOOST_TEST(invalid(sigev_open(nullptr, 1, nullptr, &s)));
    BOOST_TEST(invalid(sigev_open(&e, 1, nullptr, nullptr)));
    BOOST_TEST(invalid(sigev_ledger_total(SIGEV_SOURCE_COUNT, -1, &ledger)));
    BOOST_TEST(invalid(sigev_ledger_total(-1, -1, nullptr)));
    BOOST_TEST(invalid(sigev_reactor_open(nullptr)));
    BOOST_TEST(invalid(sigev_probe("telepathy")));
    BOOST_TEST(invalid(sigev_probe(nullptr)));
    for (const char* name : {"eventfd", "atomic16", "wipeonfork", "pidfd_thread", "timerfd"})
        BOOST_TEST(sigev_probe(name) >= 0);
}

BOOST_AUTO_TEST_SUITE_END()
