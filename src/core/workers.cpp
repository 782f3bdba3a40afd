// The runtime's worker threads: how one comes to a call, leads the reactor meanwhile, and ends. See runtime.hpp.
#include "core/runtime.hpp"

#include "core/event_loop.hpp"
#include "core/registry.hpp"
#include "core/worker_main.h"
#include "sys/fork_epoch.hpp"
#include "sys/signal_block.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace sigev::core {

namespace {

using namespace std::chrono_literals;

// To wake a follower for each call costs more than most calls take, and is for nothing where the call is over before the
// follower has come. So where that is seen to happen the lead may be left alone instead (lead::absent), for a call of a lane
// whose last ones were all brief. Then a worker that rests, the *watcher*, looks up now and then: when no lead has been left
// since it last did, there is so little to do that it stops watching; when it finds a leader away, it looks again soon, and
// takes the lead of one that is still away for the same call. `absent` only while it rests: when it is called it takes the
// lead, or sees to it. So a call that was expected to be brief, and blocks, keeps the loop waiting for no longer than one look
// and the patience, once: its lane is not trusted again before it has earned it.
constexpr auto time_between_looks = 500us;
constexpr auto patience = 50us;              // with who is away: twice as long as a call may take that counts as brief
constexpr std::uint32_t brief_enough = 16;   // calls of a lane, one after the other
constexpr std::uint32_t in_vain_enough = 3;  // calls of followers, one soon after the other

} // namespace

// On the thread itself, before its first call. Who has made it may be scheduled in another way. What the process may not give
// any more is done without: a call is not lost for it.
void runtime::begin(worker& w) noexcept
{
    w.end.begin();
    sys::take_mask_of_a_library_thread();
    sys::scheduling wanted = w.home->key.scheduling, now;
    if (const pid_t service = service_tid_; w.home->is_default && service != 0)
        sys::read_scheduling(wanted, service); // where the whole program has been made nicer since
    if (wanted.size != 0 && sys::read_scheduling(now) && !are_alike(now, wanted))
        sys::take_scheduling(wanted);
    const bool like_service = are_alike(w.home->key.scheduling, scheduling_);
    w.environment.learn(worker_name, w.home->key.has_affinity ? nullptr : &service_tid_, like_service);
}

bool runtime::next(worker& w, sigev_worker_call& call) noexcept
{
    // No cancellation outside a callback: it is meant for the callback's thread, which begins with the next one.
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    pool& p = *w.home;
    lock held = acquire();
    come_back(w);
    if (w.over) {
        settle(w);
        if (w.spent || !p.is_default)
            reap_dead(p, held);
    }
    const auto now = [] { return std::chrono::steady_clock::now(); };
    std::chrono::steady_clock::time_point deadline{}; // begins when there is nothing to do
    bool looked = false; // for the dead
    if (w.spent) {
        replace(w);
        return false;
    }
    while (!stopping_) {
        // Left by the last call, by this thread's turn of the loop, or by the service thread's, which runs no hooks.
        if (p.is_default && !std::exchange(looked, true) && reap_dead(p, held))
            continue;
        if (p.run_head) {
            if (take_call(w, call, held))
                return true;
            continue;
        }
        looked = false;
        const bool leads = p.is_default && leader_ == lead::nobody;
        const bool stays = p.workers.size() <= p.reserved;
        if (!leads || !stays) // who leads and stays has no use for the time
            if (const auto time = now(); time >= deadline) {
                const bool has_been_idle = deadline.time_since_epoch().count() != 0;
                if (has_been_idle && !stays)
                    break;
                deadline = time + idle_time.load();
                if (has_been_idle) { // what keeps it may be what nobody uses any more
                    held.unlock();
                    registry_.commons().close_unused();
                    held.lock();
                    continue;
                }
            }
        if (leads) {
            leader_ = lead::worker;
            leading_thread_ = ::pthread_self();
            held.unlock();
            if (stays)
                loop_->run_one();
            else
                loop_->run_one_for(deadline - now());
            held.lock();
            leader_ = lead::nobody;
            leader_is_called_ = false;
            continue;
        }
        if (p.is_default && leader_ == lead::service)
            loop_->interrupt(); // the lead belongs to an idle worker: it saves the next callback a hop
        rest(w, held, deadline);
    }
    leave(w);
    return false;
}

