// Calls that are interrupted after each of their instructions, by a handler that asks about requests: what aio_handlers_test.cpp
// meets by chance.
#include "aio_fixture.hpp"
#include "support/stepping.hpp"

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio_steps, *sigev_tests::deadline(120))

namespace {

constexpr timespec at_once{0, 0};

/// Asks about one that is in progress and about the one that the interrupted call is about. False: one answer was wrong.
bool looks(aiocb& in_progress, aiocb& changing, bool takes, int& taken, ssize_t result) noexcept {
    const int saved = errno;
    const aiocb* const never[] = {&in_progress};
    const aiocb* const either[] = {&in_progress, &changing};
    bool good = sigev_aio_error(&in_progress) == EINPROGRESS && sigev_aio_return(&in_progress) == -1 && errno == EINVAL;
    good &= sigev_aio_suspend(never, 1, &at_once) == -1 && errno == EAGAIN;
    const int error = sigev_aio_error(&changing);
    good &= error == EINPROGRESS || error == 0 || error == EINVAL || error == ECANCELED;
    const int ended = sigev_aio_suspend(either, 2, &at_once);
    good &= ended == 0 || (ended == -1 && errno == EAGAIN);
    if (takes) {
        const ssize_t n = sigev_aio_return(&changing);
        good &= error != 0 || n == result; // the status is there: so is the result
        taken += n >= 0;
    }
    errno = saved;
    return good;
}

class interrupted_calls {
public:
    interrupted_calls() {
        BOOST_REQUIRE(sigev_aio_read(&waits_) == 0);
        r.start();
        BOOST_REQUIRE(finished(r.cb)); // everything is there
    }
    ~interrupted_calls() { sigev_aio_cancel(silent_.read, nullptr); }

    /// After every `stride`-th instruction (a step takes microseconds), once without and once with taking the result in the handler.
    template <class Call>
    void by_steps(Call&& call, ssize_t result, unsigned stride = 1) {
        stepping steps;
        for (const bool takes : {false, true}) {
            bool good = true;
            int taken = 0;
            const unsigned places = steps.each([&](unsigned k) {
                const bool met = steps.interrupted(
                    k * stride, [&] { call(r.cb); }, [&] { good &= looks(waits_, r.cb, takes, taken, result); });
                BOOST_TEST_REQUIRE(waited_for(r.cb));
                taken += sigev_aio_return(&r.cb) >= 0;
                BOOST_TEST_REQUIRE(good);
                return met;
            });
            BOOST_TEST_MESSAGE(places << " places");
            BOOST_TEST(places > 20u);
            // Each request has one result, however often it was asked for; what had ended well was taken once.
            BOOST_TEST(taken <= static_cast<int>(places) + 1);
        }
    }

    one_read r;

private:
    pipe_pair silent_;
    char byte_ = 0;
    std::unique_ptr<aiocb> owned_ = std::make_unique<aiocb>(make(silent_.read, &byte_, 1));
    aiocb& waits_ = *owned_;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_read_inside_the_call_is_interrupted) {
    interrupted_calls all;
    all.by_steps([](aiocb& cb) { (void)sigev_aio_read(&cb); }, 7);
}

BOOST_AUTO_TEST_CASE(a_write_that_is_queued_is_interrupted) {
    interrupted_calls all;
    all.by_steps([](aiocb& cb) { (void)sigev_aio_write(&cb); }, 32, 59);
}

BOOST_AUTO_TEST_CASE(a_list_that_is_read_inside_the_call_is_interrupted) {
    interrupted_calls all;
    all.by_steps(
        [](aiocb& cb) {
            cb.aio_lio_opcode = LIO_READ;
            aiocb* const list[] = {&cb};
            (void)sigev_lio_listio(LIO_NOWAIT, list, 1, nullptr);
        },
        7);
}

BOOST_AUTO_TEST_CASE(a_list_is_interrupted) {
    interrupted_calls all;
    all.by_steps(
        [](aiocb& cb) {
            cb.aio_lio_opcode = LIO_WRITE;
            aiocb* const list[] = {&cb};
            (void)sigev_lio_listio(LIO_NOWAIT, list, 1, nullptr);
        },
        32, 59);
}

BOOST_AUTO_TEST_CASE(a_cancel_is_interrupted) {
    interrupted_calls all;
    pipe_pair pipe;
    all.r.cb.aio_fildes = pipe.read;
    all.by_steps(
        [&](aiocb& cb) {
            (void)sigev_aio_read(&cb);
            (void)sigev_aio_cancel(pipe.read, &cb);
        },
        -1, 59);
}

// Who interrupts aio_return() may ask for the same result.
BOOST_AUTO_TEST_CASE(of_two_that_return_a_result_one_gets_it) {
    for (const std::uint32_t flags : {0, +SIGEV_AIO_KEEP_COMPLETED}) {
        choose(flags);
        one_read r;
        stepping steps;
        const unsigned places = steps.each([&](unsigned k) {
            r.start();
            BOOST_TEST_REQUIRE(waited_for(r.cb));
            int got = 0;
            const bool met = steps.interrupted(
                k, [&] { got += sigev_aio_return(&r.cb) == 7; }, [&] { got += sigev_aio_return(&r.cb) == 7; });
            BOOST_TEST_REQUIRE(got == 1);
            return met;
        });
        BOOST_TEST(places > 20u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
