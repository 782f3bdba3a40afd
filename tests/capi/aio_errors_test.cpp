// What is refused, when it is told, and what aio_return() leaves behind.
#include "aio_fixture.hpp"

#include <thread>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

BOOST_AUTO_TEST_CASE(a_bad_descriptor_is_told_as_existing_programs_expect) {
    char byte = 0;
    aiocb cb = make(-1, &byte, 1);
    cb.aio_sigevent.sigev_notify = SIGEV_THREAD;
    cb.aio_sigevent.sigev_notify_function = hear;
    cb.aio_sigevent.sigev_notify_attributes = nullptr;
    BOOST_TEST(sigev_aio_read(&cb) == 0);
    BOOST_TEST(finished(cb));
    BOOST_TEST(sigev_aio_error(&cb) == EBADF);
    BOOST_TEST(wait_until([] { return heard.calls == 1; })); // it notifies as well
    BOOST_TEST(heard.error == EBADF);
    BOOST_TEST(heard.data == 0);
    BOOST_TEST(sigev_aio_return(&cb) == -1);
    BOOST_TEST(errno == EBADF);

    aiocb sync = make(-1, nullptr, 0);
    BOOST_TEST(sigev_aio_fsync(O_SYNC, &sync) == -1);
    BOOST_TEST(errno == EBADF);
    BOOST_TEST(sigev_aio_error(&sync) == EINVAL);
    BOOST_TEST(all_delivered(1));
}

BOOST_AUTO_TEST_CASE(what_the_call_refuses_starts_nothing) {
    descriptor file(temporary_file());
    char text[] = "x";
    const aiocb good = make(file, text, 1);
    const auto refused = [&](auto change, auto call, int error) {
        aiocb cb = good;
        change(cb);
        BOOST_TEST(call(&cb) == -1);
        BOOST_TEST(errno == error);
        BOOST_TEST(sigev_aio_error(&cb) == EINVAL);
        BOOST_TEST(sigev_aio_return(&cb) == -1);
    };
    const auto nothing = [](aiocb&) {};
    refused([](aiocb& cb) { cb.aio_reqprio = -1; }, sigev_aio_write, EINVAL);
    refused([](aiocb& cb) { cb.aio_reqprio = 21; }, sigev_aio_write, EINVAL);
    refused(nothing, [](aiocb* cb) { return sigev_aio_fsync(12345, cb); }, EINVAL);
    refused(nothing, [](aiocb* cb) { return sigev_aio_submit_on(0, LIO_NOP, cb); }, EINVAL);
    refused(nothing, [](aiocb* cb) { return sigev_aio_submit_on(1, LIO_WRITE, cb); }, EINVAL);
    refused([](aiocb& cb) { cb.aio_sigevent.sigev_notify = 4711; }, sigev_aio_write, EINVAL);
    refused(
        [](aiocb& cb) {
            cb.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
            cb.aio_sigevent.sigev_signo = 1000;
        },
        sigev_aio_write, EINVAL);
    refused(
        [](aiocb& cb) {
            cb.aio_sigevent.sigev_notify = SIGEV_KEVENT;
            cb.aio_sigevent.sigev_notify_kqueue = 0;
        },
        sigev_aio_write, EBADF);
    refused(
        [](aiocb& cb) {
            cb.aio_sigevent.sigev_notify = SIGEV_THREAD;
            cb.aio_sigevent.sigev_notify_function = nullptr;
        },
        sigev_aio_write, EINVAL);
    BOOST_TEST(content_of(file) == "");
    BOOST_TEST(total().raised == 0u);
}