// Until it is called, or it is time.
void runtime::rest(worker& w, lock& held, std::chrono::steady_clock::time_point until) noexcept
{
    pool& p = *w.home;
    p.rest(w);
    if (p.called_in_vain >= in_vain_enough && !p.watcher)
        watch(w, held);
    else
        w.waiting.wait_until(held, until);
    const bool was_called = !w.resting;
    p.rise(w);
    if (!was_called || stopping_)
        return;
    if (p.run_head || !p.is_default || leader_ == lead::nobody) {
        p.called_in_vain = 0;
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    p.called_in_vain = now - p.last_in_vain < time_between_looks ? p.called_in_vain + 1 : 1;
    p.last_in_vain = now;
}

void runtime::watch(worker& w, lock& held) noexcept
{
    pool& p = *w.home;
    p.watcher = &w;
    bool found_away = false;
    for (;;) {
        const std::uint64_t seen = p.lead_left;
        w.waiting.wait_for(held, found_away ? std::chrono::microseconds(patience) : time_between_looks);
        if (!w.resting || stopping_)
            break;
        const bool away = leader_ == lead::absent;
        if (p.lead_left == seen && (away || !found_away))
            break;
        found_away = away;
    }
    p.watcher = nullptr;
    p.called_in_vain = 0;
    if (leader_ == lead::absent) { // this thread's turn, now that nobody watches
        if (w.resting)
            left_for_->brief = 0;
        leader_ = lead::nobody;
    }
}

// A call is about to begin: is it enough that somebody watches?
bool runtime::may_leave_lead(const pool& p, const spi::lane& l) const noexcept
{
    return leader_ == lead::nobody && !p.run_head && l.brief >= brief_enough && p.watcher && p.watcher->resting;
}

void runtime::come_back(const worker& w) noexcept
{
    if (leader_ == lead::absent && absent_ == &w)
        leader_ = lead::nobody;
}

// The calls that are next come from another core, with all that they need. Each look asks for what the one of the next call
// reads, so it waits for nothing.
inline void runtime::fetch_ahead(const pool& p) noexcept
{
    const spi::lane* const first = p.run_head;
    if (!first || !first->next)
        return;
    if (const spi::delivery* const d = first->head)
        first->port->approaches(*d);
    const spi::lane& second = *first->next;
    __builtin_prefetch(second.head, 1);
    if (second.next)
        __builtin_prefetch(second.next, 1);
}

// One call, and not more: the rest stays where others find it.
bool runtime::take_call(worker& w, sigev_worker_call& call, lock& held) noexcept
{
    spi::lane& l = *w.home->unqueue();
    spi::delivery& d = *l.pop_front();
    ++l.active;
    if (l.runnable())
        w.home->queue(l);
    fetch_ahead(*w.home);
    if (w.home->is_default && may_leave_lead(*w.home, l)) {
        leader_ = lead::absent;
        absent_ = &w;
        left_for_ = &l;
        ++w.home->lead_left;
    } else if (w.home->is_default)
        hand_over_lead();
    else if (w.home->run_head)
        rouse(*w.home);
    held.unlock();
    if (!l.port->begin(d, w.notification)) {
        held.lock();
        come_back(w);
        --l.active;
        if (l.runnable())
            w.home->queue(l);
        drop_if_done(l);
        reap_dead(*w.home, held); // its refusal may have been the end
        return false;
    }
    w.lane = &l;
    w.delivery = &d;
    call.function = l.call.function;
    call.deliver = l.call.deliver;
    call.context = l.call.context;
    call.target = l.call.target;
    call.notification = &w.notification;
    call.has_counter = sys::ticks::are_there();
    call.called = call.returned = {};
    if (w.home->key.has_mask)
        ::pthread_sigmask(SIG_SETMASK, &w.home->key.mask, nullptr);
    errno = 0;
    ::pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, nullptr);
    ::pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
    return true;
}

// The hooks of what has ended are called as a callback is: while somebody else leads, and takes the calls. False: there is
// none.
bool runtime::reap_dead(pool& p, lock& held) noexcept
{
    if (!registry_.has_dead())
        return false;
    if (p.is_default)
        hand_over_lead();
    else if (p.run_head)
        rouse(p);
    held.unlock();
    registry_.reap_dead(true);
    held.lock();
    return true;
}

