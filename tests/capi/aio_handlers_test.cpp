// aio_error(), aio_return() and aio_suspend() from a handler that interrupts the library wherever it happens to be.
#include "aio_fixture.hpp"

#include <thread>

#include <sys/time.h>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

namespace {

aiocb* in_progress;
aiocb* changing; ///< what the interrupted code is about
std::atomic<int> interrupted, returned, wrong;

void look(int) {
    const int saved = errno;
    const timespec at_once{0, 0}, brief{0, 1000};
    const aiocb* const never[] = {in_progress};
    const aiocb* const either[] = {in_progress, changing};
    if (sigev_aio_error(in_progress) != EINPROGRESS || sigev_aio_return(in_progress) != -1 || errno != EINVAL)
        ++wrong;
    if (sigev_aio_suspend(never, 1, interrupted % 8 == 0 ? &brief : &at_once) != -1 || errno != EAGAIN)
        ++wrong;
    (void)sigev_aio_suspend(either, 2, &at_once);
    const int error = sigev_aio_error(changing);
    if (error != EINPROGRESS && error != 0 && error != EINVAL && error != ECANCELED)
        ++wrong;
    if (interrupted % 2 == 0 && sigev_aio_return(changing) >= 0)
        ++returned;
    ++interrupted;
    errno = saved;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_handler_may_look_at_requests_wherever_it_interrupts, *sigev_tests::deadline(60)) {
    pipe_pair silent;
    char byte = 0;
    aiocb waits = make(silent.read, &byte, 1);
    one_read r;
    r.cb.aio_lio_opcode = LIO_READ;
    in_progress = &waits;
    changing = &r.cb;
    BOOST_REQUIRE(sigev_aio_read(&waits) == 0);
    struct sigaction action{};
    action.sa_handler = look;
    action.sa_flags = SA_RESTART;
    BOOST_REQUIRE(sigaction(SIGALRM, &action, nullptr) == 0);
    const itimerval often{{0, 50}, {0, 50}}, never{};
    BOOST_REQUIRE(setitimer(ITIMER_REAL, &often, nullptr) == 0);
    std::uint64_t rounds = 0;
    sigev_aio_options options{};
    options.size = sizeof options;
    const auto until = std::chrono::steady_clock::now() + milliseconds(1500);
    while (std::chrono::steady_clock::now() < until) {
        options.flags = rounds % 2 ? SIGEV_AIO_ALWAYS_QUEUE : 0;
        sigev_aio_init(&options);
        const aiocb* const list[] = {&r.cb};
        aiocb* const one[] = {&r.cb};
        if (rounds % 3 == 0)
            BOOST_TEST_REQUIRE(sigev_lio_listio(LIO_NOWAIT, one, 1, nullptr) == 0);
        else
            BOOST_TEST_REQUIRE(sigev_aio_read(&r.cb) == 0);
        if (rounds % 5 == 0)
            sigev_aio_cancel(r.file, nullptr);
        while (sigev_aio_suspend(list, 1, nullptr) != 0)
            BOOST_TEST_REQUIRE(errno == EINTR);
        const ssize_t n = sigev_aio_return(&r.cb);
        BOOST_TEST_REQUIRE((n == 7 || (n == -1 && (errno == EINVAL || errno == ECANCELED))));
        ++rounds;
    }
    BOOST_REQUIRE(setitimer(ITIMER_REAL, &never, nullptr) == 0);
    BOOST_TEST_MESSAGE(rounds << " requests, " << interrupted << " interruptions, " << returned << " returned in the handler");
    BOOST_TEST(interrupted > 100);
    BOOST_TEST(returned > 0);
    BOOST_TEST(wrong == 0);
    BOOST_TEST(sigev_aio_cancel(silent.read, nullptr) == AIO_CANCELED);
    BOOST_TEST(all_delivered(rounds + 1));
}

BOOST_AUTO_TEST_SUITE_END()