BOOST_AUTO_TEST_CASE(the_operations_own_errors_come_through_aio_error) {
    descriptor file(temporary_file());
    descriptor read_only(open("/dev/null", O_RDONLY | O_CLOEXEC));
    descriptor folder(open("/tmp", O_RDONLY | O_CLOEXEC));
    char byte = 0;
    const auto fails = [](aiocb cb, int (*call)(aiocb*), int error) {
        BOOST_TEST(call(&cb) == 0);
        BOOST_TEST(finished(cb));
        BOOST_TEST(sigev_aio_error(&cb) == error);
        BOOST_TEST(sigev_aio_return(&cb) == -1);
        BOOST_TEST(errno == error);
    };
    fails(make(file, &byte, 1, -1), sigev_aio_read, EINVAL);
    fails(make(file, &byte, 1, -1), sigev_aio_write, EINVAL);
    fails(make(file, &byte, std::size_t{SSIZE_MAX} + 1), sigev_aio_read, EINVAL);
    fails(make(read_only, &byte, 1), sigev_aio_write, EBADF);
    fails(make(folder, &byte, 1), sigev_aio_read, EISDIR);
    BOOST_TEST(all_delivered(5));
}

BOOST_AUTO_TEST_CASE(a_result_is_returned_once) {
    aiocb never{};
    BOOST_TEST(sigev_aio_error(&never) == EINVAL);
    BOOST_TEST(sigev_aio_return(&never) == -1);
    BOOST_TEST(errno == EINVAL);
    BOOST_TEST(sigev_aio_error(nullptr) == EINVAL);

    pipe_pair pipe;
    char byte = 0;
    aiocb cb = make(pipe.read, &byte, 1);
    BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
    BOOST_TEST(sigev_aio_error(&cb) == EINPROGRESS);
    BOOST_TEST(sigev_aio_return(&cb) == -1); // nothing to return yet, and nothing is lost by asking
    BOOST_TEST(write(pipe.write, "x", 1) == 1);
    BOOST_TEST(finished(cb));
    BOOST_TEST(sigev_aio_return(&cb) == 1);
    BOOST_TEST(sigev_aio_return(&cb) == -1);
    BOOST_TEST(errno == EINVAL);
    BOOST_TEST(sigev_aio_error(&cb) == EINVAL);
}

BOOST_AUTO_TEST_CASE(of_two_threads_that_return_a_result_one_gets_it) {
    one_read r;
    for (int i = 0; i != 200; ++i) {
        r.start();
        BOOST_REQUIRE(finished(r.cb));
        std::atomic<int> got = 0;
        gate both;
        const auto take = [&] {
            if (both.wait() && sigev_aio_return(&r.cb) == 7)
                ++got;
        };
        std::thread first(take), second(take);
        both.open();
        first.join();
        second.join();
        BOOST_REQUIRE(got == 1);
    }
}

BOOST_AUTO_TEST_CASE(an_aiocb_is_used_again_without_aio_return) {
    one_read r;
    for (std::uint64_t i = 1; i != 200; ++i) {
        r.start();
        BOOST_REQUIRE(finished(r.cb));
    }
    BOOST_TEST(all_delivered(199));
}

BOOST_AUTO_TEST_CASE(an_aiocb_may_go_as_soon_as_its_status_is_final) {
    constexpr std::size_t times = 500;
    descriptor file(temporary_file());
    BOOST_REQUIRE(write(file, "x", 1) == 1);
    std::array<char, times> bytes{};
    const std::unique_ptr<aiocb[]> all(new aiocb[times]), gone(new aiocb[times]);
    std::memset(static_cast<void*>(gone.get()), 0xff, times * sizeof(aiocb));
    for (std::size_t i = 0; i != times; ++i) {
        aiocb& cb = all[i];
        cb = make(file, &bytes[i], 1);
        cb.aio_sigevent.sigev_notify = SIGEV_THREAD;
        cb.aio_sigevent.sigev_notify_function = hear;
        cb.aio_sigevent.sigev_notify_attributes = nullptr;
        BOOST_REQUIRE((i % 2 ? sigev_aio_read(&cb) : sigev_aio_write(&cb)) == 0); // inside the call, and by a thread
        while (sigev_aio_error(&cb) == EINPROGRESS) // not asleep: at once
            ;
        std::memset(static_cast<void*>(&cb), 0xff, sizeof cb);
    }
    BOOST_TEST(wait_until([] { return heard.calls == int{times}; }));
    BOOST_TEST(all_delivered(times));
    BOOST_TEST(std::memcmp(all.get(), gone.get(), times * sizeof(aiocb)) == 0); // nobody has written to one of them
}

BOOST_AUTO_TEST_SUITE_END()
