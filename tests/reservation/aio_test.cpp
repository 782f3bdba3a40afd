// A request for which something cannot be had is refused by the call with EAGAIN, and nothing of it is queued: whatever of all
// that a first request makes (the reactor, threads, duplicates, the request) it is that fails. Once there is enough, the same
// call goes through, and its request ends.
#include "capi/aio_fixture.hpp"
#include "failing_malloc.hpp"
#include "limits.hpp"
#include "support/sanitizers.hpp"

#include <vector>

using namespace aio_tests;

namespace {

enum class call { read_of_a_pipe, write_to_a_file, fsync, list, list_that_waits };
constexpr call calls[] = {call::read_of_a_pipe, call::write_to_a_file, call::fsync, call::list, call::list_that_waits};
constexpr int methods[] = {SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_KEVENT};

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
        else if (notify == SIGEV_KEVENT)
            BOOST_REQUIRE((event_.sigev_notify_kqueue = queue_ = sigev_kqueue()) >= 0);
        else
            event_.sigev_notify_function = [](sigval) {};
        first_.aio_sigevent = second_.aio_sigevent = event_;
        BOOST_REQUIRE(write(pipe_.write, "x", 1) == 1);
    }

    attempt(const attempt&) = delete;
    attempt& operator=(const attempt&) = delete;
    ~attempt()
    {
        if (queue_ >= 0)
            sigev_kqueue_close(queue_);
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
    int queue_ = -1;
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
        for (const int notify : methods)
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

// The event of the request before, which has not been returned, included.
BOOST_AUTO_TEST_CASE(without_memory_for_its_kevent_a_request_is_refused_and_all_is_as_it_was)
{
    if (!no_memory::works())
        skip("the sanitizer has the allocator");
    constexpr std::size_t most = 1000;
    const descriptor file(temporary_file());
    BOOST_REQUIRE(write(file, "x", 1) == 1);
    const int queue = sigev_kqueue();
    BOOST_REQUIRE(queue >= 0);
    const std::unique_ptr<aiocb[]> all(new aiocb[most]);
    std::vector<char> bytes(most);
    const auto start = [&](std::size_t i) { // allocates nothing of its own
        all[i] = make(file, &bytes[i], 1);
        all[i].aio_sigevent.sigev_notify = SIGEV_KEVENT;
        all[i].aio_sigevent.sigev_notify_kqueue = queue;
        return sigev_aio_read(&all[i]);
    };
    BOOST_REQUIRE(start(0) == 0);
    std::size_t n = 0;
    int error = 0;
    do { // until there is memory for the request, and none for its mark
        ++n;
        const no_memory limit(1);
        if (start(n) != 0)
            error = errno;
    } while (error == 0 && n + 1 != most);
    BOOST_TEST(error == EAGAIN);
    BOOST_TEST(sigev_aio_error(&all[n]) == EINVAL);
    const auto reported = [&] {
        std::vector<sigev_kev> events(most);
        const timespec now{};
        return sigev_kevent(queue, nullptr, 0, events.data(), static_cast<int>(most), &now);
    };
    for (int times = 0; times != 2; ++times)
        BOOST_TEST(reported() == static_cast<int>(n));
    int again;
    {
        const no_memory limit(1);
        again = sigev_aio_read(&all[0]);
        error = errno;
    }
    BOOST_TEST(again == -1);
    BOOST_TEST(error == EAGAIN);
    BOOST_TEST(reported() == static_cast<int>(n));
    for (std::size_t i = 0; i != n; ++i)
        BOOST_TEST_REQUIRE(sigev_aio_return(&all[i]) == 1);
    BOOST_TEST(reported() == 0);
    BOOST_TEST(all_delivered(n));
    BOOST_TEST(sigev_kqueue_close(queue) == 0);
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
            for (const int notify : methods)
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
