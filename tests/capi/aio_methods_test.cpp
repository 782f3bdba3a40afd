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

namespace {

struct read_by_a_callback {
    pipe_pair pipe;
    char byte = 0;
    std::unique_ptr<aiocb> owned = std::make_unique<aiocb>(make(pipe.read, &byte, 1));
    aiocb& cb = *owned;

    static void begin(sigval v) {
        auto& self = *static_cast<read_by_a_callback*>(v.sival_ptr);
        if (sigev_aio_read(&self.cb) == 0)
            pthread_exit(nullptr);
    }
};

} // namespace

// A thread that ends takes none of the reads with it that it has begun; as io_uring's would end with it.
BOOST_AUTO_TEST_CASE(a_read_goes_on_when_the_callback_that_began_it_has_ended_its_thread) {
    read_by_a_callback r;
    r.cb.aio_sigevent.sigev_notify = SIGEV_THREAD;
    r.cb.aio_sigevent.sigev_notify_function = hear;
    r.cb.aio_sigevent.sigev_notify_attributes = nullptr;
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = read_by_a_callback::begin;
    event.sigev_value.sival_ptr = &r;
    sigev_t s = 0;
    BOOST_REQUIRE(sigev_open(&event, 1, nullptr, &s) == 0);
    BOOST_REQUIRE(sigev_submit(s, 0, 0) == 0);
    sigev_ledger l{};
    BOOST_REQUIRE(wait_until([&] { return sigev_ledger_read(s, &l) == 0 && l.delivered == 1; })); // the callback has ended
    BOOST_TEST(sigev_aio_error(&r.cb) == EINPROGRESS);
    BOOST_REQUIRE(write(r.pipe.write, "x", 1) == 1);
    BOOST_TEST(wait_until([] { return heard.calls == 1; }));
    BOOST_TEST(heard.data == 1);
    BOOST_TEST(sigev_aio_return(&r.cb) == 1);
    BOOST_TEST(r.byte == 'x');
    BOOST_TEST(sigev_close(s) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
