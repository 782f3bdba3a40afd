// sigev::aio, the Asio I/O object, and sigev::aio_request.
#include <sigev/aio.hpp>
#include <sigev/aio_request.hpp>
#include <sigev/dispatcher.hpp>

#include "include/context.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

using namespace sigev_tests;
using namespace std::chrono_literals;
using sigev::aio;
using sigev::aio_request;
using sigev::target;

static_assert(std::is_nothrow_move_constructible_v<aio_request> && !std::is_copy_constructible_v<aio_request>);
static_assert(std::is_same_v<
              aio::rebind_executor<asio::io_context::executor_type>::other,
              sigev::basic_aio<asio::io_context::executor_type>>);

/// A file without a name.
class file {
public:
    explicit file(std::string_view content = {}) : fd(mkostemp(name_.data(), O_CLOEXEC))
    {
        BOOST_REQUIRE(fd >= 0);
        unlink(name_.data());
        BOOST_REQUIRE(pwrite(fd, content.data(), content.size(), 0) == ssize_t(content.size()));
    }
    ~file() { close(fd); }
    file(const file&) = delete;
    file& operator=(const file&) = delete;

private:
    std::string name_ = "/tmp/sigev_aio_test_XXXXXX";

public:
    const int fd;
};

struct pipe_pair {
    pipe_pair() { BOOST_REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0); }
    ~pipe_pair()
    {
        for (const int end : ends)
            close(end);
    }
    pipe_pair(const pipe_pair&) = delete;
    pipe_pair& operator=(const pipe_pair&) = delete;
    std::array<int, 2> ends{};
};

struct transfer : ending {
    std::size_t bytes = 0;
    auto handler()
    {
        return [this](error_code e, std::size_t n) {
            ++count;
            ec = e;
            bytes = n;
        };
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(aio_object)

BOOST_AUTO_TEST_CASE(reads_writes_and_syncs)
{
    asio::io_context io;
    aio a(io);
    const file f("0123456789");
    std::array<char, 4> block{};
    transfer read, write, at_end;
    ending sync, data_sync;
    a.async_read_at(f.fd, 2, asio::buffer(block), read.handler());
    BOOST_TEST(read.count == 0);
    BOOST_TEST(runs_out(io));
    BOOST_TEST(!read.ec);
    BOOST_TEST(read.bytes == 4u);
    BOOST_TEST(std::string_view(block.data(), 4) == "2345");

    a.async_write_at(f.fd, 8, asio::buffer("abcd", 4), write.handler());
    a.async_fsync(f.fd, O_SYNC, sync.handler());
    a.async_fsync(f.fd, O_DSYNC, data_sync.handler());
    BOOST_TEST(runs_out(io));
    BOOST_TEST(write.bytes == 4u);
    BOOST_TEST(sync.count + data_sync.count == 2);
    BOOST_TEST(!sync.ec);
    BOOST_TEST(!data_sync.ec);
    a.async_read_at(f.fd, 12, asio::buffer(block), at_end.handler());
    BOOST_TEST(runs_out(io));
    BOOST_TEST(!at_end.ec);
    BOOST_TEST(at_end.bytes == 0u);
}

BOOST_AUTO_TEST_CASE(errors_come_to_the_handler)
{
    asio::io_context io;
    aio a(io);
    std::array<char, 4> block{};
    transfer closed, negative;
    ending sync, nonsense;
    a.async_read_at(-1, 0, asio::buffer(block), closed.handler());
    a.async_fsync(-1, O_SYNC, sync.handler());
    const file f;
    a.async_fsync(f.fd, 4711, nonsense.handler());
    a.async_read_at(f.fd, std::uint64_t(-5), asio::buffer(block), negative.handler());
    BOOST_TEST(closed.count + sync.count + nonsense.count == 0);
    BOOST_TEST(runs_out(io));
    BOOST_TEST(closed.ec == asio::error::bad_descriptor);
    BOOST_TEST(sync.ec == asio::error::bad_descriptor);
    BOOST_TEST(nonsense.ec == asio::error::invalid_argument);
    BOOST_TEST(negative.ec == asio::error::invalid_argument);
}

BOOST_AUTO_TEST_CASE(tokens_and_executors)
{
    asio::io_context io;
    const file f("content");
    std::string text(7, '\0');
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            aio a(co_await asio::this_coro::executor);
            BOOST_TEST(co_await a.async_read_at(f.fd, 0, asio::buffer(text), asio::use_awaitable) == 7u);
            co_await a.async_fsync(f.fd, O_SYNC, asio::use_awaitable);
        },
        [](std::exception_ptr failure) { BOOST_TEST(!failure); });
    BOOST_TEST(runs_out(io));
    BOOST_TEST(text == "content");

    asio::thread_pool pool(2);
    BOOST_TEST(aio(pool).async_read_at(f.fd, 3, asio::buffer(text), asio::use_future).get() == 4u);

