// aio_cancel(), on requests that are shown to be pending: reads of silent pipes, and what waits behind a write that blocks.
#include "aio_fixture.hpp"
#include "support/stress.hpp"

#include <chrono>
#include <thread>
#include <vector>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

namespace {

void is_cancelled(aiocb& cb) {
    BOOST_TEST(sigev_aio_error(&cb) == ECANCELED); // as soon as aio_cancel() has returned
    BOOST_TEST(sigev_aio_return(&cb) == -1);
    BOOST_TEST(errno == ECANCELED);
}

void tell_by_callback(aiocb& cb) {
    cb.aio_sigevent.sigev_notify = SIGEV_CALLBACK;
    cb.aio_sigevent.sigev_notify_function = hear;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_read_that_waits_is_cancelled_and_told_so) {
    pipe_pair pipe;
    char byte = 0;
    aiocb cb = make(pipe.read, &byte, 1);
    tell_by_callback(cb);
    BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
    BOOST_TEST(sigev_aio_error(&cb) == EINPROGRESS);
    errno = 77;
    BOOST_TEST(sigev_aio_cancel(pipe.read, &cb) == AIO_CANCELED);
    BOOST_TEST(errno == 77);
    is_cancelled(cb);
    BOOST_TEST(wait_until([] { return heard.calls == 1; }));
    BOOST_TEST(heard.error == ECANCELED);
    BOOST_TEST(heard.cause == +SIGEV_CAUSE_CANCELED);
    BOOST_REQUIRE(write(pipe.write, "x", 1) == 1);
    BOOST_TEST(read(pipe.read, &byte, 1) == 1); // nobody has taken it
    BOOST_TEST(all_delivered(1));
}

BOOST_AUTO_TEST_CASE(the_first_of_several_is_cancelled_and_the_others_go_on) {
    pipe_pair pipe;
    std::array<char, 3> bytes{};
    std::vector<std::unique_ptr<aiocb>> all;
    for (char& b : bytes) {
        all.push_back(std::make_unique<aiocb>(make(pipe.read, &b, 1)));
        BOOST_REQUIRE(sigev_aio_read(all.back().get()) == 0);
    }
    BOOST_TEST(sigev_aio_cancel(pipe.read, all[0].get()) == AIO_CANCELED);
    is_cancelled(*all[0]);
    BOOST_TEST(sigev_aio_error(all[1].get()) == EINPROGRESS);
    BOOST_REQUIRE(write(pipe.write, "ab", 2) == 2);
    BOOST_TEST(finished(*all[1]));
    BOOST_TEST(finished(*all[2]));
    BOOST_TEST(std::string(bytes.data(), 3) == std::string("\0ab", 3));
    BOOST_TEST(sigev_aio_cancel(pipe.read, all[1].get()) == AIO_ALLDONE);
    BOOST_TEST(sigev_aio_return(all[1].get()) == 1);
}

BOOST_AUTO_TEST_CASE(all_on_a_descriptor_are_cancelled_and_no_others) {
    pipe_pair pipe, other;
    std::array<char, 10> bytes{};
    std::vector<std::unique_ptr<aiocb>> all;
    for (char& b : bytes) {
        all.push_back(std::make_unique<aiocb>(make(pipe.read, &b, 1)));
        tell_by_callback(*all.back());
        BOOST_REQUIRE(sigev_aio_read(all.back().get()) == 0);
    }
    char byte = 0;
    aiocb elsewhere = make(other.read, &byte, 1);
    BOOST_REQUIRE(sigev_aio_read(&elsewhere) == 0);
    BOOST_TEST(sigev_aio_cancel(pipe.read, nullptr) == AIO_CANCELED);
    for (auto& cb : all)
        is_cancelled(*cb);
    BOOST_TEST(sigev_aio_cancel(pipe.read, nullptr) == AIO_ALLDONE);
    BOOST_TEST(sigev_aio_error(&elsewhere) == EINPROGRESS);
    BOOST_REQUIRE(write(other.write, "x", 1) == 1);
    BOOST_TEST(finished(elsewhere));
    BOOST_TEST(all_delivered(11));
    BOOST_TEST(heard.calls == 10);
}

BOOST_AUTO_TEST_CASE(a_number_that_is_another_file_by_now_has_nothing_to_cancel) {
    pipe_pair pipe, other;
    char byte = 0;
    aiocb cb = make(pipe.read, &byte, 1);
    BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
    BOOST_REQUIRE(dup2(other.read, pipe.read) == pipe.read);
    BOOST_TEST(sigev_aio_cancel(pipe.read, nullptr) == AIO_ALLDONE);
    BOOST_TEST(sigev_aio_error(&cb) == EINPROGRESS);
    BOOST_TEST(sigev_aio_cancel(pipe.read, &cb) == AIO_CANCELED); // the request itself can be named
    is_cancelled(cb);
}

BOOST_AUTO_TEST_CASE(a_write_that_has_begun_ends_with_what_it_has_written) {
    pipe_pair pipe;
    std::string text(1 << 20, 'w');
    aiocb cb = make(pipe.write, text.data(), text.size());
    BOOST_REQUIRE(sigev_aio_write(&cb) == 0);
    until_readable(pipe.read);
    BOOST_TEST(wait_until([&] { return sigev_aio_cancel(pipe.write, &cb) != AIO_ALLDONE && sigev_aio_error(&cb) != EINPROGRESS; }));
    BOOST_TEST(sigev_aio_error(&cb) == 0);
    const ssize_t n = sigev_aio_return(&cb);
    BOOST_TEST((n > 0 && n < static_cast<ssize_t>(text.size())));
    BOOST_TEST(read(pipe.read, text.data(), text.size()) == n);
}

// Who knows the aiocb may name it at any moment, also before aio_write() has returned.
BOOST_AUTO_TEST_CASE(what_is_cancelled_while_it_is_being_made_ends_once, *deadline(60)) {
    const descriptor file(temporary_file());
    char byte = 'x';
    aiocb cb = make(file, &byte, 1);
    std::atomic<bool> over{false};
    std::atomic<std::uint64_t> taken{0};
    std::array<std::thread, 2> others;
    for (std::thread& other : others)
        other = std::thread([&] {
            std::uint64_t mine = 0;
            while (!over)
                mine += sigev_aio_cancel(file, &cb) == AIO_CANCELED;
            taken += mine;
        });
    std::uint64_t made = 0, cancelled = 0, written = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(stress_nanoseconds());
    while (std::chrono::steady_clock::now() < end) {
        if (sigev_aio_write(&cb) != 0)
            break;
        ++made;
        while (sigev_aio_error(&cb) == EINPROGRESS) // not asleep: the next one is to come while the others look
            ;
        const bool was_cancelled = sigev_aio_error(&cb) == ECANCELED;
        const ssize_t n = sigev_aio_return(&cb);
        cancelled += was_cancelled && n == -1;
        written += !was_cancelled && n == 1;
    }
    over = true;
    for (std::thread& other : others)
        other.join();
    BOOST_TEST(made == cancelled + written);
    BOOST_TEST(taken == cancelled);
}

BOOST_AUTO_TEST_CASE(what_cancel_refuses) {
    pipe_pair pipe;
    char byte = 0;
    aiocb cb = make(pipe.read, &byte, 1);
    BOOST_TEST(sigev_aio_cancel(-1, nullptr) == -1);
    BOOST_TEST(errno == EBADF);
    BOOST_TEST(sigev_aio_cancel(pipe.read, &cb) == AIO_ALLDONE); // never started
    BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
    BOOST_TEST(sigev_aio_cancel(pipe.write, &cb) == -1);
    BOOST_TEST(errno == EINVAL);
    BOOST_TEST(sigev_aio_cancel(pipe.read, &cb) == AIO_CANCELED);
}

BOOST_AUTO_TEST_SUITE_END()
