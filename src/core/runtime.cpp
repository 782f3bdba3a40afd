#include "core/runtime.hpp"

#include "core/event_loop.hpp"
#include "core/registry.hpp"
#include "core/worker_main.h"
#include "sys/cpu_relax.hpp"
#include "sys/signal_block.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace sigev::core {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t default_reserved = 2; // one to lead while the other is in a callback
constexpr std::uint32_t most_workers = 256;   // per pool; beyond that calls wait their turn
constexpr auto stall_time = 500us;            // without a finished call while one is waiting: the workers are stuck
constexpr auto mend_time = 20ms;              // between attempts to make a worker that could not be made

void* start_worker(void* self)
{
    auto* w = static_cast<worker*>(self);
    w->owner->begin(*w);
    return sigev_worker_main(self);
}

} // namespace

std::atomic<std::chrono::nanoseconds> runtime::idle_time{10s};

runtime::runtime(registry& all) noexcept : registry_(all) {}

runtime::~runtime()
{
    stop();
}

bool runtime::is_of_this_process() const noexcept
{
    return registry_.epoch == sys::current_epoch();
}

// ---- start and stop -------------------------------------------------------------------------------------------------------

int runtime::start() noexcept
{
    if (started_.load(std::memory_order_acquire))
        return 0;
    std::lock_guard guard(start_mutex_);
    if (started_.load(std::memory_order_relaxed))
        return 0;
    try {
        if (!loop_)
            loop_ = std::make_unique<event_loop>(registry_);
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    } catch (const boost::system::system_error& e) {
        return e.code().value();
    }
    reactor& r = loop_->reactor();
    r.dispatcher().deliver_user_code_on(this);
    {
        const sys::signal_block blocked; // the thread inherits it: no handler of the program ever runs there
        scheduling_ = sys::scheduling_of_a_new_thread(-1, 0);
        service_tid_ = 0;
        if (::pthread_create(&service_, nullptr, service_main, this) != 0) {
            loop_.reset();
            return EAGAIN;
        }
    }
    {
        lock held(mutex_); // workers ask the kernel how it is scheduled
        service_waiting_.wait(held, [this] { return service_tid_ != 0; });
    }
    reactor_.store(&r, std::memory_order_release);
    started_.store(true, std::memory_order_release);
    return 0;
}

void runtime::stop() noexcept
{
    std::lock_guard guard(start_mutex_);
    if (!started_.load(std::memory_order_relaxed))
        return;
    {
        lock held(mutex_);
        stopping_ = true;
        service_waiting_.notify_all();
        for (auto& p : pools_)
            p->call_all();
        loop_->interrupt();
    }
    ::pthread_join(service_, nullptr);
    lock held(mutex_);
    for (std::size_t i = 0; i != pools_.size(); ++i) // a callback that still runs may bring another
        while (!pools_[i]->workers.empty()) { // each moves itself to left_
            pools_[i]->call_all();
            loop_->interrupt();
            service_waiting_.wait_for(held, 10ms);
        }
    await_left(held);
    held.unlock();
    reactor_.store(nullptr, std::memory_order_release);
    loop_.reset();
    started_.store(false, std::memory_order_release);
}

// Destructors of thread-specific data may block for ever: the service thread forgets what has ended, and waits for nothing.
void runtime::forget_ended() noexcept
{
    std::erase_if(left_, [](const auto& w) { return w->end.has_come(); });
}