    std::atomic<bool> there{false};
    aio(io).async_read_at(f.fd, 0, asio::buffer(text), asio::bind_executor(pool, [&](error_code, std::size_t) {
                              there = pool.get_executor().running_in_this_thread();
                          }));
    io.restart();
    io.run();
    pool.join();
    BOOST_TEST(there);
}

BOOST_AUTO_TEST_CASE(many_at_once_on_a_context_run_by_two_threads)
{
    constexpr std::size_t blocks = 500;
    std::string content(blocks * 16, '\0');
    for (std::size_t i = 0; i != content.size(); ++i)
        content[i] = char('a' + i / 16 % 26);
    const file f(content);
    std::string text(content.size(), '\0');
    asio::io_context io;
    aio a(io);
    std::atomic<std::size_t> done{0}, bad{0};
    for (std::size_t i = 0; i != blocks; ++i)
        a.async_read_at(f.fd, i * 16, asio::buffer(&text[i * 16], 16), [&](error_code ec, std::size_t n) {
            bad += ec || n != 16;
            ++done;
        });
    {
        std::jthread second([&] { io.run(); });
        io.run();
    }
    BOOST_TEST(done == blocks);
    BOOST_TEST(bad == 0u);
    BOOST_TEST((text == content));
}

BOOST_AUTO_TEST_CASE(a_read_that_waits_is_cancelled_through_its_slot)
{
    asio::io_context io;
    aio a(io);
    const pipe_pair p;
    std::array<char, 4> block{};
    asio::cancellation_signal first, second;
    transfer cancelled, goes_on;
    a.async_read_at(p.ends[0], 0, asio::buffer(block), asio::bind_cancellation_slot(first.slot(), cancelled.handler()));
    a.async_read_at(p.ends[0], 0, asio::buffer(block), asio::bind_cancellation_slot(second.slot(), goes_on.handler()));
    poll(io);
    first.emit(asio::cancellation_type::total);
    BOOST_TEST(run_until(io, [&] { return cancelled.count == 1; }));
    BOOST_TEST(cancelled.ec == asio::error::operation_aborted);
    BOOST_TEST(goes_on.count == 0);
    BOOST_TEST(write(p.ends[1], "abc", 3) == 3);
    BOOST_TEST(run_until(io, [&] { return goes_on.count == 1; }));
    BOOST_TEST(goes_on.bytes == 3u);
    second.emit(asio::cancellation_type::terminal); // it is over: nothing happens
    first.emit(asio::cancellation_type::terminal);
    BOOST_TEST(runs_out(io));
}

BOOST_AUTO_TEST_CASE(context_ends_with_a_read_that_waits)
{
    const pipe_pair p;
    std::array<char, 4> block{};
    asio::cancellation_signal signal;
    {
        asio::io_context io;
        aio a(io);
        a.async_read_at(p.ends[0], 0, asio::buffer(block), asio::bind_cancellation_slot(signal.slot(), [](error_code, std::size_t) {
                            BOOST_ERROR("ran");
                        }));
    }
    signal.emit(asio::cancellation_type::total);
}

BOOST_AUTO_TEST_CASE(context_may_end_first)
{
    const file f(std::string(1 << 16, 'x'));
    auto life = std::make_shared<std::vector<char>>(1 << 16);
    const std::weak_ptr<void> watch = life;
    {
        asio::io_context io;
        aio a(io);
        auto& buffer = *life;
        a.async_read_at(f.fd, 0, asio::buffer(buffer), [life = std::move(life)](error_code, std::size_t) {
            BOOST_ERROR("ran");
        });
    }
    BOOST_TEST(watch.expired()); // and the engine was done with it
}

namespace {

/// A read that waits for data, in a parent that forks: what the child does reaches neither it nor its buffer.
struct forking_reader {
    asio::io_context io;
    aio a{io};
    pipe_pair p;
    std::array<char, 4> block{};
    transfer read;

