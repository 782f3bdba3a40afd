// The runtime's loop by itself: how it sleeps, and that no post finds it deaf. Run once more with SIGEV_FORCE=noperpetual,
// over Asio's public API, and with pipes.
#include "core/event_loop.hpp"
#include "core/perpetual_watch.hpp"
#include "core/registry.hpp"
#include "event_raw_fixture.hpp"
#include "support/many.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <atomic>
#include <memory>
#include <thread>

#include <sys/epoll.h>
#include <unistd.h>

namespace {

using namespace sigev_tests;

/// What a loop's drain has to find: counted where the reactor reaps its sources.
class counting_source final : public core::reactor_source {
public:
    bool reap() noexcept override
    {
        seen = posted.load();
        ++reaps;
        return false;
    }
    unsigned descriptors(int* out) const noexcept override
    {
        *out = fd;
        return fd >= 0 ? 1 : 0;
    }
    std::uint64_t remaining() const noexcept override { return never; }
    void detach() noexcept override {}

    std::atomic<std::uint64_t> posted{0}, seen{0}, reaps{0};
    std::atomic<int> fd{-1};
};

/// A loop, with a thread that runs it for as long as it stands, or none.
class loop_fixture {
public:
    ~loop_fixture()
    {
        stop();
        loop.reset();
        if (source_descriptor >= 0)
            close(source_descriptor);
    }

    void start()
    {
        thread_ = std::thread([this] {
            while (!stopping_) {
                loop->run_one();
                ++turns;
            }
        });
    }
    void stop()
    {
        if (!thread_.joinable())
            return;
        stopping_ = true;
        loop->interrupt();
        thread_.join();
    }

    /// Somebody has written to the wakeup's descriptor since this was last asked: it is emptied, as no loop needs what is in
    /// it to know that it was told.
    bool written() const
    {
        int fd = -1;
        loop->reactor().descriptors(&fd, 1);
        char bytes[1024];
        return read(fd, bytes, sizeof bytes) > 0;
    }

    std::unique_ptr<core::event_loop> loop = std::make_unique<core::event_loop>(*core::registry::ensure());
    counting_source source;
    std::atomic<unsigned> turns{0};
    int source_descriptor = -1; ///< of a source: closed after the loop, as a source does

private:
    std::thread thread_;
    std::atomic<bool> stopping_{false};
};

} // namespace

BOOST_AUTO_TEST_SUITE(event_loop)

BOOST_FIXTURE_TEST_CASE(posts_to_a_loop_that_is_awake_write_nothing_and_are_found, loop_fixture)
{
    BOOST_REQUIRE(loop->reactor().attach(0, source));
    loop->interrupt();
    loop->run_one();
    static_cast<void>(written());
    ++source.posted;
    loop->reactor().wake(); // this thread runs the loop, and is not in it
    BOOST_TEST(!written());
    loop->run_one(); // would sleep for ever if it only looked at the descriptor
    BOOST_TEST(source.seen == 1u);
    BOOST_TEST(!written());
}

BOOST_FIXTURE_TEST_CASE(no_post_is_lost_however_the_loop_is_met, loop_fixture, *deadline(120))
{
    BOOST_REQUIRE(loop->reactor().attach(0, source));
    start();
    const std::uint64_t end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
    for (unsigned i = 0; sigev::sys::now(CLOCK_MONOTONIC) < end; ++i) {
        ++source.posted;
        loop->reactor().wake();
        if (i % 3 == 0)
            continue; // the next one finds it on its way back to sleep, or awake
        BOOST_REQUIRE(wait_until([&] { return source.seen == source.posted; }));
    }
    BOOST_TEST(wait_until([&] { return source.seen == source.posted; }));
    stop();
}

