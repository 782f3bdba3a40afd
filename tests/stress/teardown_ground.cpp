#include "stress/teardown_ground.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sigev_tests::teardown {

const int arena::rt = SIGRTMIN + 6;

arena::arena(const teardown_options& o) : options(o), on(o.where)
{
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 512 << 10);
    sigev_method m{};
    m.size = sizeof m;
    m.name = "teardown";
    m.deliver = [](void*, void*, const sigev_notification* n) -> int {
        auto& l = *static_cast<life*>(n->value.sival_ptr);
        if (l.in->turns.fetch_add(1, std::memory_order_relaxed) % 5 == 0)
            return SIGEV_RETRY;
        begin(l);
        return SIGEV_DELIVERED;
    };
    method = sigev_method_register(&m);
    queue = sigev_kqueue();
    BOOST_REQUIRE((method > 0 && queue >= 0));
}

arena::~arena()
{
    pthread_attr_destroy(&attributes);
}

sigevent arena::event_for(life& l)
{
    sigevent e{};
    e.sigev_value.sival_ptr = &l;
    switch (l.what) {
    case signal:
        e.sigev_notify = SIGEV_SIGNAL;
        e.sigev_signo = rt;
        break;
    case thread_id:
        e.sigev_notify = SIGEV_THREAD_ID;
        e.sigev_signo = rt + 1;
        e.sigev_notify_thread_id = taker;
        break;
    case thread:
    case thread_of_its_own:
    case fresh_thread:
        e.sigev_notify = SIGEV_THREAD;
        e.sigev_notify_function = called;
        e.sigev_notify_attributes = l.what == thread_of_its_own ? &attributes : nullptr;
        break;
    case callback:
        e.sigev_notify = SIGEV_CALLBACK;
        e.sigev_notify_function = called;
        break;
    case kevent:
        e.sigev_notify = SIGEV_KEVENT;
        e.sigev_notify_kqueue = queue;
        e.sigev_notify_kevent_flags = EV_CLEAR;
        break;
    case user: e.sigev_notify = method; break;
    default: e.sigev_notify = SIGEV_NONE; break;
    }
    return e;
}

life* arena::new_life(dice& d, bool timer)
{
    auto* l = new life{this, static_cast<kind>(d.roll(kinds)), timer};
    if (timer && l->what == fresh_thread) // an option of subscriptions
        l->what = thread;
    return l;
}

std::uint64_t arena::open(life& l, dice& d)
{
    sigevent e = event_for(l);
    ++opened;
    if (l.timer) {
        timer_t t{};
        sigev_timer_options o{};
        o.size = sizeof o;
        o.reactor = on.reactor();
        // The kernel's own signals are in no ledger; what it only keeps the time of goes the way of all others.
        o.engine = l.what == signal || l.what == thread_id || d.roll(3) ? SIGEV_ENGINE_HEAP : SIGEV_ENGINE_KERNEL;
        if (sigev_timer_create_with(&o, d.roll(2) ? CLOCK_MONOTONIC : CLOCK_REALTIME, &e, &t) == 0)
            return bits(t);
    } else {
        auto o = make_options(on, 1 + static_cast<std::uint32_t>(d.roll(3)));
        if (d.roll(2))
            o.flags |= SIGEV_REFUSE_WHEN_FULL;
        if (l.what == fresh_thread)
            o.flags |= SIGEV_FRESH_THREAD;
        sigev_t s = 0;
        if (sigev_open(&e, 1 + static_cast<std::uint32_t>(d.roll(4)), &o, &s) == 0)
            return s;
    }
    ++wrong;
    return empty;
}

void arena::close(std::uint64_t handle, life& l)
{
    if (l.timer)
        wrong += sigev_timer_delete_wait(timer_of(handle)) != 0;
    else
        wrong += (sigev_cancel_and_wait(handle) != 0) + (sigev_close(handle) != 0);
}

void arena::bury(std::unique_ptr<life> l, graves& g)
{
    l->mark = life::is_dead;
    if (!under_address_sanitizer)
        g.push_back(std::move(l));
}

bool arena::take_signals()
{
    bool any = false;
    while (const auto info = blocked.take(0)) {
        any = true;
        ++signals[static_cast<std::size_t>(info->si_signo - rt)];
    }
    return any;
}

bool arena::take()
{
    bool any = take_signals();
    std::array<sigev_kev, 16> events{};
    const timespec at_once{};
    for (int n; (n = sigev_kevent(queue, nullptr, 0, events.data(), static_cast<int>(events.size()), &at_once)) > 0;)
        for (int i = 0; i != n; ++i) {
            const auto& e = events[static_cast<std::size_t>(i)];
            const bool timer = e.filter == EVFILT_TIMER;
            any = true;
            ++calls[timer][kevent];
            if (timer)
                told_by_events += static_cast<std::uint64_t>(e.data);
        }
    return any;
}

void arena::check(int result, std::initializer_list<int> allowed)
{
    if (result == 0)
        return;
    ++refused;
    wrong += std::find(allowed.begin(), allowed.end(), errno) == allowed.end();
}

void arena::note(std::string what)
{
    const std::lock_guard lock(mutex);
    if (first_note.empty())
        first_note = std::move(what);
}

} // namespace sigev_tests::teardown