    template <class Function>
    void fork(Function&& in_child)
    {
        a.async_read_at(p.ends[0], 0, asio::buffer(block), read.handler());
        poll(io);
        io.notify_fork(asio::execution_context::fork_prepare);
        BOOST_TEST(child(in_child) == exited_well);
        io.notify_fork(asio::execution_context::fork_parent);
        BOOST_TEST(read.count == 0);
        BOOST_TEST(write(p.ends[1], "abc", 3) == 3);
        BOOST_TEST(runs_out(io));
        BOOST_TEST(!read.ec);
        BOOST_TEST(read.bytes == 3u);
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(child_of_a_fork_that_was_not_told_is_refused, forking_reader)
{
    fork([&] {
        transfer refused;
        a.async_read_at(p.ends[0], 0, asio::buffer(block), refused.handler());
        poll(io);
        BOOST_TEST(refused.ec == asio::error::bad_descriptor);
    });
}

BOOST_FIXTURE_TEST_CASE(child_of_a_fork_has_no_requests_and_makes_its_own, forking_reader)
{
    need_threads_in_a_child();
    fork([&] {
        io.notify_fork(asio::execution_context::fork_child);
        BOOST_TEST(runs_out(io));
        BOOST_TEST(read.ec == asio::error::operation_aborted);
        const file f("mine");
        transfer own;
        a.async_read_at(f.fd, 0, asio::buffer(block), own.handler());
        BOOST_TEST(runs_out(io));
        BOOST_TEST(own.bytes == 4u);
        BOOST_TEST(sigev_shutdown() == 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(aio_request_object)

BOOST_AUTO_TEST_CASE(is_asked_when_nobody_is_told)
{
    const file f("0123456789");
    std::array<std::byte, 4> block{};
    aio_request r;
    BOOST_TEST(!r.error());
    r.start_read(f.fd, 6, block);
    BOOST_TEST(wait_until([&] { return !r.is_running(); }));
    BOOST_TEST(!r.error());
    BOOST_TEST(r.result() == 4u);
    BOOST_CHECK_THROW(r.result(), boost::system::system_error); // once
    BOOST_TEST(int(block[0]) == '6');

    aio_request moved(std::move(r));
    moved.start_write(f.fd, 0, block);
    BOOST_TEST(wait_until([&] { return !moved.is_running(); }));
    BOOST_TEST(moved.result() == 4u);
    moved.start_fsync(f.fd, O_DSYNC);
    BOOST_TEST(wait_until([&] { return !moved.is_running(); }));
    BOOST_TEST(moved.result() == 0u);
}

BOOST_AUTO_TEST_CASE(tells_its_target_on_the_runtime_and_on_a_dispatcher)
{
    const file f("0123456789");
    std::array<std::byte, 4> block{};
    sigev::kqueue queue;
    aio_request by_kevent(target::kevent(queue, 42));
    by_kevent.start_read(f.fd, 0, block);
    std::array<sigev_kev, 1> events{};
    BOOST_TEST(queue.wait(events, 10s) == 1u);
    BOOST_TEST(events[0].filter == EVFILT_AIO);
    BOOST_TEST(events[0].ident == reinterpret_cast<std::uintptr_t>(&by_kevent.native()));
    BOOST_TEST(by_kevent.result() == 4u);

    asio::io_context io;
    sigev::dispatcher here(io);
    std::int64_t bytes = 0;
    aio_request by_callback(
        here, target::callback([](sigval v) { *static_cast<std::int64_t*>(v.sival_ptr) = sigev::current()->data(); }, &bytes));
    by_callback.start_read(f.fd, 8, block);
    BOOST_TEST(run_until(io, [&] { return bytes != 0; }));
    BOOST_TEST(bytes == 2);
    BOOST_TEST(by_callback.result() == 2u);
}

BOOST_AUTO_TEST_CASE(one_at_a_time_and_waited_for)
{
    const pipe_pair p;
    std::array<std::byte, 4> block{};
    aio_request r;
    r.start_read(p.ends[0], 0, block);
    BOOST_TEST(r.is_running());
    BOOST_TEST(r.error() == asio::error::in_progress);
    BOOST_CHECK_THROW(r.start_read(p.ends[0], 0, block), boost::system::system_error);
    BOOST_CHECK_THROW(r.result(), boost::system::system_error);
    ssize_t written = 0;
    std::jthread writer([&] { written = write(p.ends[1], "x", 1); });
    r.wait();
    BOOST_TEST(int(block[0]) == 'x');
    writer.join();
    BOOST_TEST(written == 1);
}

BOOST_AUTO_TEST_CASE(is_cancelled_by_name_and_by_its_destructor)
{
    const pipe_pair p;
    std::array<std::byte, 4> block{};
    aio_request r;
    BOOST_TEST((r.cancel() == aio_request::outcome::was_over));
    r.start_read(p.ends[0], 0, block);
    BOOST_TEST(!r.wait_for(1ms));
    BOOST_TEST((r.cancel() == aio_request::outcome::cancelled));
    BOOST_TEST(r.error() == asio::error::operation_aborted);
    BOOST_TEST((r.cancel() == aio_request::outcome::was_over));
    r.start_read(p.ends[0], 0, block);
    r = aio_request(); // the block may go after this
    char byte = 0;
    BOOST_TEST(write(p.ends[1], "x", 1) == 1);
    BOOST_TEST(read(p.ends[0], &byte, 1) == 1);
}

BOOST_AUTO_TEST_CASE(errors)
{
    std::array<std::byte, 4> block{};
    aio_request bad_target(target::signal(12345));
    const file f("x");
    BOOST_CHECK_THROW(bad_target.start_read(f.fd, 0, block), boost::system::system_error);
    BOOST_TEST(!bad_target.is_running());
    aio_request r;
    r.start_read(-1, 0, block);
    BOOST_TEST(r.error() == asio::error::bad_descriptor);
    BOOST_CHECK_THROW(r.result(), boost::system::system_error);
    BOOST_CHECK_THROW(r.start_fsync(-1), boost::system::system_error);
}

BOOST_AUTO_TEST_SUITE_END()
