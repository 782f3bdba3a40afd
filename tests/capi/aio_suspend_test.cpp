// aio_suspend(): when it returns, and what may become of the thread that is in it.
#include "aio_fixture.hpp"
#include "support/sanitizers.hpp"

#include <csetjmp>
#include <fstream>
#include <thread>
#include <vector>

#include <sys/time.h>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

namespace {

struct pending {
    pipe_pair pipe;
    char byte = 0;
    std::unique_ptr<aiocb> cb = std::make_unique<aiocb>(make(pipe.read, &byte, 1));
    const aiocb* const list[1] = {cb.get()};

    pending() { BOOST_REQUIRE(sigev_aio_read(cb.get()) == 0); }
    ~pending() { sigev_aio_cancel(pipe.read, nullptr); }
    void end() { BOOST_REQUIRE(write(pipe.write, "x", 1) == 1); }
};

/// Only aio_suspend() can have put it to sleep, where the test says so.
bool falls_asleep(const std::atomic<pid_t>& id) {
    return wait_until([&] {
        std::ifstream state("/proc/self/task/" + std::to_string(id) + "/stat");
        std::string number, name, letter;
        return id != 0 && state >> number >> name >> letter && letter == "S";
    });
}

constexpr timespec at_once{0, 0};
constexpr timespec a_while{10, 0};

} // namespace

BOOST_AUTO_TEST_CASE(suspend_returns_when_one_of_the_list_is_over) {
    pending first, second;
    const aiocb* const list[] = {nullptr, first.cb.get(), nullptr, second.cb.get()};
    BOOST_TEST(sigev_aio_suspend(list, 4, &at_once) == -1);
    BOOST_TEST(errno == EAGAIN);
    const timespec brief{0, 2'000'000};
    BOOST_TEST(sigev_aio_suspend(list, 4, &brief) == -1);
    BOOST_TEST(errno == EAGAIN);
    second.end();
    errno = 77;
    BOOST_TEST(sigev_aio_suspend(list, 4, &a_while) == 0);
    BOOST_TEST(errno == 77);
    BOOST_TEST(sigev_aio_error(second.cb.get()) == 0);
    BOOST_TEST(sigev_aio_error(first.cb.get()) == EINPROGRESS);
    BOOST_TEST(sigev_aio_suspend(list, 4, &at_once) == 0);
}

BOOST_AUTO_TEST_CASE(suspend_with_nothing_to_wait_for_returns_at_once) {
    const aiocb* const nobody[2] = {};
    BOOST_TEST(sigev_aio_suspend(nobody, 2, nullptr) == 0);
    BOOST_TEST(sigev_aio_suspend(nullptr, 0, nullptr) == 0);
    BOOST_TEST(sigev_aio_suspend(nobody, -1, nullptr) == -1);
    BOOST_TEST(errno == EINVAL);
    pending p;
    const timespec wrong{0, 1'000'000'000};
    BOOST_TEST(sigev_aio_suspend(p.list, 1, &wrong) == -1);
    BOOST_TEST(errno == EINVAL);
}

BOOST_AUTO_TEST_CASE(several_threads_wait_for_several_requests) {
    std::array<pending, 4> all;
    std::atomic<int> back = 0;
    std::array<std::atomic<pid_t>, 8> ids{};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i != ids.size(); ++i)
        threads.emplace_back([&, i] {
            ids[i] = gettid();
            back += sigev_aio_suspend(all[i / 2].list, 1, nullptr) == 0;
        });
    for (const auto& id : ids)
        BOOST_TEST(falls_asleep(id));
    for (pending& p : all)
        p.end();
    for (std::thread& t : threads)
        t.join();
    BOOST_TEST(back == 8);
}

BOOST_AUTO_TEST_CASE(a_handler_interrupts_suspend) {
    static pending* p;
    static std::atomic<int> inside;
    pending one;
    p = &one;
    struct sigaction action{};
    action.sa_handler = [](int) { // async-signal-safe, also inside itself
        const int saved = errno;
        const timespec brief{0, 1000};
        if (sigev_aio_error(p->cb.get()) == EINPROGRESS && sigev_aio_suspend(p->list, 1, &brief) == -1 && errno == EAGAIN)
            ++inside;
        errno = saved;
    };
    BOOST_REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
    std::atomic<int> error = 0;
    std::thread waits([&] {
        if (sigev_aio_suspend(one.list, 1, nullptr) == -1)
            error = errno;
    });
    BOOST_TEST(wait_until([&] {
        pthread_kill(waits.native_handle(), SIGUSR1);
        return error != 0;
    }));
    waits.join();
    BOOST_TEST(error == EINTR);
    BOOST_TEST(inside > 0);
}

BOOST_AUTO_TEST_CASE(suspend_is_a_cancellation_point) {
    if (under_address_sanitizer)
        skip("AddressSanitizer does not see that frames of C have been unwound, and takes the thread's end for an overflow");
    pending one;
    std::atomic<pid_t> id = 0;
    std::atomic<bool> back = false;
    std::thread waits([&] {
        id = gettid();
        sigev_aio_suspend(one.list, 1, nullptr);
        back = true;
    });
    BOOST_TEST(falls_asleep(id)); // a thread that is cancelled before it waits shows nothing
    BOOST_REQUIRE(pthread_cancel(waits.native_handle()) == 0);
    waits.join();
    BOOST_TEST(!back);
    std::thread again([&] { back = sigev_aio_suspend(one.list, 1, nullptr) == 0; }); // nothing is wedged
    one.end();
    again.join();
    BOOST_TEST(back);
}

namespace {

sigjmp_buf away;
volatile sig_atomic_t may_leave;

} // namespace

// Every few microseconds a handler leaves aio_suspend() by siglongjmp(). Then a request ends, and must be heard of.
BOOST_AUTO_TEST_CASE(suspend_is_left_ten_thousand_times, *sigev_tests::deadline(60)) {
    pending never;
    struct sigaction action{};
    action.sa_handler = [](int) {
        if (may_leave)
            siglongjmp(away, 1);
    };
    BOOST_REQUIRE(sigaction(SIGALRM, &action, nullptr) == 0);
    volatile int left = 0;
    // Again after a while: ThreadSanitizer keeps a signal back until a call that it knows of, and the wait is none.
    const itimerval soon{{0, 5000}, {0, 20}}, none{};
    while (left != 10'000) {
        if (sigsetjmp(away, 1) == 0) {
            may_leave = 1;
            setitimer(ITIMER_REAL, &soon, nullptr);
            sigev_aio_suspend(never.list, 1, nullptr);
            may_leave = 0;
        } else {
            may_leave = 0;
            left = left + 1;
        }
    }
    setitimer(ITIMER_REAL, &none, nullptr);
    pending last;
    std::thread ends([&] { (void)!write(last.pipe.write, "x", 1); });
    BOOST_TEST(sigev_aio_suspend(last.list, 1, &a_while) == 0);
    ends.join();
}

BOOST_AUTO_TEST_SUITE_END()
