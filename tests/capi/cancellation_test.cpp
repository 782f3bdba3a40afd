// No call is a cancellation point: a thread whose cancellation is pending comes out of each, and is cancelled after it. (Below
// the calls are noexcept frames: one that were a point would end the process.)
#include "fixture.hpp"

#include <functional>
#include <vector>

#include <aio.h>
#include <fcntl.h>
#include <sys/resource.h>

using namespace sigev_tests;

namespace {

struct attempt {
    std::function<void()> call;
    bool came_out = false;
};

void* with_a_pending_cancellation(void* p) {
    auto& a = *static_cast<attempt*>(p);
    pthread_cancel(pthread_self()); // deferred: takes effect at the next cancellation point
    a.call();
    a.came_out = true;
    pthread_testcancel();
    return nullptr;
}

// The call looks at nothing by the framework's means: its log, which one thread may use, reaches cancellation points.
void comes_out(const char* name, std::function<void()> call) {
    attempt a{std::move(call)};
    pthread_t thread{};
    BOOST_REQUIRE(pthread_create(&thread, nullptr, with_a_pending_cancellation, &a) == 0);
    void* end = nullptr;
    BOOST_REQUIRE(pthread_join(thread, &end) == 0);
    BOOST_TEST_CONTEXT(name) {
        BOOST_TEST(a.came_out);
        BOOST_TEST((end == PTHREAD_CANCELED));
    }
}

/// 0 or errno. What is made is deleted.
int error_of_making(sigev_reactor_t reactor, clockid_t clock, int notify) {
    sigevent e = make_event(notify, [](sigval) {}, nullptr);
    timer_t t{};
    if (sigev_timer_create_on(reactor, clock, &e, &t) != 0)
        return errno;
    sigev_timer_delete(t);
    return 0;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cancellation)

BOOST_AUTO_TEST_CASE(no_call_is_a_cancellation_point) {
    const auto none = make_event(SIGEV_NONE);
    sigev_t subscription{};
    BOOST_REQUIRE(sigev_open(&none, 4, nullptr, &subscription) == 0);
    sigevent event = none;
    timer_t timer{};
    BOOST_REQUIRE(sigev_timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    sigev_event_raw* raw = nullptr;
    BOOST_REQUIRE(sigev_event_raw_open(SIGEV_EVENT_RAW_DEFAULT, &raw) == 0);
    const int queue = sigev_kqueue();
    BOOST_REQUIRE(queue >= 0);
    std::vector<char> buffer(16);
    aiocb request{};
    request.aio_fildes = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    request.aio_buf = buffer.data();
    request.aio_nbytes = buffer.size();
    const itimerspec soon{{0, 0}, {0, 1000}};

    comes_out("submit", [&] { sigev_submit(subscription, 1, 0); });
    comes_out("settime", [&] { sigev_timer_settime(timer, 0, &soon, nullptr); });
    comes_out("gettime", [&] {
        itimerspec now{};
        sigev_timer_gettime(timer, &now);
    });
    comes_out("post", [&] { sigev_event_raw_post(raw); });
    comes_out("consume", [&] { sigev_event_raw_consume(raw); });
    comes_out("open and close", [&] {
        sigev_t s{};
        if (sigev_open(&none, 1, nullptr, &s) == 0)
            sigev_close(s);
    });
    comes_out("thread_id", [&] { // opens a hold on a thread
        const auto e = make_thread_id_event(gettid(), SIGUSR1);
        sigev_t s{};
        if (sigev_open(&e, 1, nullptr, &s) == 0)
            sigev_close(s);
    });
    comes_out("timer_create and delete", [&] {
        timer_t t{};
        sigevent e = none;
        if (sigev_timer_create(CLOCK_REALTIME, &e, &t) == 0)
            sigev_timer_delete_wait(t);
    });
    comes_out("event_raw_open and close", [] {
        sigev_event_raw* r = nullptr;
        if (sigev_event_raw_open(SIGEV_EVENT_RAW_DEFAULT, &r) == 0)
            sigev_event_raw_close(r);
    });
    comes_out("kqueue and close", [] { sigev_kqueue_close(sigev_kqueue()); });
    comes_out("kevent, waiting", [&] {
        const timespec a_little{0, 1'000'000};
        sigev_kev out{};
        sigev_kevent(queue, nullptr, 0, &out, 1, &a_little);
    });
    comes_out("aio_read", [&] { sigev_aio_read(&request); });
    BOOST_TEST(wait_until([&] { return sigev_aio_error(&request) != EINPROGRESS; }));
    comes_out("aio_return", [&] { sigev_aio_return(&request); });
    comes_out("reactor", [] {
        sigev_reactor_t r{};
        if (sigev_reactor_open(&r) == 0) {
            sigev_reactor_ready(r, 0);
            sigev_reactor_close(r);
        }
    });
    comes_out("probe", [] { sigev_probe("eventfd"); });
    comes_out("cancel_and_wait", [&] { sigev_cancel_and_wait(subscription); });
    sigev_event_raw_close(raw);
    close(request.aio_fildes);
    comes_out("shutdown", [] { sigev_shutdown(); });
}

// One on a loop of the program's own is made without holding the cancellation back.
BOOST_AUTO_TEST_CASE(a_timer_of_a_loop_of_the_programs_own_is_made_while_a_cancellation_is_pending) {
    sigev_reactor_t reactor{};
    BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
    const auto make = [&](const char* what, clockid_t clock, int notify, int expected) {
        int error = -1;
        comes_out(what, [&] { error = error_of_making(reactor, clock, notify); });
        BOOST_TEST_CONTEXT(what)
            BOOST_TEST(error == expected);
    };
    const auto on_each_clock = [&](const char* what, int expected) {
        for (const int notify : {int{SIGEV_CALLBACK}, int{SIGEV_NONE}})
            for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME})
                make(what, clock, notify, expected);
    };
    on_each_clock("the first ones", 0);
    for (int i = 0; i != 70; ++i) // promises come in batches
        on_each_clock("others", 0);
    BOOST_REQUIRE(sigev_reactor_close(reactor) == 0);
    on_each_clock("its loop is closed", EINVAL);
}

// With nothing of the library there yet.
BOOST_AUTO_TEST_CASE(a_timer_may_be_asked_for_first_of_all_while_a_cancellation_is_pending) {
    BOOST_TEST(child([] {
        int error = 0;
        comes_out("of a loop that is none", [&] { error = error_of_making(4711, CLOCK_MONOTONIC, SIGEV_NONE); });
        BOOST_TEST(error == EINVAL);
    }) == exited_well);
}

BOOST_AUTO_TEST_CASE(no_descriptor_for_a_timer_while_a_cancellation_is_pending) {
    need_no_descriptors();
    const auto end = child([] {
        sigev_reactor_t reactor{};
        BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
        const rlimit nothing = {0, 0};
        setrlimit(RLIMIT_NOFILE, &nothing);
        for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME}) {
            int error = 0;
            comes_out("EMFILE", [&] { error = error_of_making(reactor, clock, SIGEV_NONE); });
            BOOST_TEST(error == EAGAIN);
        }
    });
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_SUITE_END()
