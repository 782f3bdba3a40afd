#include "backends/aio/threads/engine.hpp"

#include "backends/aio/threads/transfer.hpp"
#include "sys/clock.hpp"
#include "sys/futex.hpp"
#include "sys/signal_block.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <pthread.h>
#include <utility>

namespace sigev::aio_threads {

namespace {

constexpr std::size_t batch_length = 32;
constexpr std::size_t long_queue = 32; // for each thread that is at it

} // namespace

/// This thread is in a call that blocks: another one takes its place.
class engine::blocking {
public:
    blocking(engine& e, bool for_ever) noexcept : engine_(e), for_ever_(for_ever)
    {
        bool notify;
        {
            const std::lock_guard lock(engine_.mutex_);
            ++engine_.blocked_;
            engine_.for_ever_ += for_ever_;
            notify = engine_.call_help_locked();
        }
        if (notify)
            sys::futex_wake(engine_.bell_, 1);
    }
    blocking(const blocking&) = delete;
    blocking& operator=(const blocking&) = delete;
    ~blocking()
    {
        const std::lock_guard lock(engine_.mutex_);
        --engine_.blocked_;
        engine_.for_ever_ -= for_ever_;
    }

private:
    engine& engine_;
    const bool for_ever_;
};

engine::engine(spi::aio_sink& sink, const limits& l)
    : sink_(sink), limits_(l), most_busy_(std::max(2U, std::thread::hardware_concurrency()) - 1),
      waits_([this](spi::aio_work* list) { sink_.done(list); }, [this](spi::aio_work* work) { enqueue(*work); })
{
    waits_.leave_after(limits_.idle);
}

engine::~engine()
{
    stop();
}

// ---- from outside -------------------------------------------------------------------------------------------------------

void engine::choose(const spi::aio_limits& chosen) noexcept
{
    const std::lock_guard lock(mutex_);
    const limits own;
    limits_.most_threads = chosen.threads ? chosen.threads : own.most_threads;
    limits_.idle = chosen.idle_milliseconds ? std::chrono::milliseconds(chosen.idle_milliseconds) : own.idle;
    waits_.leave_after(limits_.idle);
}

int engine::open(spi::aio_channel& channel) noexcept
{
    {
        const std::lock_guard lock(mutex_);
        if (threads_.size() <= for_ever_ && !spawn_locked())
            return EAGAIN;
        channels_.fetch_add(1, std::memory_order_relaxed);
    }
    const int error = channel.may_wait ? waits_.open(channel) : 0;
    if (error)
        channels_.fetch_sub(1, std::memory_order_relaxed);
    return error;
}

void engine::close(spi::aio_channel& channel) noexcept
{
    waits_.close(channel);
    channels_.fetch_sub(1, std::memory_order_relaxed);
}

void engine::start(spi::aio_work& work) noexcept
{
    work.broken_off = false;
    work.error = 0;
    work.previous = work.next = nullptr;
    // Nothing to transfer is nothing to wait for.
    work.tried = work.may_wait() && work.length != 0 && !work.channel->ask_first;
    if (!work.tried)
        return enqueue(work);
    if (!waits_.add(work)) {
        work.broken_off = true;
        enqueue(work);
    }
}

bool engine::withdraw(spi::aio_work& work) noexcept
{
    {
        const std::lock_guard lock(mutex_);
        if (work.queued) {
            if (work.may_wait() && work.tried)
                return false; // its line is busy with it
            take_locked(work);
            return true;
        }
    }
    return work.may_wait() && waits_.withdraw(work);
}

void engine::stop() noexcept
{
    waits_.stop(); // what comes to its lines afterwards is broken off here, so the threads go last
    std::unique_lock lock(mutex_);
    stopping_ = true;
    bell_.fetch_add(1, std::memory_order_relaxed);
    sys::futex_wake(bell_);
    while (!threads_.empty() || !left_.empty()) {
        std::list<std::thread>& from = left_.empty() ? threads_ : left_;
        std::list<std::thread> one;
        one.splice(one.end(), from, from.begin());
        lock.unlock();
        one.front().join();
        lock.lock();
    }
}

std::size_t engine::threads() const noexcept
{
    const std::lock_guard lock(mutex_);
    return threads_.size();
}

// ---- the queue --------------------------------------------------------------------------------------------------------------

void engine::enqueue(spi::aio_work& work) noexcept
{
    bool notify;
    {
        const std::lock_guard lock(mutex_);
        work.queued = true;
        queue_.push_back(work);
        notify = call_help_locked();
    }
    if (notify)
        sys::futex_wake(bell_, 1);
}

void engine::take_locked(spi::aio_work& work) noexcept
{
    work.queued = false;
    queue_.take(work);
}

// True: notify one. If a thread is wanted and cannot be made, those that exist serve this too.
bool engine::call_help_locked() noexcept
{
    const std::size_t busy = threads_.size() - idle_ - blocked_ + called_;
    if (queue_.empty() || (busy != 0 && (busy >= most_busy_ || queue_.size() <= long_queue * busy)))
        return false;
    if (called_ < idle_) {
        ++called_;
        bell_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    spawn_locked();
    return false;
}

// ---- the threads ----------------------------------------------------------------------------------------------------------

bool engine::spawn_locked() noexcept
{
    join_left_locked();
    if (stopping_ || threads_.size() >= limits_.most_threads + for_ever_)
        return false;
    const sys::signal_block block;
    auto place = threads_.end();
    try {
        place = threads_.emplace(threads_.end());
        *place = std::thread([this, place] { run(place); });
        return true;
    } catch (const std::exception&) { // no thread; or no memory, for it or for its place
        if (place != threads_.end())
            threads_.erase(place);
        return false;
    }
}

// Those threads have let go of the mutex, and do nothing more but end.
void engine::join_left_locked() noexcept
{
    for (std::thread& thread : left_)
        thread.join();
    left_.clear();
}

void engine::run(std::list<std::thread>::iterator self) noexcept
{
    sys::take_mask_of_a_library_thread();
    ::pthread_setname_np(::pthread_self(), "sigev-aio");
    while (spi::aio_work* const batch = next_batch(self))
        serve(batch);
}

// Null: this thread ends. During stop() it stays where it is in the list, for stop() to join it.
spi::aio_work* engine::next_batch(std::list<std::thread>::iterator self) noexcept
{
    std::unique_lock lock(mutex_);
    while (queue_.empty()) {
        if (stopping_)
            return nullptr;
        ++idle_;
        const bool timed_out = sleep(lock);
        --idle_;
        if (called_ != 0)
            --called_; // the call was for this thread, or for another one that will find that it is not needed
        const std::size_t stay = channels_.load(std::memory_order_relaxed) != 0; // of those that return
        if (timed_out && queue_.empty() && !stopping_ && threads_.size() > for_ever_ + stay) {
            left_.splice(left_.end(), threads_, self);
            return nullptr;
        }
    }
    spi::aio_work* batch = nullptr;
    spi::aio_work** end = &batch;
    for (std::size_t n = 0; n != batch_length && !queue_.empty(); ++n) {
        spi::aio_work& work = *queue_.first();
        take_locked(work);
        *end = &work;
        end = &work.next;
    }
    return batch;
}

// True: nobody has called for as long as a thread stays.
bool engine::sleep(std::unique_lock<sys::brief_mutex>& lock) noexcept
{
    const std::uint32_t seen = bell_.load(std::memory_order_relaxed);
    const auto longest = static_cast<std::uint64_t>(std::chrono::nanoseconds(limits_.idle).count());
    const std::uint64_t until = sys::now(CLOCK_MONOTONIC) + longest;
    const timespec idle = sys::to_timespec(longest);
    lock.unlock();
    sys::futex_wait(bell_, seen, &idle);
    lock.lock();
    return bell_.load(std::memory_order_relaxed) == seen && sys::now(CLOCK_MONOTONIC) >= until;
}

void engine::put_back(spi::aio_work* batch) noexcept
{
    const std::lock_guard lock(mutex_);
    // The last of it first, so that the order is as it was.
    spi::aio_work* reversed = nullptr;
    while (batch) {
        spi::aio_work* const next = batch->next;
        batch->next = std::exchange(reversed, batch);
        batch = next;
    }
    while (reversed) {
        spi::aio_work* const next = reversed->next;
        reversed->queued = true;
        queue_.push_front(*reversed);
        reversed = next;
    }
}

void engine::serve(spi::aio_work* batch) noexcept
{
    spi::aio_work* over = nullptr;
    spi::aio_work** end = &over;
    while (batch) {
        spi::aio_work& work = *batch;
        batch = std::exchange(work.next, nullptr);
        if (work.broken_off)
            break_off(work);
        else if (work.may_wait() || !perform_without_waiting(work)) {
            // This may take its time: nobody is to wait for it who need not.
            if (batch)
                put_back(std::exchange(batch, nullptr));
            if (over)
                sink_.done(std::exchange(over, nullptr));
            end = &over;
            if (!block_for(work))
                return;
        }
        *end = &work;
        end = &work.next;
    }
    sink_.done(over);
}

// False: it waits again.
bool engine::block_for(spi::aio_work& work) noexcept
{
    if (!work.may_wait()) {
        const blocking here(*this, false);
        perform(work);
        return true;
    }
    if (!std::exchange(work.tried, true)) {
        const progress p = transfer_without_waiting(work);
        // What cannot be tried so (terminals) has nothing to say to no bytes. An empty datagram needs room as any other.
        if (p == progress::finished || (p == progress::must_block && work.length == 0))
            return true;
        if (waits_.add(work))
            return false;
        break_off(work);
        return true;
    }
    {
        const blocking here(*this, true);
        if (transfer_blocking(work) == progress::finished) {
            waits_.is_over(*work.channel, work);
            return true;
        }
    }
    if (waits_.come_back(work))
        return false;
    break_off(work);
    return true;
}

} // namespace sigev::aio_threads

namespace sigev::spi {

std::unique_ptr<aio_engine> make_thread_engine(aio_sink& sink)
{
    return std::make_unique<aio_threads::engine>(sink, aio_threads::engine::limits());
}

} // namespace sigev::spi