// Nobody is told of the end of a detached thread. It is near, but for a destructor that takes its time.
void runtime::await_left(lock& held) noexcept
{
    for (timespec pause{0, 20'000}; forget_ended(), !left_.empty(); pause.tv_nsec = std::min(2 * pause.tv_nsec, 5'000'000L)) {
        held.unlock();
        ::clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
        held.lock();
    }
}

// ---- the service thread ---------------------------------------------------------------------------------------------------

void* runtime::service_main(void* self)
{
    sys::take_mask_of_a_library_thread();
    ::pthread_setname_np(::pthread_self(), "sigev-service");
    auto* r = static_cast<runtime*>(self);
    {
        const lock held(r->mutex_);
        r->service_tid_.store(static_cast<pid_t>(::syscall(SYS_gettid)), std::memory_order_relaxed);
        r->service_waiting_.notify_all();
    }
    r->serve();
    return nullptr;
}

void runtime::serve() noexcept
{
    lock held(mutex_);
    while (!stopping_) {
        pool* const crew = default_pool();
        if (leader_ == lead::nobody && (!crew || crew->idle == 0)) {
            lead_as_service(held);
        } else {
            // Nobody leads, but a worker is idle: it takes a call, or the lead.
            if (leader_ == lead::nobody)
                crew->call_one();
            if (deficit_)
                service_waiting_.wait_for(held, mend_time);
            else
                service_waiting_.wait(held);
        }
        if (deficit_) {
            deficit_ = false;
            for (auto& p : pools_)
                mend(*p);
        }
        forget_ended();
    }
}

// Leads once. While a call waits that no worker takes, not longer than it takes to tell that they are stuck; longer each time
// that no thread could be made.
void runtime::lead_as_service(lock& held) noexcept
{
    const pool* const before = default_pool();
    const bool watch = before && before->run_head;
    const std::uint64_t finished = before ? before->finished : 0;
    const bool mending = deficit_;
    leader_ = lead::service;
    leading_thread_ = ::pthread_self();
    held.unlock();
    if (watch)
        loop_->run_one_for(std::max<std::chrono::nanoseconds>(stall_, stall_time));
    else if (mending)
        loop_->run_one_for(mend_time);
    else
        loop_->run_one();
    held.lock();
    leader_ = lead::nobody;
    leader_is_called_ = false;
    pool* const crew = default_pool(); // may have come meanwhile
    const bool stuck = watch && crew->run_head && crew->idle == 0 && crew->finished == finished;
    if (stuck && crew->workers.size() < crew->limit && make_worker(*crew) != 0) {
        deficit_ = true;
        stall_ = std::min<std::chrono::nanoseconds>(std::max<std::chrono::nanoseconds>(2 * stall_, 2 * stall_time), mend_time);
    } else {
        stall_ = {};
    }
}

// What is missing in a pool is made up for.
void runtime::mend(pool& p) noexcept
{
    p.starved = p.starved && p.run_head && p.workers.size() < p.limit; // somebody else may have made it meanwhile
    while (p.workers.size() < p.reserved || p.starved) {
        if (make_worker(p) != 0) {
            deficit_ = true;
            return;
        }
        p.starved = false;
    }
}

// ---- pools and lanes --------------------------------------------------------------------------------------------------------

int runtime::find_pool(const spi::lane_threads& wanted, pool*& out)
{
    if (!wanted.attributes && !wanted.fresh && !pools_.empty() && is_plain_here(pools_.front()->key)) {
        out = pools_.front().get();
        return 0;
    }
    thread_key plain;
    pthread_attr_t fresh;
    if (const int error = ::pthread_attr_init(&fresh))
        return error;
    int error = read_key(fresh, plain);
    ::pthread_attr_destroy(&fresh);
    thread_key key = plain;
    if (!error && wanted.attributes)
        error = read_key(*wanted.attributes, key);
    if (error)
        return error;
    key.fresh = wanted.fresh;
    if (pools_.empty()) { // the default pool stands first
        pools_.push_back(std::make_unique<pool>());
        pools_.front()->key = plain;
        pools_.front()->key.scheduling = scheduling_;
        pools_.front()->is_default = true;
        pools_.front()->limit = most_workers;
        plain_.store(&pools_.front()->key, std::memory_order_release);
    }
    const auto found = std::find_if(pools_.begin(), pools_.end(), [&](const auto& p) { return p->key == key; });
    if (found != pools_.end()) {
        out = found->get();
    } else if (key.stack && std::any_of(pools_.begin(), pools_.end(), [&](const auto& p) { return p->key.stack == key.stack; })) {
        return EINVAL; // two pools on one stack would be two callbacks there
    } else {
        pools_.push_back(std::make_unique<pool>());
        out = pools_.back().get();
        out->key = key;
        out->limit = 0;
    }
    if (!out->is_default)
        out->limit = key.stack ? 1 : std::min(out->limit + std::min(wanted.concurrency, most_workers), most_workers);
    return 0;
}

bool runtime::are_calls_alike_here() const noexcept
{
    const thread_key* const key = plain_.load(std::memory_order_acquire);
    return key && is_plain_here(*key);
}

int runtime::open_lane(const spi::lane_call& call, const spi::lane_threads& wanted, spi::delivery_port& port,
                       spi::lane** out) noexcept
{
    if (const int error = start())
        return error;
    try {
        auto l = std::make_unique<spi::lane>();
        lock held(mutex_);
        pool* p = nullptr;
        if (const int error = find_pool(wanted, p))
            return error;
        l->call = call;
        l->port = &port;
        l->home = p;
        l->limit = p->key.stack ? 1 : std::max(wanted.concurrency, 1u);
        // The first worker is the reservation, and must exist; the second of the default pool only saves a hop.
        p->reserved = std::max(p->reserved, p->is_default ? default_reserved : 1u);
        while (p->workers.size() < p->reserved)
            if (const int error = make_worker(*p)) {
                if (!p->workers.empty()) {
                    deficit_ = true;
                    break;
                }
                if (p->lanes == 0)
                    p->reserved = 0;
                return error;
            }
        ++p->lanes;
        *out = l.release();
        return 0;
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
}

// A thread that is on its way out may still stand on the stack that the program has given for the pool's.
bool runtime::stack_is_in_use(const pool& p) noexcept
{
    forget_ended();
    return std::any_of(left_.begin(), left_.end(), [&p](const auto& w) { return w->home == &p; });
}

int runtime::make_worker(pool& p) noexcept
{
    if (stopping_ || (p.key.stack && stack_is_in_use(p)))
        return EAGAIN;
    pthread_attr_t attributes;
    if (const int error = ::pthread_attr_init(&attributes))
        return error;
    int error = write_key(p.key, attributes);
    if (!error) {
        try {
            auto w = std::make_unique<worker>();
            w->owner = this;
            w->home = &p;
            p.workers.reserve(p.workers.size() + 1);
            std::size_t all = left_.size() + 1;
            for (const auto& other : pools_)
                all += other->workers.size();
            left_.reserve(all); // so that leaving cannot fail
            const sys::signal_block blocked;
            pthread_t thread;
            error = ::pthread_create(&thread, &attributes, start_worker, w.get());
            if (!error)
                p.workers.push_back(std::move(w));
        } catch (const std::bad_alloc&) {
            error = ENOMEM;
        }
    }
    ::pthread_attr_destroy(&attributes);
    return error;
}

void runtime::close_lane(spi::lane* l) noexcept
{
    lock held(mutex_);
    if (--l->home->lanes == 0)
        l->home->reserved = 0; // its workers leave when they have been idle for a while
    l->closed = true;
    drop_if_done(*l);
}

// A worker that has just finished with the lane's last delivery may still be on its way out.
void runtime::drop_if_done(spi::lane& l) noexcept
{
    if (l.closed && l.active == 0)
        delete &l;
}

void runtime::enqueue(spi::lane& l, spi::delivery& first, spi::delivery& last) noexcept
{
    lock held(mutex_);
    l.push_back(first, last);
    schedule(l);
}

void runtime::enqueue_each(const spi::lane_delivery* list, unsigned n, bool more) noexcept
{
    const lock held = acquire();
    bool any = false;
    for (unsigned i = 0; i != n; ++i) {
        spi::lane& l = *list[i].to;
        l.push_back(*list[i].what, *list[i].what);
        if (!l.home->is_default) {
            schedule(l);
        } else if (l.runnable()) {
            l.home->queue(l);
            any = true;
        }
    }
    if (!any)
        return;
    pool& crew = *default_pool();
    if (more && leads_here())
        crew.call_one(); // who leads will be at it for a while
    else
        rouse(crew);
}

void runtime::resume(spi::lane& l) noexcept
{
    lock held(mutex_);
    if (!l.suspended) { // the worker that was refused has yet to put the delivery back
        l.resume_early = true;
        return;
    }
    l.suspended = false;
    schedule(l);
}

void runtime::withdraw(spi::lane& l) noexcept
{
    spi::delivery_port& port = *l.port; // the lane may go with the last delivery
    spi::delivery* list;
    {
        lock held(mutex_);
        if (l.queued)
            l.home->unqueue(l);
        list = l.head;
        l.head = l.tail = nullptr;
        l.suspended = false;
    }
    while (list) {
        spi::delivery& d = *list;
        list = d.next;
        port.drop(d);
    }
}

// The lock is held for less than a microsecond, and whoever sleeps for it takes fifty to come back.
runtime::lock runtime::acquire() noexcept
{
    constexpr unsigned looks = 64;
    lock held(mutex_, std::try_to_lock);
    for (unsigned i = 0; !held && i != looks; ++i) {
        sys::cpu_relax();
        (void)held.try_lock();
    }
    if (!held)
        held.lock();
    return held;
}

// On the runtime's loop, as a worker.
bool runtime::leads_here() const noexcept
{
    return leader_ == lead::worker && ::pthread_equal(leading_thread_, ::pthread_self());
}

void runtime::schedule(spi::lane& l) noexcept
{
    if (!l.runnable())
        return;
    l.home->queue(l);
    rouse(*l.home);
}

// A call waits. Whoever leads finds it when it comes out of the loop, which this thread does if it leads; otherwise an idle
// worker is woken, and if there is none, the leader is made to come out and look.
void runtime::rouse(pool& p) noexcept
{
    if (p.is_default && leads_here())
        return;
    if (p.idle != 0) {
        p.call_one();
    } else if (p.is_default) {
        if (leader_ != lead::nobody && !::pthread_equal(leading_thread_, ::pthread_self()))
            loop_->interrupt();
    } else if (p.workers.size() < p.limit && make_worker(p) != 0) {
        p.starved = true;
        deficit_ = true;
        call_service();
    }
}

void runtime::call_service() noexcept
{
    if (leader_ == lead::service)
        loop_->interrupt();
    else
        service_waiting_.notify_one();
}

} // namespace sigev::core
