// Asynchronous I/O told by every method.
#include "aio_fixture.hpp"

#include <poll.h>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

BOOST_AUTO_TEST_CASE(polling_is_enough) {
    descriptor file(temporary_file());
    char text[] = "hello";
    aiocb write = make(file, text, 5, 3);
    errno = 77;
    BOOST_TEST(sigev_aio_write(&write) == 0);
    BOOST_TEST(errno == 77);
    aiocb sync = make(file, nullptr, 0);
    BOOST_TEST(sigev_aio_fsync(O_DSYNC, &sync) == 0);
    BOOST_TEST(finished(write));
    BOOST_TEST(finished(sync));
    BOOST_TEST(sigev_aio_return(&write) == 5);
    BOOST_TEST(sigev_aio_error(&sync) == 0);
    BOOST_TEST(sigev_aio_return(&sync) == 0);
    BOOST_TEST(errno == 77);

    std::array<char, 32> buffer{};
    aiocb read = make(file, buffer.data(), buffer.size(), 2);
    BOOST_TEST(sigev_aio_read(&read) == 0);
    BOOST_TEST(finished(read));
    BOOST_TEST(sigev_aio_return(&read) == 6);
    BOOST_TEST(std::string(buffer.data(), 6) == std::string("\0hello", 6));
    BOOST_TEST(all_delivered(3));
}

BOOST_AUTO_TEST_CASE(a_signal_says_what_it_is_about) {
    blocked_signal signal(SIGRTMIN + 2);
    one_read r;
    r.cb.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
    r.cb.aio_sigevent.sigev_signo = SIGRTMIN + 2;
    r.start();
    siginfo_t info{};
    BOOST_TEST(signal.take(info));
    BOOST_TEST(info.si_code == SI_ASYNCIO);
    BOOST_TEST(info.si_value.sival_ptr == static_cast<void*>(&r.buffer));
    BOOST_TEST(info.si_pid == getpid());
    BOOST_TEST(sigev_aio_error(&r.cb) == 0); // the status comes first
    r.check();
}

BOOST_AUTO_TEST_CASE(a_signal_reaches_the_thread_that_was_named) {
    blocked_signal signal(SIGRTMIN + 3);
    one_read r;
    r.cb.aio_sigevent.sigev_notify = SIGEV_THREAD_ID;
    r.cb.aio_sigevent.sigev_signo = SIGRTMIN + 3;
    r.cb.aio_sigevent.sigev_notify_thread_id = gettid();
    r.start();
    siginfo_t info{};
    BOOST_TEST(signal.take(info));
    BOOST_TEST(info.si_code == SI_ASYNCIO);
    BOOST_TEST(info.si_value.sival_ptr == static_cast<void*>(&r.buffer));
    r.check();
}

BOOST_AUTO_TEST_CASE(a_function_is_called_on_a_thread_or_by_the_reactor) {
    for (const int method : {int{SIGEV_THREAD}, SIGEV_CALLBACK}) {
        const int before = heard.calls;
        one_read r;
        r.cb.aio_sigevent.sigev_notify = method;
        r.cb.aio_sigevent.sigev_notify_function = hear;
        r.cb.aio_sigevent.sigev_notify_attributes = nullptr;
        r.start();
        BOOST_TEST(wait_until([&] { return heard.calls == before + 1; }));
        BOOST_TEST(heard.value == static_cast<void*>(&r.buffer));
        BOOST_TEST(heard.data == 7);
        BOOST_TEST(heard.ident == reinterpret_cast<std::uintptr_t>(&r.cb));
        BOOST_TEST(heard.error == 0);
        BOOST_TEST(heard.code == SI_ASYNCIO);
        BOOST_TEST(heard.source == +SIGEV_SOURCE_AIO);
        BOOST_TEST(heard.has_time);
        BOOST_TEST(heard.cause == +SIGEV_CAUSE_COMPLETED);
        BOOST_TEST(sigev_aio_return(&r.cb) == 7);
        BOOST_TEST(all_delivered(static_cast<std::uint64_t>(before + 1)));
    }
}

