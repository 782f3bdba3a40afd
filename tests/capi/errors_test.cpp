// Errors at subscription, where they can still be reported: clear, nothing left behind, nothing printed. [issue 3.9; 3.1]
#include "fixture.hpp"

#include <climits>
#include <cstring>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace sigev_tests;

namespace {

void nothing(sigval) {}

int count_of(const char* folder) {
    int n = 0;
    for (int fd = 0; fd != 1024; ++fd)
        n += access((std::string(folder) + "/" + std::to_string(fd)).c_str(), F_OK) == 0;
    return n;
}

#ifdef __SANITIZE_ADDRESS__ // with descriptors used up, the sanitizer's own checks complain
constexpr bool output_is_ours = false;
#else
constexpr bool output_is_ours = true;
#endif

/// Runs the body in a child as another user, so that limits per user can be low; what the child prints is returned.
std::string printed_by(const std::function<void()>& body, bool as_nobody = false) {
    const int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    BOOST_REQUIRE(file >= 0);
    const auto end = child([&] {
        if (as_nobody && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(77);
        const int out = dup(1), err = dup(2);
        dup2(file, 1);
        dup2(file, 2);
        body();
        dup2(out, 1);
        dup2(err, 2);
        BOOST_TEST(sigev_shutdown() == 0);
    });
    if (end.code == 77) {
        close(file);
        skip("the user cannot be changed here");
    }
    BOOST_TEST(end == exited_well);
    char text[4096] = "";
    const auto n = pread(file, text, sizeof text - 1, 0);
    close(file);
    return std::string(text, n > 0 && output_is_ours ? static_cast<std::size_t>(n) : 0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(errors)

// [3.1.3, 4.6] 5 and 6 are THREAD_ID's bit with something else: Linux rejects them too
SIGEV_TEST_ON_BOTH(unknown_methods_are_invalid) {
    const auto o = make_options(on);
    for (const int notify : {5, 6, 7, 77, -1, SIGEV_METHOD_FIRST, SIGEV_METHOD_FIRST + 9, SIGEV_METHOD_LAST,
                             SIGEV_METHOD_LAST + 1, SIGEV_CALLBACK - 1})
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
    o.reserved = 1;
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

namespace {

/// Every call that takes a handle, with this number.
bool all_refuse(std::uint64_t number) {
    const auto timer = reinterpret_cast<timer_t>(number);
    sigev_ledger ledger{};
    itimerspec value{{0, 0}, {1, 0}};
    int fds[4];
    sigev_t s = 0;
    timer_t made{};
    auto e = make_event(SIGEV_NONE);
    sigev_options o{};
    o.size = sizeof o;
    o.reactor = number;
    int results[] = {
        sigev_submit(number, 0, 0), sigev_cancel(number), sigev_cancel_and_wait(number), sigev_close(number),
        sigev_ledger_read(number, &ledger), sigev_timer_settime(timer, 0, &value, &value),
        sigev_timer_gettime(timer, &value), sigev_timer_getoverrun(timer), sigev_timer_delete(timer),
        sigev_timer_delete_wait(timer), sigev_timer_ledger(timer, &ledger),
        sigev_reactor_descriptors(number, fds, 4), sigev_reactor_ready(number, 0), sigev_reactor_close(number),
        number != 0 ? sigev_open(&e, 1, &o, &s) : -1,
        number != 0 ? sigev_timer_create_on(number, CLOCK_MONOTONIC, &e, &made) : -1};
    return std::all_of(std::begin(results), std::end(results), [](int r) { return r == -1; }) && errno == EINVAL;
}

} // namespace

SIGEV_TEST_ON_BOTH(stale_handles_are_invalid_in_every_call) {
    for (int round = 0; round != 300; ++round) {
        const auto e = make_event(SIGEV_NONE);
        const auto o = make_options(on);
        sigev_t s = 0;
        BOOST_REQUIRE(sigev_open(&e, 1, &o, &s) == 0);
        BOOST_REQUIRE(sigev_close(s) == 0);
        BOOST_REQUIRE(all_refuse(s));
        timer_t timer{};
        auto none = e;
        BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &none, &timer) == 0);
        BOOST_REQUIRE(sigev_timer_delete(timer) == 0);
        BOOST_REQUIRE(all_refuse(reinterpret_cast<std::uint64_t>(timer)));
        sigev_reactor_t reactor = 0;
        BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
        BOOST_REQUIRE(sigev_reactor_close(reactor) == 0);
        BOOST_REQUIRE(all_refuse(reactor));
    }
}

BOOST_AUTO_TEST_CASE(random_numbers_are_invalid_in_every_call, *deadline(60)) {
    BOOST_TEST(all_refuse(1)); // before first use
    const place on(place::borrowed);
    const subscription alive(on, make_event(SIGEV_NONE));
    auto e = make_event(SIGEV_NONE);
    timer_t timer{};
    BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &e, &timer) == 0);
    const std::uint64_t real[] = {alive.handle(), on.reactor(), reinterpret_cast<std::uint64_t>(timer)};
    std::mt19937_64 random(5);
    for (int i = 0; i != 100000; ++i) {
        std::uint64_t number = random();
        if (i % 4 != 0) // one that looks like ours: kind and epoch right, the rest at random
            number = (real[i % 3] & 0xfffc000000000000) | (number & 0x0003ffffffffffff);
        if (i % 4 == 2) // and the index at the end of the table
            number |= 0xffff00;
        if (std::find(std::begin(real), std::end(real), number) == std::end(real))
            BOOST_REQUIRE_MESSAGE(all_refuse(number), "accepted: " << std::hex << number);
    }
    for (const auto handle : real) // every index behind a real one
        for (const std::uint64_t index : {0x0ull, 0x3full, 0x40ull, 0xffffbfull, 0xffffc0ull, 0xfffffeull, 0xffffffull})
            if (const auto number = (handle & ~0xffffffull) | index; number != handle)
                BOOST_REQUIRE_MESSAGE(all_refuse(number), "accepted: " << std::hex << number);
    BOOST_TEST(sigev_timer_delete(timer) == 0);
}

// The first use fails as well as a later one; once the limit is lifted everything works.
BOOST_AUTO_TEST_CASE(without_descriptors_there_is_EAGAIN_and_nothing_is_left_or_printed) {
    const auto output = printed_by([] {
        rlimit before{};
        getrlimit(RLIMIT_NOFILE, &before);
        const int open_now = count_of("/proc/self/fd");
        auto none = make_event(SIGEV_NONE);
        for (int room = 0; room != 12; ++room) {
            std::vector<int> fill;
            const rlimit low{static_cast<rlim_t>(64), before.rlim_max};
            setrlimit(RLIMIT_NOFILE, &low);
            for (int fd = 0; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
                fill.push_back(fd);
            for (int i = 0; i != room; ++i) {
                close(fill.back());
                fill.pop_back();
            }
            timer_t timer{};
            sigev_reactor_t reactor = 0;
            for (const auto& e :
                 {make_event(SIGEV_SIGNAL, SIGUSR1), make_event(SIGEV_THREAD, nothing, nullptr),
                  make_thread_id_event(this_thread(), SIGUSR1), make_event(SIGEV_CALLBACK, nothing, nullptr)}) {
                const int error = open_error(e);
                BOOST_TEST((error == 0 || error == EAGAIN), "sigev_open with room for " << room << ": " << error);
            }
            errno = 0;
            if (sigev_timer_create(CLOCK_REALTIME, &none, &timer) == 0)
                BOOST_TEST(sigev_timer_delete(timer) == 0);
            else
                BOOST_TEST(errno == EAGAIN);
            errno = 0;
            if (sigev_reactor_open(&reactor) == 0)
                BOOST_TEST(sigev_reactor_close(reactor) == 0);
            else
                BOOST_TEST((errno == EMFILE || errno == EAGAIN));
            for (const int fd : fill)
                close(fd);
            setrlimit(RLIMIT_NOFILE, &before);
            BOOST_TEST(sigev_shutdown() == 0);
            BOOST_TEST(count_of("/proc/self/fd") == open_now);
        }
        BOOST_TEST(open_error(make_event(SIGEV_THREAD, nothing, nullptr)) == 0);
        BOOST_TEST(sigev_shutdown() == 0);
        BOOST_TEST(count_of("/proc/self/fd") == open_now);
    });
    BOOST_TEST(output == "");
}

BOOST_AUTO_TEST_CASE(without_threads_there_is_EAGAIN_and_nothing_is_left_or_printed) {
    const auto output = printed_by(
        [] {
            rlimit before{};
            getrlimit(RLIMIT_NPROC, &before);
            const rlimit low{0, before.rlim_max};
            const int open_now = count_of("/proc/self/fd");
            auto e = make_event(SIGEV_THREAD, nothing, nullptr);
            timer_t timer{};
            for (int round = 0; round != 3; ++round) {
                BOOST_REQUIRE(setrlimit(RLIMIT_NPROC, &low) == 0);
                for (int i = 0; i != 5; ++i) {
                    BOOST_TEST(open_error(e) == EAGAIN);
                    BOOST_TEST(open_error(make_event(SIGEV_NONE)) == EAGAIN);
                    errno = 0;
                    BOOST_TEST(sigev_timer_create(CLOCK_MONOTONIC, &e, &timer) == -1);
                    BOOST_TEST(errno == EAGAIN);
                    BOOST_TEST(count_of("/proc/self/fd") == open_now);
                }
                const place on(place::borrowed); // needs no thread
                const auto o = make_options(on);
                BOOST_TEST(open_error(make_event(SIGEV_CALLBACK, nothing, nullptr), 1, &o) == 0);
                BOOST_TEST(open_error(e, 1, &o) == EAGAIN);
                BOOST_REQUIRE(setrlimit(RLIMIT_NPROC, &before) == 0);
                BOOST_TEST(open_error(e) == 0); // a transient failure stays transient [5.3]
                BOOST_TEST(sigev_shutdown() == 0);
            }
        },
        true);
    BOOST_TEST(output == "");
}

BOOST_AUTO_TEST_CASE(scheduling_without_the_privilege_is_EPERM_at_subscription) {
    const auto output = printed_by(
        [] {
            pthread_attr_t attributes;
            pthread_attr_init(&attributes);
            pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
            pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
            const sched_param priority{10};
            pthread_attr_setschedparam(&attributes, &priority);
            BOOST_TEST(open_error(make_event(SIGEV_THREAD, nothing, nullptr, &attributes)) == EPERM);
            pthread_attr_destroy(&attributes);
            BOOST_TEST(open_error(make_event(SIGEV_THREAD, nothing, nullptr)) == 0);
        },
        true);
    BOOST_TEST(output == "");
}

BOOST_AUTO_TEST_CASE(a_subscription_that_a_timer_keeps_to_itself_has_no_handle) {
    const auto none = make_event(SIGEV_NONE);
    sigev_t mine{};
    BOOST_REQUIRE(sigev_open(&none, 1, nullptr, &mine) == 0);
    sigevent event = none;
    timer_t timer{};
    BOOST_REQUIRE(sigev_timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    // The timer's subscription stands in one of the next places of the table, in its first generation as `mine` is.
    for (sigev_t guess = mine + 1; guess != mine + 8; ++guess) {
        sigev_ledger ledger{};
        BOOST_TEST((sigev_submit(guess, 1, 0) == -1 && errno == EINVAL));
        BOOST_TEST((sigev_ledger_read(guess, &ledger) == -1 && errno == EINVAL));
        BOOST_TEST((sigev_cancel(guess) == -1 && errno == EINVAL));
        BOOST_TEST((sigev_close(guess) == -1 && errno == EINVAL));
    }
    BOOST_TEST(sigev_timer_delete(timer) == 0);
    BOOST_TEST(sigev_close(mine) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