BOOST_FIXTURE_TEST_CASE(descriptor_of_a_source_that_comes_later_is_watched, loop_fixture)
{
    int ends[2];
    BOOST_REQUIRE(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    BOOST_REQUIRE(loop->reactor().attach(0, source));
    start();
    source.fd = ends[0];
    loop->reactor().wake();
    for (int i = 0; i != 100; ++i) {
        const std::uint64_t before = source.reaps;
        BOOST_REQUIRE(write(ends[1], "", 1) == 1);
        // Each write is an edge of its own, though nobody reads; the shell finds it readable again and again.
        BOOST_REQUIRE(wait_until([&] { return source.reaps > before; }));
    }
    stop();
    close(ends[1]);
    source_descriptor = ends[0];
}

BOOST_FIXTURE_TEST_CASE(loop_that_is_posted_to_without_end_hears_of_other_descriptors, loop_fixture)
{
    int ends[2];
    BOOST_REQUIRE(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    source.fd = ends[0];
    BOOST_REQUIRE(loop->reactor().attach(0, source));
    loop->interrupt();
    loop->run_one();
    bool heard = false;
    BOOST_REQUIRE(write(ends[1], "", 1) == 1);
    for (int i = 0; i != 1'000 && !heard; ++i) {
        loop->reactor().wake(); // so it never sleeps
        loop->run_one();
        heard = i > 0 && source.reaps > 1;
    }
    BOOST_TEST(heard);
    close(ends[1]);
    source_descriptor = ends[0];
}

BOOST_FIXTURE_TEST_CASE(looking_before_sleeping_finds_posts_and_descriptors_and_ends, loop_fixture)
{
    BOOST_REQUIRE(loop->reactor().attach(0, source));
    core::event_loop::spin = 2'000'000;
    start();
    for (many posts(1'000); posts.go_on();) {
        ++source.posted;
        loop->reactor().wake();
        BOOST_REQUIRE(wait_until([&] { return source.seen == source.posted; }));
    }
    // Nothing comes any more: the loop sleeps, so a post is written and makes it turn.
    const auto cpu = [] { return sigev::sys::now(CLOCK_PROCESS_CPUTIME_ID); };
    BOOST_TEST(wait_until([&] {
        const std::uint64_t before = cpu();
        const timespec pause{0, 20'000'000};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr); // the measure, not a wait: what the loop burns meanwhile
        return cpu() - before < 1'000'000;
    }));
    const unsigned before = turns;
    loop->reactor().wake();
    BOOST_TEST(wait_until([&] { return turns > before; }));
    stop();
    core::event_loop::spin = 0;
}

BOOST_FIXTURE_TEST_CASE(who_waits_with_a_limit_does_not_look_for_longer, loop_fixture)
{
    loop->run_one_for(std::chrono::milliseconds(1)); // awake from here on
    core::event_loop::spin = 20 * sigev::sys::nanoseconds_per_second;
    const std::uint64_t before = sigev::sys::now(CLOCK_MONOTONIC);
    loop->run_one_for(std::chrono::milliseconds(1));
    BOOST_TEST(sigev::sys::now(CLOCK_MONOTONIC) - before < 10 * sigev::sys::nanoseconds_per_second);
    core::event_loop::spin = 0;
}

// Who sleeps between two of them is woken for each.
BOOST_FIXTURE_TEST_CASE(after_a_request_the_next_one_is_awaited_for_a_moment_and_once, loop_fixture)
{
    core::registry& all = *core::registry::ensure();
    BOOST_REQUIRE(loop->reactor().attach(0, source));
    sigevent nobody{};
    nobody.sigev_notify = SIGEV_NONE;
    static std::atomic<int> over{0};
    core::subscription_spec spec;
    spec.event = &nobody;
    spec.source = SIGEV_SOURCE_AIO;
    spec.kind = core::raising::common;
    spec.on = &loop->reactor();
    spec.over = [](core::occasion&) noexcept { ++over; };
    core::occasion request;
    BOOST_REQUIRE(all.open(spec, request.owner) == 0);
    core::subscription& shared = *request.owner;
    loop->interrupt();
    loop->run_one(); // awake from here on
    // The moment is made long: it is counted from when the request was raised.
    const std::uint64_t later = sigev::sys::now(CLOCK_MONOTONIC) + 60 * sigev::sys::nanoseconds_per_second;
    loop->reactor().dispatcher().submit(request, 0, 0, static_cast<std::int64_t>(later));
    loop->run_one();
    BOOST_TEST(over == 1);
    static_cast<void>(written());

    std::thread waits([&] { loop->run_one(); });
    clockid_t clock;
    BOOST_REQUIRE(pthread_getcpuclockid(waits.native_handle(), &clock) == 0);
    BOOST_TEST(wait_until([&] { return sigev::sys::now(clock) > 5'000'000; })); // it looks, and does not sleep
    ++source.posted;
    loop->reactor().wake();
    waits.join();
    BOOST_TEST(source.seen == 1u);
    BOOST_TEST(!written());

    const std::uint64_t before = sigev::sys::now(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i != 4; ++i) // an edge that is heard only now ends one of them
        loop->run_one_for(std::chrono::milliseconds(50));
    BOOST_TEST(sigev::sys::now(CLOCK_THREAD_CPUTIME_ID) - before < 50'000'000u); // it sleeps
    shared.road.load()->cancel(shared);
    shared.generation.unpin();
    all.maybe_free(shared);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(perpetual_watch)

BOOST_AUTO_TEST_CASE(each_edge_is_told_once_without_reading)
{
    boost::asio::io_context context{1};
    const auto work = boost::asio::make_work_guard(context);
    const object event(SIGEV_EVENT_RAW_EVENTFD);
    unsigned edges = 0;
    {
        core::perpetual_watch watch(context);
        BOOST_REQUIRE(!watch.start(core::descriptor_of(*event), &edges,
                                   [](void* n) noexcept { ++*static_cast<unsigned*>(n); }));
        BOOST_TEST(context.poll() == 0u);
        for (unsigned i = 1; i != 5; ++i) {
            event.post();
            BOOST_TEST(context.poll() == 1u);
            BOOST_TEST(edges == i);
            BOOST_TEST(context.poll() == 0u); // it stays readable, and is not told again
            BOOST_TEST(core::take(*event));
        }
        BOOST_TEST(event.readable());
        event.post();
    }
    BOOST_TEST(context.poll() == 0u); // dropped
    BOOST_TEST(edges == 4u);
    core::perpetual_watch again(context);
    BOOST_REQUIRE(!again.start(core::descriptor_of(*event), &edges,
                               [](void* n) noexcept { ++*static_cast<unsigned*>(n); }));
    BOOST_TEST(context.poll() == 1u); // readable when it starts: an edge
    BOOST_TEST(edges == 5u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_watched_is_an_error_and_leaves_nothing)
{
    boost::asio::io_context context{1};
    const auto work = boost::asio::make_work_guard(context);
    const auto nothing = [](void*) noexcept {};
    core::perpetual_watch watch(context);
    BOOST_TEST(watch.start(-1, nullptr, nothing) == boost::system::errc::bad_file_descriptor);
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    BOOST_TEST(watch.start(file, nullptr, nothing) == boost::system::errc::operation_not_permitted);
    close(file);
    const object event;
    BOOST_TEST(!watch.start(core::descriptor_of(*event), nullptr, nothing));
}

BOOST_AUTO_TEST_SUITE_END()
