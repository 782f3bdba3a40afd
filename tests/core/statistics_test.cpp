// What is counted for `sigev run --stats`: by many at once, in a child, and where there is no room.
#include "core/statistics.hpp"

#include "core/registry.hpp"
#include "sources/aio.hpp"
#include "support/support.hpp"
#include "sys/clock.hpp"

#include <fcntl.h>
#include <iterator>
#include <poll.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace sigev;
using namespace sigev_tests;
namespace statistics = core::statistics;
using sys::statistics::page;

namespace {

/// As the command maps it: a child sees what it is in, and it is seen what a child has counted.
page& shared_page()
{
    void* const memory = ::mmap(nullptr, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    BOOST_REQUIRE(memory != MAP_FAILED);
    return *static_cast<page*>(memory);
}

/// Over all rows of that image (from 1), source and method.
std::uint64_t sum(const page& p, std::uint32_t image, int source, int notify, sys::statistics::number sys::statistics::row::*what)
{
    std::uint64_t all = 0;
    for (const auto& r : p.rows)
        if (r.image == image && r.source == static_cast<unsigned>(source) && r.kind == sys::statistics::kind_of(notify))
            all += r.*what;
    return all;
}

std::uint64_t made(const page& p, std::uint32_t image)
{
    return sum(p, image, SIGEV_SOURCE_TIMER, SIGEV_THREAD, &sys::statistics::row::created);
}

void make_timer()
{
    statistics::created(SIGEV_SOURCE_TIMER, SIGEV_THREAD);
}

} // namespace

BOOST_AUTO_TEST_SUITE(statistics_page)

BOOST_AUTO_TEST_CASE(many_who_count_at_once_lose_nothing)
{
    page& p = shared_page();
    statistics::share(p);
    constexpr int threads = 4, rounds = 5000;
    gate start;
    std::vector<std::thread> all;
    for (int i = 0; i != threads; ++i)
        all.emplace_back([&] {
            if (start.wait())
                for (int n = 0; n != rounds; ++n) {
                    make_timer();
                    statistics::request_over(nullptr, 1);
                }
        });
    start.open();
    for (std::thread& t : all)
        t.join();
    BOOST_TEST(made(p, 1) == threads * rounds);
    using row = sys::statistics::row;
    for (auto what : {&row::raised, &row::delivered})
        BOOST_TEST(sum(p, 1, SIGEV_SOURCE_AIO, SIGEV_NONE, what) == threads * rounds);
    std::uint64_t took = 0;
    for (const row& r : p.rows)
        for (const auto& n : r.took)
            took += n;
    BOOST_TEST(took == threads * rounds);
    BOOST_TEST(p.images_taken == 1u);
    BOOST_TEST(p.rows_taken <= 2u * threads);
}

BOOST_AUTO_TEST_CASE(a_child_counts_for_itself_from_its_first_use_on)
{
    page& p = shared_page();
    statistics::share(p);
    make_timer();
    const auto end = child([] {
        make_timer(); // nothing is the child's yet
        if (!core::registry::ensure())
            return 1;
        make_timer();
        make_timer();
        return 0;
    });
    BOOST_TEST(end.code == 0);
    make_timer();
    BOOST_TEST(p.images_taken == 2u);
    BOOST_TEST(made(p, 1) == 2u);
    BOOST_TEST(made(p, 2) == 2u);
    BOOST_TEST(p.images[1].forked == 1u);
    BOOST_TEST(p.images[1].parent == ::getpid());
}

BOOST_AUTO_TEST_CASE(what_has_no_room_is_counted_nowhere)
{
    page& p = shared_page();
    p.rows_taken = static_cast<std::uint32_t>(p.rows.size()) - 1;
    p.accounts_taken = static_cast<std::uint32_t>(p.accounts.size());
    statistics::share(p);
    make_timer(); // the last row
    statistics::created(SIGEV_SOURCE_AIO, SIGEV_NONE);
    statistics::request_over(nullptr, 1);
    statistics::kernel_timer_ended(SIGEV_SIGNAL, 5, nullptr, 1);
    BOOST_TEST(statistics::take_account() == nullptr);
    BOOST_TEST(made(p, 1) == 1u);
    BOOST_TEST(p.rows_taken > p.rows.size()); // and who reads it knows
    BOOST_TEST(p.accounts_taken > p.accounts.size());
}

BOOST_AUTO_TEST_CASE(an_image_without_room_has_no_rows)
{
    page& p = shared_page();
    p.images_taken = static_cast<std::uint32_t>(p.images.size());
    statistics::share(p);
    make_timer();
    BOOST_TEST(p.images_taken > p.images.size());
    BOOST_TEST(p.rows_taken == 0u);
}

// A delete that is late finds the books the next timer's.
BOOST_AUTO_TEST_CASE(books_are_closed_by_their_owner_alone)
{
    page& p = shared_page();
    statistics::share(p);
    sys::statistics::account* const books = statistics::take_account();
    BOOST_REQUIRE(books != nullptr);
    statistics::open_account(*books, SIGEV_SIGNAL, 3);
    const std::uint32_t first = books->owner;
    BOOST_TEST(sys::statistics::row_of_owner(first) != 0u);
    statistics::open_account(*books, SIGEV_SIGNAL, 5);
    const std::uint32_t second = books->owner;
    BOOST_TEST(second != first);
    statistics::kernel_timer_ended(SIGEV_SIGNAL, 7, books, 3);
    BOOST_TEST(books->owner == second);
    statistics::kernel_timer_ended(SIGEV_SIGNAL, 8, books, 5);
    BOOST_TEST(books->owner == 0u);
    BOOST_TEST(sum(p, 1, SIGEV_SOURCE_TIMER, SIGEV_SIGNAL, &sys::statistics::row::kernel_raised) == 15u);
}

// Otherwise nobody asks for the time when a kevent is posted or retrieved.
BOOST_AUTO_TEST_CASE(a_request_that_waits_in_a_kqueue_is_late)
{
    page& p = shared_page();
    statistics::share(p);
    core::registry* const all = core::registry::ensure();
    BOOST_REQUIRE(all);
    const int queue = all->kqueues().open();
    BOOST_REQUIRE(queue >= 0);
    char byte;
    aiocb cb{};
    cb.aio_fildes = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    cb.aio_buf = &byte;
    cb.aio_nbytes = 1;
    cb.aio_sigevent.sigev_notify = SIGEV_KEVENT;
    cb.aio_sigevent.sigev_notify_kqueue = queue;
    cb.aio_sigevent.sigev_notify_kevent_flags = EV_ONESHOT;
    BOOST_REQUIRE(sources::aio_source::ensure()->submit({}, cb) == 0);
    pollfd readable{queue, POLLIN, 0};
    BOOST_REQUIRE(::poll(&readable, 1, 60'000) == 1);
    constexpr std::int64_t wait = 5'000'000;
    for (const std::uint64_t posted = sys::now(CLOCK_MONOTONIC); sys::now(CLOCK_MONOTONIC) - posted < wait;)
        ;
    sigev_kev event;
    BOOST_REQUIRE(all->kqueues().kevent(queue, nullptr, 0, &event, 1, nullptr) == 1);
    std::uint64_t late = 0, other = 0;
    for (const auto& r : p.rows)
        for (std::size_t i = 0; i != std::size(r.late); ++i)
            (i >= static_cast<std::size_t>(sys::statistics::bucket_of(wait)) ? late : other) += r.late[i];
    BOOST_TEST(late == 1u);
    BOOST_TEST(other == 0u);
    ::close(cb.aio_fildes);
    core::registry::shutdown();
}

BOOST_AUTO_TEST_SUITE_END()
