// Which file a request works on, in which order, and what becomes of it at a fork and at the end.
// What must be pending is shown to be: it reads a pipe that nothing was written to.
#include "aio_fixture.hpp"

#include <deque>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

BOOST_AUTO_TEST_CASE(a_pending_read_stays_with_its_pipe_when_the_number_goes_to_another) {
    pipe_pair mine, other;
    char byte = 0;
    aiocb cb = make(mine.read, &byte, 1);
    BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
    BOOST_REQUIRE(dup3(other.read, mine.read, O_CLOEXEC) == mine.read); // closed and used again, in one step
    BOOST_TEST(write(other.write, "o", 1) == 1);
    BOOST_TEST(write(mine.write, "m", 1) == 1);
    BOOST_TEST(finished(cb));
    BOOST_TEST(byte == 'm');
    char left = 0;
    BOOST_TEST(read(other.read, &left, 1) == 1);
    BOOST_TEST(left == 'o');
}

BOOST_AUTO_TEST_CASE(a_write_reaches_its_file_when_the_number_goes_to_another) {
    descriptor mine(temporary_file()), wrong(temporary_file());
    std::string text(64, 'm');
    for (int i = 0; i != 500; ++i) {
        const int number = fcntl(mine, F_DUPFD_CLOEXEC, 0);
        aiocb cb = make(number, text.data(), text.size(), i * 64);
        BOOST_REQUIRE(sigev_aio_write(&cb) == 0);
        dup3(wrong, number, O_CLOEXEC);
        BOOST_REQUIRE(finished(cb));
        BOOST_REQUIRE(sigev_aio_return(&cb) == 64);
        close(number);
    }
    BOOST_TEST(content_of(wrong) == "");
    BOOST_TEST(content_of(mine) == std::string(500 * 64, 'm'));
}

// A program that has closed the first three would write its messages into a file that took their numbers.
BOOST_AUTO_TEST_CASE(the_duplicate_stands_in_for_no_standard_stream) {
    need_threads_in_a_child();
    pipe_pair pipe;
    char byte = 'x';
    const child_end end = child([&] {
        for (const int number : {0, 1, 2})
            close(number);
        aiocb cb = make(pipe.read, &byte, 1);
        if (sigev_aio_read(&cb) != 0 || sigev_aio_error(&cb) != EINPROGRESS)
            return 1;
        struct stat mine, there;
        if (fstat(pipe.read, &mine) != 0)
            return 2;
        for (const int number : {0, 1, 2})
            if (fstat(number, &there) == 0 && there.st_ino == mine.st_ino && there.st_dev == mine.st_dev)
                return 10 + number;
        return sigev_aio_cancel(pipe.read, &cb) == AIO_CANCELED && sigev_shutdown() == 0 ? 0 : 3;
    });
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_CASE(the_duplicate_is_closed_before_the_status_is_final) {
    pipe_pair pipe;
    char byte = 'x';
    aiocb cb = make(pipe.write, &byte, 1);
    BOOST_REQUIRE(sigev_aio_write(&cb) == 0);
    BOOST_TEST(finished(cb));
    pipe.write.close_now();
    BOOST_TEST(read(pipe.read, &byte, 1) == 1);
    BOOST_TEST(read(pipe.read, &byte, 1) == 0); // the end: no copy of the other end is left
}

BOOST_AUTO_TEST_CASE(appends_land_in_the_order_of_the_calls) {
    descriptor file(temporary_file(O_APPEND));
    descriptor again(fcntl(file, F_DUPFD_CLOEXEC, 0));
    std::string expected;
    std::deque<std::string> texts;
    std::deque<aiocb> all;
    for (int i = 0; i != 500; ++i) {
        texts.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 7) * 300, '.') + "\n");
        expected += texts.back();
        all.push_back(make(i % 2 ? file : again, texts.back().data(), texts.back().size()));
        BOOST_REQUIRE(sigev_aio_write(&all.back()) == 0);
    }
    aiocb sync = make(file, nullptr, 0);
    BOOST_REQUIRE(sigev_aio_fsync(O_SYNC, &sync) == 0);
    BOOST_TEST(finished(sync));
    for (auto& cb : all) { // what the sync covers is over
        BOOST_TEST(sigev_aio_error(&cb) == 0);
        BOOST_TEST(sigev_aio_return(&cb) == static_cast<ssize_t>(cb.aio_nbytes));
    }
    BOOST_TEST((content_of(file) == expected));
    BOOST_TEST(all_delivered(501));
}

