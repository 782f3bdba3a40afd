// A SIGEV_THREAD callback that does not return, in the ways that a thread of the program's own may end: cancelled where it
// blocks, or by an exception that nobody catches. Nothing else is disturbed.
#include "fixture.hpp"

#include <exception>
#include <stdexcept>
#include <thread>

#include <aio.h>
#include <fcntl.h>
#include <unistd.h>

using namespace sigev_tests;

namespace {

/// Its end in a child: by the program's terminate handler, which sees what was thrown, and on whose thread nothing has been
/// unwound.
constexpr int by_the_handler = 42, without_an_exception = 43, unwound = 44;
bool guard_has_gone = false;

struct guard {
    ~guard() { guard_has_gone = true; }
};

void throws(sigval) {
    const guard g;
    throw std::runtime_error("of the program's own");
}

[[noreturn]] void handler() {
    int code = without_an_exception;
    if (const auto thrown = std::current_exception())
        try {
            std::rethrow_exception(thrown);
        } catch (const std::runtime_error&) {
            code = by_the_handler;
        }
    _exit(guard_has_gone ? unwound : code);
}

class pipe_pair {
public:
    pipe_pair() { BOOST_REQUIRE(pipe2(ends_.data(), O_CLOEXEC) == 0); }
    pipe_pair(const pipe_pair&) = delete;
    pipe_pair& operator=(const pipe_pair&) = delete;
    ~pipe_pair() {
        close(ends_[0]);
        close(ends_[1]);
    }
    int reading() const { return ends_[0]; }
    void write_one() const { BOOST_REQUIRE(write(ends_[1], "x", 1) == 1); }

private:
    std::array<int, 2> ends_{};
};

} // namespace

BOOST_AUTO_TEST_SUITE(thread_breaks)

// [3.2.7, 3.2.8, protocol H]
SIGEV_TEST_ON_BOTH(a_callback_that_blocks_in_read_can_be_cancelled_and_nothing_else_is_disturbed) {
    if (under_thread_sanitizer)
        skip("ThreadSanitizer loses count of the locks of a thread that is cancelled in a call");
    static std::atomic<int> destroyed;
    destroyed = 0;
    pthread_key_t key;
    BOOST_REQUIRE(pthread_key_create(&key, [](void*) { ++destroyed; }) == 0);
    const pipe_pair never, later;
    mailbox reading, counting;
    std::atomic<pthread_t> thread{};
    std::atomic<int> came_back{0};
    reading.inside = [&] {
        pthread_setspecific(key, &reading);
        thread = pthread_self();
        char c;
        came_back += read(never.reading(), &c, 1) > 0; // a cancellation point
        ++came_back;
    };
    char got = 0;
    aiocb pending{};
    pending.aio_fildes = later.reading();
    pending.aio_buf = &got;
    pending.aio_nbytes = 1;
    pending.aio_sigevent = make_event(SIGEV_NONE);
    BOOST_REQUIRE(sigev_aio_submit_on(on.reactor(), LIO_READ, &pending) == 0);
    sigevent tick = make_event(SIGEV_THREAD, mailbox::receive, &counting);
    timer_t timer{};
    BOOST_REQUIRE(sigev_timer_create_on(on.reactor(), CLOCK_MONOTONIC, &tick, &timer) == 0);
    const itimerspec each_ms{{0, 1'000'000}, {0, 1'000'000}};
    BOOST_REQUIRE(sigev_timer_settime(timer, 0, &each_ms, nullptr) == 0);
    {
        const subscription s(on, make_event(SIGEV_THREAD, mailbox::receive, &reading), 20);
        for (int round = 1; round <= 10; ++round) {
            thread = pthread_t{};
            s.submit();
            BOOST_REQUIRE(on.until([&] { return thread.load() != pthread_t{}; }));
            const int ticks = counting.calls;
            BOOST_TEST(on.until([&] { return counting.calls > ticks; })); // while it blocks
            BOOST_TEST(pthread_cancel(thread) == 0);
            BOOST_TEST(on.until([&] { return destroyed == round && s.delivered() == static_cast<std::uint64_t>(round); }));
            const int more = counting.calls;
            BOOST_TEST(on.until([&] { return counting.calls > more; })); // and after
        }
        SIGEV_CHECK_LEDGER(s.ledger(), 10, 10);
        reading.inside = nullptr; // the next one returns
        s.submit();
        BOOST_TEST(on.until([&] { return reading.calls == 1; }));
    }
    BOOST_TEST(came_back == 0);
    BOOST_TEST(sigev_timer_delete_wait(timer) == 0);
    BOOST_TEST(sigev_aio_error(&pending) == EINPROGRESS); // a read of the program's own has not been ended by it
    later.write_one();
    BOOST_TEST(wait_until([&] { return sigev_aio_error(&pending) == 0; }));
    BOOST_TEST(sigev_aio_return(&pending) == 1);
    BOOST_TEST(got == 'x');
    BOOST_TEST(sigev_shutdown() == 0);
    pthread_key_delete(key);
}