// This thread is about to run a callback, which may never come back: somebody else leads, and takes what is left.
void runtime::hand_over_lead() noexcept
{
    pool& crew = *default_pool();
    if (leader_ != lead::nobody && !crew.run_head)
        return;
    if (crew.idle != 0)
        crew.call_one();
    else if (leader_ == lead::nobody)
        service_waiting_.notify_one();
    else if (leader_ == lead::absent || !std::exchange(leader_is_called_, true))
        // A worker that leads takes the next call; the service thread watches, from now on, whether the workers are stuck.
        loop_->interrupt();
}

// call: it has returned; null: it has ended its thread.
void runtime::done(worker& w, spi::verdict v, const sigev_worker_call* call) noexcept
{
    sys::ticks called, returned;
    if (call) {
        called = {call->called.count, call->called.processor};
        returned = {call->returned.count, call->returned.processor};
    }
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    // As if the next callback had a new thread: what this one may have left behind goes.
    w.environment.restore_user_state();
    const bool as_it_was = !w.home->key.has_mask && call && sys::no_system_call_between(called, returned);
    w.spoiled = !as_it_was && !w.environment.restore_kernel_state();
    w.spent = w.spoiled || w.home->key.fresh;
    w.brief = call && sys::is_brief(called, returned);
    w.answer = v;
    w.again = w.lane->port->end(*w.delivery, v) ? w.delivery : nullptr;
    w.over = true;
    w.delivery = nullptr;
}

// Under the lock: what done() has found is told to the lane. By the same thread, which takes the lock next to look for a call,
// or to end.
void runtime::settle(worker& w) noexcept
{
    spi::lane& l = *w.lane;
    --l.active;
    ++w.home->finished;
    l.brief = w.brief ? l.brief + 1 : 0;
    if (w.again)
        l.push_front(*w.again);
    if (w.again && w.answer == spi::verdict::retry)
        l.suspended = !std::exchange(l.resume_early, false);
    if (l.runnable())
        w.home->queue(l); // this thread looks there next, or its successor
    drop_if_done(l);
    w.over = false;
    w.again = nullptr;
    w.lane = nullptr;
}

// The callback ended its thread. Destructors of thread-specific data have yet to run, so the thread is not joined here.
void runtime::gone(worker& w) noexcept
{
    if (w.delivery)
        done(w, spi::verdict::delivered, nullptr);
    lock held(mutex_);
    come_back(w); // or rather not: somebody else leads
    if (w.over) {
        settle(w);
        reap_dead(*w.home, held);
    }
    replace(w); // last: from here on the runtime may go
}

// Under the lock. Its successor is made now, if it can be; else it is tried again, for ever.
void runtime::replace(worker& w) noexcept
{
    pool& p = *w.home;
    leave(w);
    if (stopping_)
        return;
    if (w.spoiled || (p.workers.size() < p.reserved && make_worker(p) != 0))
        deficit_ = true;
    if (p.run_head) {
        if (!w.spoiled || p.is_default || p.idle != 0)
            rouse(p); // those that are there take the calls
        else
            p.starved = true;
    }
    call_service();
}

void runtime::leave(worker& w) noexcept
{
    auto& crew = w.home->workers;
    const auto self = std::find_if(crew.begin(), crew.end(), [&](const auto& other) { return other.get() == &w; });
    left_.push_back(std::move(*self)); // reserved when the worker was made
    crew.erase(self);
    service_waiting_.notify_one();
}

} // namespace sigev::core

// A callback that forked returns in the child too, where its thread is the only one and the runtime is a copy of the parent's
// that nobody may touch: there the thread ends, as a thread's start routine that returns would.
namespace {

sigev::core::worker* of_this_process(void* worker) noexcept
{
    auto* w = static_cast<sigev::core::worker*>(worker);
    return w->owner->is_of_this_process() ? w : nullptr;
}

} // namespace

int sigev_worker_next(void* worker, sigev_worker_call* call)
{
    auto* w = of_this_process(worker);
    return w && w->owner->next(*w, *call);
}

void sigev_worker_done(void* worker, int verdict, const sigev_worker_call* call)
{
    const bool known = verdict == SIGEV_DELIVERED || verdict == SIGEV_RETRY || verdict == SIGEV_GONE;
    if (auto* w = of_this_process(worker))
        w->owner->done(*w, known ? static_cast<sigev::spi::verdict>(verdict) : sigev::spi::verdict::delivered, call);
}

void sigev_worker_gone(void* worker)
{
    if (auto* w = of_this_process(worker))
        w->owner->gone(*w);
}
