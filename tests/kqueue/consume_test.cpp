// A post at the worst moment: after the list has been looked at, just before the descriptor is drained. The window
// is too short for chance to find, so this program has a syscall() of its own, through which the library reads (see
// sys/raw_io.hpp), that holds it open.
#include "fixture.hpp"

#include <array>
#include <atomic>
#include <cstdarg>
#include <dlfcn.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

using namespace kqueue_tests;

namespace {

/// Called before each read of the thread that has set it.
thread_local std::function<void()> before_read;

} // namespace

// Registers, all of them: what was not passed is not looked at, though AddressSanitizer would see it read.
[[gnu::no_sanitize_address]] long syscall(long number, ...) noexcept
{
    using function = long (*)(long, ...);
    static std::atomic<function> libc{nullptr};
    if (!libc)
        libc = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "syscall"));
    std::array<long, 6> a{};
    va_list rest;
    va_start(rest, number);
    for (long& argument : a)
        argument = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_read)
        if (auto call = std::exchange(before_read, nullptr)) {
            call();
            before_read = std::move(call);
        }
    return libc.load()(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

BOOST_FIXTURE_TEST_SUITE(consume, fixture)

BOOST_AUTO_TEST_CASE(a_post_just_before_the_drain_is_not_drained_with_it)
{
    constexpr std::size_t rounds = 20;
    spi::knote* const k = attach(SIGEV_SOURCE_USER, 1);
    std::vector<parcel> parcels_of_rounds(rounds);
    std::vector<std::thread> posters;
    std::atomic<std::size_t> posted{0};
    std::atomic<pid_t> tid{0};

    std::thread waiter([&] {
        before_read = [&] {
            const std::size_t round = posters.size();
            if (round == rounds)
                return;
            tid = 0;
            posters.emplace_back([&, round] {
                tid = ::gettid();
                all->post(*k, parcels_of_rounds[round]);
                ++posted;
            });
            // A kqueue that drains under its lock lets nobody in: then the poster sleeps, and its turn comes
            // afterwards.
            sigev_tests::wait_until([&] { return posted > round || (tid != 0 && asleep(tid)); });
        };
        sigev_kev event;
        while (all->kevent(kq, nullptr, 0, &event, 1, nullptr) == 1)
            ;
        before_read = nullptr;
    });
    parcel first;
    BOOST_TEST(all->post(*k, first));
    BOOST_TEST(sigev_tests::wait_until([&] { return parcels_of_rounds[rounds - 1].ended == 1; }));
    BOOST_TEST(all->close(kq) == 0);
    waiter.join();
    for (std::thread& t : posters)
        t.join();
    all->detach(k);
}

BOOST_AUTO_TEST_SUITE_END()