BOOST_AUTO_TEST_CASE(offsets_go_beyond_two_gibibytes) {
    descriptor file(temporary_file());
    const off_t far = off_t{5} << 30;
    char text[] = "far";
    aiocb write = make(file, text, 3, far);
    BOOST_REQUIRE(sigev_aio_write(&write) == 0);
    BOOST_TEST(finished(write));
    char heard_there[4] = {};
    BOOST_TEST(pread(file, heard_there, 3, far) == 3);
    BOOST_TEST(std::string(heard_there) == "far");
}

BOOST_AUTO_TEST_CASE(a_child_starts_afresh_and_leaves_the_parents_requests_alone) {
    need_threads_in_a_child();
    pipe_pair pipe;
    char byte = 0;
    aiocb pending = make(pipe.read, &byte, 1);
    BOOST_REQUIRE(sigev_aio_read(&pending) == 0);
    one_read over;
    over.start();
    BOOST_REQUIRE(finished(over.cb));
    const child_end end = child([&] {
        BOOST_TEST(sigev_aio_error(&pending) == EINVAL); // not its own, and it does not wait for ever
        BOOST_TEST(sigev_aio_return(&pending) == -1);
        BOOST_TEST(sigev_aio_error(&over.cb) == 0);
        one_read r;
        r.cb.aio_sigevent.sigev_notify = SIGEV_THREAD;
        r.cb.aio_sigevent.sigev_notify_function = hear;
        r.cb.aio_sigevent.sigev_notify_attributes = nullptr;
        r.start();
        BOOST_TEST(finished(r.cb));
        BOOST_TEST(wait_until([] { return heard.calls == 1; }));
        BOOST_TEST(sigev_aio_return(&r.cb) == 7);
        BOOST_TEST(sigev_shutdown() == 0);
    });
    BOOST_TEST(end == exited_well);
    BOOST_TEST(sigev_aio_error(&pending) == EINPROGRESS);
    BOOST_TEST(write(pipe.write, "x", 1) == 1);
    BOOST_TEST(finished(pending));
    BOOST_TEST(sigev_aio_return(&pending) == 1);
}

BOOST_AUTO_TEST_CASE(shutdown_breaks_off_what_waits) {
    pipe_pair pipe;
    char byte = 0;
    aiocb cb = make(pipe.read, &byte, 1);
    cb.aio_sigevent.sigev_notify = SIGEV_THREAD;
    cb.aio_sigevent.sigev_notify_function = hear;
    cb.aio_sigevent.sigev_notify_attributes = nullptr;
    BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
    BOOST_TEST(sigev_shutdown() == 0);
    BOOST_TEST(sigev_aio_error(&cb) == ECANCELED);
    BOOST_TEST(sigev_aio_return(&cb) == -1);
    BOOST_TEST(heard.calls == 0);

    one_read r; // and the next use starts afresh
    r.start();
    BOOST_TEST(finished(r.cb));
    BOOST_TEST(sigev_aio_return(&r.cb) == 7);
}

BOOST_AUTO_TEST_CASE(a_cancelled_reactor_discards_what_is_told_later) {
    sigev_reactor_t reactor = 0;
    BOOST_REQUIRE(sigev_reactor_open(&reactor) == 0);
    pipe_pair pipe;
    char byte = 0;
    aiocb cb = make(pipe.read, &byte, 1);
    cb.aio_sigevent.sigev_notify = SIGEV_CALLBACK;
    cb.aio_sigevent.sigev_notify_function = hear;
    BOOST_REQUIRE(sigev_aio_submit_on(reactor, LIO_READ, &cb) == 0);
    BOOST_TEST(sigev_reactor_close(reactor) == 0);
    BOOST_TEST(write(pipe.write, "x", 1) == 1);
    BOOST_TEST(finished(cb)); // the request goes on
    BOOST_TEST(sigev_aio_return(&cb) == 1);
    BOOST_TEST(wait_until([] {
        const sigev_ledger l = total();
        return l.raised == 1 && l.discarded == 1;
    }));
}

BOOST_AUTO_TEST_SUITE_END()