BOOST_AUTO_TEST_CASE(a_method_of_the_programs_own_is_called) {
    sigev_method method{};
    method.size = sizeof method;
    method.name = "test";
    method.deliver = [](void*, void*, const sigev_notification* n) -> int {
        hear(n->value);
        return SIGEV_DELIVERED;
    };
    const int number = sigev_method_register(&method);
    BOOST_REQUIRE(number >= SIGEV_METHOD_FIRST);
    one_read r;
    r.cb.aio_sigevent.sigev_notify = number;
    r.start();
    BOOST_TEST(wait_until([] { return heard.calls == 1; }));
    BOOST_TEST(heard.value == static_cast<void*>(&r.buffer));
    r.check();
    BOOST_TEST(sigev_method_unregister(number) == 0);
}

BOOST_AUTO_TEST_CASE(a_kevent_is_posted_and_stands_until_aio_return) {
    const int queue = sigev_kqueue();
    BOOST_REQUIRE(queue >= 0);
    one_read r;
    r.cb.aio_sigevent.sigev_notify = SIGEV_KEVENT;
    r.cb.aio_sigevent.sigev_notify_kqueue = queue;
    r.cb.aio_sigevent.sigev_notify_kevent_flags = 0;
    r.start();
    sigev_kev event{};
    const timespec limit{10, 0};
    const timespec now{};
    for (int times = 0; times != 2; ++times) { // it is a level
        BOOST_TEST(sigev_kevent(queue, nullptr, 0, &event, 1, &limit) == 1);
        BOOST_TEST(event.filter == EVFILT_AIO);
        BOOST_TEST(event.ident == reinterpret_cast<std::uintptr_t>(&r.cb));
        BOOST_TEST(event.udata == static_cast<void*>(&r.buffer));
        BOOST_TEST(event.data == 0);
        BOOST_TEST((event.flags & EV_EOF) != 0);
    }
    r.check();
    BOOST_TEST(sigev_kevent(queue, nullptr, 0, &event, 1, &now) == 0);
    BOOST_TEST(sigev_kqueue_close(queue) == 0);
}

BOOST_AUTO_TEST_CASE(a_zeroed_sigevent_is_silent) {
    one_read r;
    r.cb.aio_sigevent = {};
    r.start();
    r.check();
}

BOOST_AUTO_TEST_CASE(a_reactor_of_the_programs_own_tells_it) {
    sigev_reactor_t reactor = 0;
    BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
    one_read r;
    r.cb.aio_sigevent.sigev_notify = SIGEV_CALLBACK;
    r.cb.aio_sigevent.sigev_notify_function = hear;
    BOOST_REQUIRE(sigev_aio_submit_on(reactor, LIO_READ, &r.cb) == 0);
    aiocb sync = make(r.file, nullptr, 0);
    BOOST_REQUIRE(sigev_aio_fsync_on(reactor, O_SYNC, &sync) == 0);
    BOOST_TEST(finished(r.cb));
    BOOST_TEST(finished(sync));
    BOOST_TEST(heard.calls == 0); // only its own loop delivers
    BOOST_TEST(wait_until([&] {
        std::array<int, 8> watched;
        const int n = sigev_reactor_descriptors(reactor, watched.data(), watched.size());
        for (int i = 0; i < n; ++i) {
            pollfd look{watched[static_cast<std::size_t>(i)], POLLIN, 0};
            if (poll(&look, 1, 0) == 1)
                sigev_reactor_ready(reactor, static_cast<unsigned>(i));
        }
        return heard.calls == 1;
    }));
    BOOST_TEST(sigev_aio_return(&r.cb) == 7);
    BOOST_TEST(sigev_reactor_close(reactor) == 0);
    const sigev_ledger l = total();
    BOOST_TEST(l.raised == 2u);
    BOOST_TEST(l.raised == l.delivered + l.merged + l.pending + l.discarded);
}

BOOST_AUTO_TEST_SUITE_END()
