// A request for which something cannot be had is refused by the call with EAGAIN, and nothing of it is queued: whatever of all
// that a first request makes (the reactor, threads, duplicates, the request) it is that fails. Once there is enough, the same
// call goes through, and its request ends.
#include "capi/aio_fixture.hpp"
#include "failing_malloc.hpp"
#include "limits.hpp"
#include "support/sanitizers.hpp"

using namespace aio_tests;

namespace {

enum class call { read_of_a_pipe, write_to_a_file, fsync, list, list_that_waits };
constexpr call calls[] = {call::read_of_a_pipe, call::write_to_a_file, call::fsync, call::list, call::list_that_waits};

/// A call that is made for the first time in a process, once with too little, and once with enough.
class attempt {
public:
    attempt(call what, int notify) : what_(what), first_(*owned_[0]), second_(*owned_[1])
    {
        BOOST_REQUIRE(sigev_shutdown() == 0); // nothing is left of the attempt before
        first_ = make(what == call::read_of_a_pipe ? int{pipe_.read} : int{file_}, &bytes_[0], 1);
        second_ = make(file_, &bytes_[1], 1, 1);
        first_.aio_lio_opcode = second_.aio_lio_opcode = LIO_WRITE;
        event_.sigev_notify = notify;
        if (notify == SIGEV_SIGNAL)
            event_.sigev_signo = SIGURG; // nobody minds
        else
            event_.sigev_notify_function = [](sigval) {};
        first_.aio_sigevent = second_.aio_sigevent = event_;
        BOOST_REQUIRE(write(pipe_.write, "x", 1) == 1);
    }

    /// Allocates nothing of its own. True: it went through.
    bool make_with_too_little()
    {
        result_ = once();
        error_ = errno;
        return result_ == 0;
    }

    void check()
    {
        BOOST_TEST((result_ == 0 || error_ == EAGAIN));
        if (!is_list() && result_ != 0)
            BOOST_TEST(sigev_aio_error(&first_) == EINVAL); // as it was
        BOOST_TEST_REQUIRE((finished(first_) && finished(second_))); // what was queued all the same is served
        if (is_list() && result_ != 0 && sigev_aio_error(&first_) != EINVAL)
            BOOST_TEST((sigev_aio_error(&first_) == EAGAIN || sigev_aio_error(&second_) == EAGAIN));
        if (what_ == call::read_of_a_pipe && result_ == 0)
            BOOST_REQUIRE(write(pipe_.write, "x", 1) == 1);
        BOOST_TEST(once() == 0);
        BOOST_TEST_REQUIRE((finished(first_) && finished(second_)));
        BOOST_TEST(sigev_aio_error(&first_) == 0);
    }

private:
    bool is_list() const { return what_ == call::list || what_ == call::list_that_waits; }

    int once()
    {
        aiocb* const both[] = {&first_, &second_};
        switch (what_) {
        case call::read_of_a_pipe:
            return sigev_aio_read(&first_);
        case call::write_to_a_file:
            return sigev_aio_write(&first_);
        case call::fsync:
            return sigev_aio_fsync(O_SYNC, &first_);
        case call::list:
            return sigev_lio_listio(LIO_NOWAIT, both, 2, &event_);
        case call::list_that_waits:
            return sigev_lio_listio(LIO_WAIT, both, 2, nullptr);
        }
        return -1;
    }

    const call what_;
    pipe_pair pipe_;
    descriptor file_{temporary_file()};
    std::array<char, 2> bytes_{};
    sigevent event_{};
    std::array<std::unique_ptr<aiocb>, 2> owned_{std::make_unique<aiocb>(), std::make_unique<aiocb>()};
    aiocb &first_, &second_;
    int result_ = 0;
    int error_ = 0;
};

/// With one more each time, until it is enough. `make(n)` makes the call with n of it, and says whether that was too little.
template <class Make>
void with_one_more_each_time(Make&& make)
{
    for (const call what : calls)
        for (const int notify : {SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD})
            for (unsigned long n = 0;; ++n) {
                BOOST_TEST_CONTEXT("call " << static_cast<int>(what) << ", notify " << notify << ", with " << n)
                {
                    attempt one(what, notify);
                    const bool too_little = make(one, n);
                    one.check(); // also what went through: its aiocb must outlive it
                    if (!too_little) {
                        BOOST_TEST(n > 0u);
                        break;
                    }
                }
            }
}

} // namespace

BOOST_AUTO_TEST_SUITE(reservation_of_requests, *deadline(120))

BOOST_AUTO_TEST_CASE(without_memory_nothing_is_queued)
{
    if (!no_memory::works())
        skip("the sanitizer has the allocator");
    with_one_more_each_time([](attempt& one, unsigned long granted) {
        const no_memory limit(granted);
        one.make_with_too_little();
        return no_memory::refusals() != 0;
    });
}

BOOST_AUTO_TEST_CASE(without_descriptors_nothing_is_queued)
{
    need_no_descriptors();
    with_one_more_each_time([](attempt& one, unsigned long granted) {
        const descriptor lowest(dup(0));
        const lowered limit(RLIMIT_NOFILE, static_cast<rlim_t>(lowest) + 1 + granted);
        return !one.make_with_too_little();
    });
}

BOOST_AUTO_TEST_CASE(without_threads_nothing_is_queued)
{
    need_threads_in_a_child();
    as_another_user([] {
        for (const call what : calls)
            for (const int notify : {SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD})
                for (const bool first_of_all : {true, false}) {
                    attempt one(what, notify);
                    if (!first_of_all) { // those of the runtime are there
                        sigev_t other = 0;
                        sigevent none{};
                        none.sigev_notify = SIGEV_NONE;
                        BOOST_REQUIRE(sigev_open(&none, 1, nullptr, &other) == 0);
                        BOOST_REQUIRE(sigev_close(other) == 0);
                    }
                    {
                        const lowered limit(RLIMIT_NPROC, 0);
                        BOOST_TEST(!one.make_with_too_little());
                    }
                    one.check();
                }
    });
}

BOOST_AUTO_TEST_SUITE_END()