BOOST_AUTO_TEST_CASE(in_a_thread_of_the_programs_own_an_exception_ends_in_its_terminate_handler) {
    const auto end = child([] {
        std::set_terminate(handler);
        pthread_t thread{};
        pthread_create(
            &thread, nullptr,
            [](void*) -> void* {
                throws({});
                return nullptr;
            },
            nullptr);
        pthread_join(thread, nullptr);
        return 1;
    });
    BOOST_TEST(end.code == by_the_handler);
}

SIGEV_TEST_ON_BOTH(and_so_does_one_that_leaves_a_callback) {
    need_threads_in_a_child();
    for (const bool with_attributes : {false, true}) {
        const auto end = child([&] {
            const place here(on.is_borrowed() ? place::borrowed : place::runtime);
            std::set_terminate(handler);
            pthread_attr_t attributes;
            pthread_attr_init(&attributes);
            pthread_attr_setstacksize(&attributes, 1 << 20);
            const subscription s(here, make_event(SIGEV_THREAD, throws, nullptr, with_attributes ? &attributes : nullptr));
            s.submit();
            here.until([] { return false; });
            return 1;
        });
        BOOST_TEST(end.code == by_the_handler);
    }
}

// Every thread of the process takes part, by a signal of libc's that none of ours blocks: those that lead, wait, read, and
// run callbacks.
SIGEV_TEST_ON_BOTH(setuid_is_not_held_up_by_any_thread_of_the_library) {
    const pipe_pair never;
    mailbox busy, counting;
    gate go;
    busy.inside = [&] { (void)go.wait(); };
    char got = 0;
    aiocb pending{};
    pending.aio_fildes = never.reading();
    pending.aio_buf = &got;
    pending.aio_nbytes = 1;
    pending.aio_sigevent = make_event(SIGEV_NONE);
    BOOST_REQUIRE(sigev_aio_submit_on(on.reactor(), LIO_READ, &pending) == 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    {
        const subscription blocked(on, make_event(SIGEV_THREAD, mailbox::receive, &busy), 4, 2);
        const subscription blocked_too(on, make_event(SIGEV_THREAD, mailbox::receive, &busy, &attributes), 4, 2);
        const subscription others(on, make_event(SIGEV_THREAD, mailbox::receive, &counting), 1000);
        for (int i = 0; i != 2; ++i) {
            blocked.submit();
            blocked_too.submit();
        }
        for (int i = 0; i != 200; ++i) {
            others.submit();
            if (on.is_borrowed())
                on.turn(0);
            BOOST_REQUIRE(setuid(getuid()) == 0); // it hangs if one thread does not answer
            BOOST_REQUIRE(setgid(getgid()) == 0);
        }
        BOOST_TEST(on.until([&] { return others.delivered() == 200; }));
        go.open();
        BOOST_TEST(on.until([&] { return blocked.delivered() + blocked_too.delivered() == 4; }));
    }
    pthread_attr_destroy(&attributes);
    never.write_one();
    BOOST_TEST(wait_until([&] { return sigev_aio_error(&pending) == 0; }));
}

BOOST_AUTO_TEST_SUITE_END()
