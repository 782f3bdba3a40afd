// The 16-byte word, on the path of this run: instruction, or lock (the variant SIGEV_FORCE=noatomic16, and the program
// that is compiled without the instruction).
#include "sys/atomic16.hpp"

#include "support/support.hpp"
#include "sys/force.hpp"

#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <signal.h>

using sigev::sys::atomic16;
using sigev::sys::atomic16_is_lock_free;
using sigev::sys::pair64;
using namespace sigev_tests;

BOOST_TEST_DONT_PRINT_LOG_VALUE(sigev::sys::pair64)

namespace {

constexpr pair64 a{1, 2}, b{3, 4}, large{~0ull, ~0ull - 1};

/// As the kernel sees it; the library asks the processor.
bool processor_has_it()
{
#if defined(__x86_64__)
    std::ifstream lines("/proc/cpuinfo");
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("flags"))
            return (line + ' ').find(" cx16 ") != line.npos;
    return false;
#else
    return true;
#endif
}

#ifdef SIGEV_TESTS_WITHOUT_CX16
static_assert(!SIGEV_HAVE_CAS16);
#endif

struct prepared {
    prepared() { atomic16_is_lock_free(); }
};

atomic16* shared = nullptr;
std::atomic<std::uint64_t> handled{0};

/// lo and hi go up together, so a torn word or a lost step shows.
void step(atomic16& w)
{
    pair64 seen = w.load();
    while (!w.compare_exchange(seen, {seen.lo + 1, seen.hi + 3}))
        ;
}

void on_signal(int)
{
    step(*shared);
    handled.fetch_add(1);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(atomic16_word, prepared)

BOOST_AUTO_TEST_CASE(the_instruction_is_used_where_compiler_and_processor_have_it_unless_it_is_forced_off)
{
    BOOST_TEST(atomic16_is_lock_free() == (SIGEV_HAVE_CAS16 && processor_has_it() && !sigev::sys::forced("noatomic16")));
}

BOOST_AUTO_TEST_CASE(begins_as_zero)
{
    const atomic16 w;
    BOOST_TEST(w.load() == pair64());
    BOOST_TEST(w.load_low() == 0u);
}

BOOST_AUTO_TEST_CASE(exchange_returns_what_it_replaces)
{
    atomic16 w;
    BOOST_TEST(w.exchange(a) == pair64());
    BOOST_TEST(w.exchange(large) == a);
    BOOST_TEST(w.load() == large);
    BOOST_TEST(w.load_low() == large.lo);
    BOOST_TEST(w.guess() == large);
}

BOOST_AUTO_TEST_CASE(compare_exchange_takes_both_halves_into_account)
{
    atomic16 w;
    w.exchange(a);
    for (pair64 wrong : {pair64{a.lo, b.hi}, pair64{b.lo, a.hi}, b}) {
        BOOST_TEST(!w.compare_exchange(wrong, large));
        BOOST_TEST(wrong == a);
        BOOST_TEST(w.load() == a);
    }
    pair64 right = a;
    BOOST_TEST(w.compare_exchange(right, b));
    BOOST_TEST(right == a);
    BOOST_TEST(w.load() == b);
}

BOOST_AUTO_TEST_CASE(replace_takes_both_halves_into_account)
{
    atomic16 w;
    w.exchange(a);
    for (const pair64 wrong : {pair64{a.lo, b.hi}, pair64{b.lo, a.hi}, b}) {
        BOOST_TEST(!w.replace(wrong, large));
        BOOST_TEST(w.load() == a);
    }
    BOOST_TEST(w.replace(a, b));
    BOOST_TEST(w.load() == b);
}

BOOST_AUTO_TEST_CASE(errno_and_the_signal_mask_are_kept)
{
    sigset_t before, after, one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &one, &before);
    atomic16 w;
    errno = EDOM;
    w.exchange(a);
    w.load();
    BOOST_TEST(errno == EDOM);
    pthread_sigmask(SIG_SETMASK, &before, &after);
    BOOST_TEST(sigismember(&after, SIGUSR2) == 1);
    BOOST_TEST(sigismember(&after, SIGUSR1) == 0);
}

BOOST_AUTO_TEST_CASE(threads_do_not_lose_steps)
{
    constexpr std::uint64_t each = 20'000;
    atomic16 words[3]; // neighbours, which may share a lock
    std::atomic<bool> torn{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            for (std::uint64_t i = 0; i < each; ++i) {
                step(words[i % 3]);
                const pair64 seen = words[(i + 1) % 3].load();
                if (seen.hi != seen.lo * 3)
                    torn = true;
            }
        });
    for (auto& t : threads)
        t.join();
    BOOST_TEST(!torn);
    const std::uint64_t sum = words[0].load().lo + words[1].load().lo + words[2].load().lo;
    BOOST_TEST(sum == 3 * each);
}

BOOST_AUTO_TEST_CASE(who_only_reads_takes_back_no_half_that_its_owner_stores)
{
    constexpr std::uint64_t each = 100'000;
    atomic16 w;
    std::atomic<bool> stop{false};
    std::thread reader([&] {
        while (!stop)
            w.load();
    });
    std::uint64_t lost = 0;
    for (std::uint64_t i = 1; i <= each; ++i) {
        w.store_high(i);
        w.load();
        lost += w.load_high() != i;
    }
    stop = true;
    reader.join();
    BOOST_TEST(lost == 0u);
}

BOOST_AUTO_TEST_CASE(a_handler_may_interrupt_an_operation, *deadline(120))
{
    atomic16 w;
    shared = &w;
    handled = 0;
    struct sigaction action = {}, before;
    action.sa_handler = on_signal;
    sigaction(SIGUSR1, &action, &before);

    std::atomic<bool> stop{false};
    std::uint64_t stepped = 0;
    std::thread target([&] {
        for (; !stop; ++stepped)
            step(w);
    });
    std::uint64_t sent = 0;
    // Where both threads share a processor one signal arrives a turn, and on a busy machine turns are rare.
    const bool seen = wait_until(
        [&] { return pthread_kill(target.native_handle(), SIGUSR1), ++sent, handled >= 200; }, 6 * patience);
    stop = true;
    target.join();
    sigaction(SIGUSR1, &before, nullptr);
    BOOST_TEST(seen);
    const pair64 end = w.load();
    BOOST_TEST(end.lo == stepped + handled);
    BOOST_TEST(end.hi == 3 * end.lo);
}

BOOST_AUTO_TEST_CASE(a_child_is_not_held_up_by_a_lock_of_its_parents_threads)
{
    if (under_thread_sanitizer && atomic16_is_lock_free())
        skip("ThreadSanitizer's 16-byte exchange is a lock of its own, which a fork copies as it is");
    atomic16 words[64];
    std::atomic<bool> stop{false};
    std::thread busy([&] {
        for (std::size_t i = 0; !stop; ++i)
            step(words[i % 64]);
    });
    for (int i = 0; i < 50; ++i) {
        const auto end = child([&] {
            for (auto& w : words)
                w.exchange(a);
        });
        BOOST_TEST(end == exited_well);
    }
    stop = true;
    busy.join();
}

BOOST_AUTO_TEST_SUITE_END()
