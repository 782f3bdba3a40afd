#include "backends/aio/threads/engine.hpp"

#include "backends/aio/threads/transfer.hpp"
#include "sys/signal_block.hpp"

#include <cerrno>
#include <new>
#include <pthread.h>
#include <system_error>

namespace sigev::aio_threads {

/// This thread is in a call that may wait: another one may take its place.
class engine::blocking {
public:
    explicit blocking(engine& e) noexcept : engine_(e)
    {
        const std::lock_guard lock(engine_.mutex_);
        ++engine_.blocked_;
        if (engine_.queued_ > engine_.idle_)
            engine_.spawn_locked();
    }
    blocking(const blocking&) = delete;
    blocking& operator=(const blocking&) = delete;
    ~blocking()
    {
        const std::lock_guard lock(engine_.mutex_);
        --engine_.blocked_;
    }

private:
    engine& engine_;
};

engine::engine(spi::aio_sink& sink, const limits& l)
    : sink_(sink), limits_(l), waits_([this](spi::aio_work& work) { enqueue(work); })
{
}

engine::~engine()
{
    stop();
}

// ---- from outside -------------------------------------------------------------------------------------------------------

int engine::reserve(bool may_wait) noexcept
{
    const std::lock_guard lock(mutex_);
    if (threads_.size() <= blocked_ && !spawn_locked())
        return EAGAIN;
    return may_wait && !waits_.is_open() ? waits_.open() : 0;
}

void engine::start(spi::aio_work& work) noexcept
{
    work.readiness_seen = false;
    work.broken_off = false;
    work.result = 0;
    work.error = 0;
    enqueue(work);
}

void engine::stop() noexcept
{
    waits_.stop(); // what waits comes back into the queue, so the threads go last
    std::unique_lock lock(mutex_);
    stopping_ = true;
    more_.notify_all();
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

void engine::enqueue(spi::aio_work& work) noexcept
{
    const std::lock_guard lock(mutex_);
    work.next = nullptr;
    (last_ ? last_->next : first_) = &work;
    last_ = &work;
    // Idle threads that were notified and have not woken yet count as idle, and what they will take as queued.
    if (++queued_ <= idle_)
        more_.notify_one();
    else
        spawn_locked(); // if it cannot be made, those that exist serve this too
}

// ---- the threads ----------------------------------------------------------------------------------------------------------

bool engine::spawn_locked() noexcept
{
    join_left_locked();
    if (stopping_ || threads_.size() >= limits_.most_threads + blocked_)
        return false;
    try {
        const sys::signal_block block;
        const auto place = threads_.emplace(threads_.end());
        try {
            *place = std::thread([this, place] { run(place); });
            return true;
        } catch (const std::system_error&) {
            threads_.erase(place);
        }
    } catch (const std::bad_alloc&) {
    }
    return false;
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
    while (spi::aio_work* const work = next_work(self))
        if (serve(*work))
            sink_.done(*work);
}

// Null: this thread ends. During stop() it stays where it is in the list, for stop() to join it.
spi::aio_work* engine::next_work(std::list<std::thread>::iterator self) noexcept
{
    std::unique_lock lock(mutex_);
    while (!first_) {
        if (stopping_)
            return nullptr;
        ++idle_;
        const bool timed_out = more_.wait_for(lock, limits_.idle) == std::cv_status::timeout;
        --idle_;
        if (timed_out && !first_ && !stopping_ && threads_.size() > blocked_ + 1) {
            left_.splice(left_.end(), threads_, self);
            return nullptr;
        }
    }
    spi::aio_work* const work = first_;
    first_ = work->next;
    if (!first_)
        last_ = nullptr;
    --queued_;
    return work;
}

// True: it is over. False: it waits, or is in the queue again.
bool engine::serve(spi::aio_work& work) noexcept
{
    if (work.broken_off) {
        break_off(work);
        return true;
    }
    if (!work.may_wait) {
        perform(work);
        return true;
    }
    progress p = transfer_without_waiting(work);
    if (p == progress::must_block && work.readiness_seen) {
        const blocking here(*this);
        p = transfer_blocking(work);
    }
    return p == progress::finished || !wait_for(work);
}

bool engine::wait_for(spi::aio_work& work) noexcept
{
    work.readiness_seen = false;
    switch (waits_.add(work)) {
    case waits::added::waiting:
        return true;
    case waits::added::never_waits: // a device without the notion, which therefore does not wait either
        perform(work);
        return false;
    case waits::added::failed:
        if (work.broken_off)
            break_off(work);
        return false;
    }
    return false;
}

} // namespace sigev::aio_threads

namespace sigev::spi {

std::unique_ptr<aio_engine> make_thread_engine(aio_sink& sink)
{
    return std::make_unique<aio_threads::engine>(sink, aio_threads::engine::limits());
}

} // namespace sigev::spi
