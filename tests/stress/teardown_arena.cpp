#include "stress/teardown_arena.hpp"

#include "support/stress.hpp"

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace sigev_tests {

namespace {

constexpr unsigned crew = 8;
constexpr unsigned shared = 24; // a third of them timers
constexpr std::uint64_t round_nanoseconds = 40'000'000;
constexpr std::uint64_t empty = 0, in_work = 1; // in a place; no handle is that small
const int rt = SIGRTMIN + 6;

enum kind : unsigned { none, signal, thread_id, thread, thread_of_its_own, fresh_thread, callback, kevent, user, kinds };

struct arena;

/// What the callbacks of one subscription use.
struct life {
    static constexpr std::uint32_t is_alive = 0x11fe11fe, is_dead = 0xdeadbeef;

    arena* in;
    kind what;
    bool timer;
    std::atomic<std::uint32_t> mark{is_alive};
    std::atomic<std::uint64_t> calls{0};
};

/// A subscription or timer that all may use: its handle, which one thread at a time may take out for good.
struct alignas(64) place_of_one {
    std::atomic<std::uint64_t> handle{empty};
    life* of = nullptr; ///< of who has taken the handle out
};

std::uint64_t nanoseconds_now()
{
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

std::uint64_t bits(timer_t t)
{
    return reinterpret_cast<std::uint64_t>(t);
}
timer_t timer_of(std::uint64_t handle)
{
    return reinterpret_cast<timer_t>(handle);
}

struct arena {
    explicit arena(const teardown_options& o) : options(o), on(o.where)
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
    ~arena() { pthread_attr_destroy(&attributes); }

    // ---- what callbacks do ----------------------------------------------------------------------------------------------------

    /// The account of a call that begins.
    static void begin(life& l)
    {
        arena& a = *l.in;
        a.late += l.mark != life::is_alive;
        ++l.calls;
        ++a.calls[l.timer][l.what];
        if (l.timer)
            a.told += static_cast<std::uint64_t>(sigev_current()->data);
    }

    static void called(sigval v)
    {
        auto& l = *static_cast<life*>(v.sival_ptr);
        arena& a = *l.in;
        begin(l);
        const std::uint64_t turn = a.turns.fetch_add(1, std::memory_order_relaxed);
        dice d(turn);
        switch (d.roll(24)) {
        case 0: a.submit(d); break;
        case 1: a.settime(d); break;
        case 2: a.cancel(d); break;
        case 3: // its own, or one whose callback does the same
            ++a.waits_inside;
            a.cancel_and_wait(d);
            break;
        case 4: sched_yield(); break;
        case 5:
            if (l.what != callback) {
                ++a.exits;
                a.late += l.mark != life::is_alive;
                pthread_exit(nullptr);
            }
            break;
        default: break;
        }
        a.late += l.mark != life::is_alive;
    }

    // ---- what everybody does ----------------------------------------------------------------------------------------------------

    sigevent event_for(life& l)
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

    life* new_life(dice& d, bool timer)
    {
        auto* l = new life{this, static_cast<kind>(d.roll(kinds)), timer};
        if (timer && l->what == fresh_thread) // an option of subscriptions
            l->what = thread;
        return l;
    }

    std::uint64_t open(life& l, dice& d)
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

    /// Waits until nothing of it runs, and gives it up: from here on nobody may touch its life.
    void close(std::uint64_t handle, life& l)
    {
        if (l.timer)
            wrong += sigev_timer_delete_wait(timer_of(handle)) != 0;
        else
            wrong += (sigev_cancel_and_wait(handle) != 0) + (sigev_close(handle) != 0);
    }

    void arm(dice& d)
    {
        const auto n = d.roll(shared);
        place_of_one& p = places[n];
        std::uint64_t was = empty;
        if (!p.handle.compare_exchange_strong(was, in_work))
            return;
        life* const l = new_life(d, n % 3 == 0);
        const std::uint64_t handle = open(*l, d);
        if (handle == empty)
            delete l;
        p.of = l;
        p.handle = handle;
    }

    void free(dice& d, std::deque<std::unique_ptr<life>>& kept)
    {
        place_of_one& p = places[d.roll(shared)];
        std::uint64_t was = p.handle;
        if (was <= in_work || !p.handle.compare_exchange_strong(was, in_work))
            return;
        std::unique_ptr<life> l(p.of);
        close(was, *l);
        p.handle = empty;
        l->mark = life::is_dead;
        ++freed;
        if (!under_address_sanitizer)
            kept.push_back(std::move(l));
        if (kept.size() > 256)
            kept.pop_front();
    }

    /// A handle of the shared ones; it may end at any moment.
    std::uint64_t one(dice& d, bool timer)
    {
        const auto third = d.roll(shared / 3) * 3;
        return places[timer ? third : third + 1 + d.roll(2)].handle;
    }

    void check(int result, std::initializer_list<int> allowed)
    {
        if (result == 0)
            return;
        ++refused;
        wrong += std::find(allowed.begin(), allowed.end(), errno) == allowed.end();
    }

    void submit(dice& d) { submit_to(one(d, false)); }
    void submit_to(std::uint64_t handle)
    {
        if (handle <= in_work)
            return;
        const int result = sigev_submit(handle, 1, 0);
        submits += result == 0;
        check(result, {EINVAL, ECANCELED, EAGAIN});
    }

    void settime(dice& d)
    {
        if (const auto handle = one(d, true); handle > in_work) {
            itimerspec value{};
            value.it_value.tv_nsec = static_cast<long>(d.roll(4) ? 1 + d.roll(200'000) : 0);
            value.it_interval.tv_nsec = static_cast<long>(d.roll(3) ? 0 : 20'000 + d.roll(100'000));
            itimerspec old{};
            ++settimes;
            check(sigev_timer_settime(timer_of(handle), 0, &value, &old), {EINVAL});
            check(sigev_timer_gettime(timer_of(handle), &value), {EINVAL});
            check(sigev_timer_getoverrun(timer_of(handle)) < 0 ? -1 : 0, {EINVAL});
        }
    }

    void cancel(dice& d)
    {
        if (const auto handle = one(d, false); handle > in_work)
            check(sigev_cancel(handle), {EINVAL});
    }

    void cancel_and_wait(dice& d)
    {
        if (const auto handle = one(d, false); handle > in_work)
            check(sigev_cancel_and_wait(handle), {EINVAL});
    }

    /// Whatever it was: its place may have another by now, and it is not that one.
    void use_stale(std::uint64_t handle, bool timer)
    {
        if (handle <= in_work)
            return;
        ++stale;
        sigev_ledger l{};
        if (timer) {
            check(sigev_timer_ledger(timer_of(handle), &l), {EINVAL});
            check(sigev_timer_gettime(timer_of(handle), std::make_unique<itimerspec>().get()), {EINVAL});
        } else {
            check(sigev_ledger_read(handle, &l), {EINVAL});
            submit_to(handle);
        }
    }

    void note(std::string what)
    {
        const std::lock_guard lock(mutex);
        if (first_note.empty())
            first_note = std::move(what);
    }

    /// From its beginning to its end by this thread: the account must be right at once.
    void live_alone(dice& d, std::deque<std::unique_ptr<life>>& kept)
    {
        std::unique_ptr<life> l(new_life(d, false));
        const std::uint64_t handle = open(*l, d);
        if (handle == empty)
            return;
        std::uint64_t accepted = 0;
        for (auto n = d.roll(6); n != 0; --n) {
            const int result = sigev_submit(handle, 1, 0);
            accepted += result == 0;
            check(result, {EAGAIN});
        }
        submits += accepted;
        for (auto n = d.roll(3); n != 0; --n)
            sched_yield();
        sigev_ledger now{};
        wrong += sigev_cancel_and_wait(handle) != 0 || sigev_ledger_read(handle, &now) != 0;
        const bool is_called = l->what >= thread && l->what != kevent;
        const std::uint64_t calls_then = l->calls;
        bool good = !is_called || now.delivered == calls_then;
        // What did not begin may be in the hands of a drain that is under way, and is discarded by it or the next.
        good &= on.until([&] { return sigev_ledger_read(handle, &now) == 0 && now.pending == 0 && adds_up(now); });
        good &= now.raised == accepted && l->calls == calls_then && (!is_called || now.delivered == calls_then);
        if (!good)
            note("alone, method " + std::to_string(l->what) + ": " + std::to_string(accepted) + " accepted, " +
                 std::to_string(calls_then) + " calls, " + text(now));
        wrong += sigev_close(handle) != 0;
        l->mark = life::is_dead;
        ++alone;
        if (!under_address_sanitizer)
            kept.push_back(std::move(l));
    }

    void work(unsigned number)
    {
        std::deque<std::unique_ptr<life>> kept;
        std::uint64_t old = empty;
        bool old_is_timer = false;
        dice d(seed * crew + number);
        while (!over) {
            switch (d.roll(16)) {
            case 0:
            case 1: arm(d); break;
            case 2:
            case 3:
            case 4:
            case 5:
            case 6: submit(d); break;
            case 7:
            case 8: settime(d); break;
            case 9: cancel(d); break;
            case 10: cancel_and_wait(d); break;
            case 11:
            case 12: free(d, kept); break;
            case 13: use_stale(old, old_is_timer); break;
            case 14:
                old_is_timer = d.roll(2);
                old = one(d, old_is_timer);
                break;
            default: live_alone(d, kept); break;
            }
            if (on.is_borrowed() && number < 2)
                on.turn(0);
        }
        const std::lock_guard lock(mutex);
        for (auto& l : kept)
            graves.push_back(std::move(l)); // until the library has been ended
    }

    /// What is queued and posted is taken, as a program would.
    bool take()
    {
        bool any = false;
        while (const auto info = blocked.take(0)) {
            any = true;
            ++signals[info->si_signo - rt];
        }
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

    const teardown_options& options;
    const blocked_signals blocked{rt, rt + 1};
    const place on;
    const pid_t taker = this_thread();
    pthread_attr_t attributes;
    int method = 0;
    int queue = -1;
    std::uint64_t seed = 0;
    std::array<place_of_one, shared> places;
    std::atomic<bool> over{false};
    std::mutex mutex;
    std::vector<std::unique_ptr<life>> graves;
    std::array<std::array<std::atomic<std::uint64_t>, kinds>, 2> calls{};
    std::atomic<std::uint64_t> turns{0}, told{0}, late{0}, wrong{0};
    std::string first_note; ///< guarded by the mutex
    std::atomic<std::uint64_t> opened{0}, freed{0}, submits{0}, refused{0}, settimes{0}, stale{0}, waits_inside{0}, exits{0}, alone{0};
    std::uint64_t told_by_events = 0;
    std::array<std::uint64_t, 2> signals{};
};

sigev_ledger total(int source, int method)
{
    sigev_ledger l{};
    BOOST_REQUIRE(sigev_ledger_total(source, method, &l) == 0);
    return l;
}

sigev_ledger operator-(const sigev_ledger& a, const sigev_ledger& b)
{
    return {a.raised - b.raised, a.delivered - b.delivered, a.merged - b.merged, a.pending - b.pending, a.discarded - b.discarded, 0, 0};
}

/// The sums of all that there has been, by source and method.
struct totals {
    std::array<std::array<sigev_ledger, 6>, 2> of{};
    static constexpr std::array<int, 6> methods{SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID, SIGEV_KEVENT, SIGEV_CALLBACK};

    static totals read(int user_method)
    {
        totals t;
        for (const int source : {SIGEV_SOURCE_USER, SIGEV_SOURCE_TIMER}) {
            for (std::size_t m = 0; m != methods.size(); ++m)
                t.of[static_cast<std::size_t>(source)][m] = total(source, methods[m]);
            t.users[static_cast<std::size_t>(source)] = total(source, user_method);
            t.all[static_cast<std::size_t>(source)] = total(source, -1);
        }
        return t;
    }
    std::array<sigev_ledger, 2> users{}, all{};
};

/// The first sum that does not hold.
std::string balance(const arena& a, const totals& before, const totals& after)
{
    std::string wrong;
    const auto equal = [&](const std::string& what, std::uint64_t left, std::uint64_t right) {
        if (left != right && wrong.empty())
            wrong = what + ": " + std::to_string(left) + " and " + std::to_string(right);
    };
    std::uint64_t told = 0;
    for (std::size_t source = 0; source != 2; ++source) {
        const auto name = std::string(source == SIGEV_SOURCE_TIMER ? "timer" : "user");
        const sigev_ledger all = after.all[source] - before.all[source];
        equal(name + ", pending", all.pending, 0);
        equal(name + ", raised and its parts", all.raised, all.delivered + all.merged + all.discarded);
        const auto of = [&](std::size_t m) { return after.of[source][m] - before.of[source][m]; };
        const auto& calls = a.calls[source];
        equal(name + ", SIGEV_THREAD", of(2).delivered, calls[thread] + calls[thread_of_its_own] + calls[fresh_thread]);
        equal(name + ", SIGEV_CALLBACK", of(5).delivered, calls[callback]);
        equal(name + ", SIGEV_KEVENT", of(4).delivered, calls[kevent]);
        const sigev_ledger own = after.users[source] - before.users[source];
        equal(name + ", a method of its own", own.delivered, calls[user]);
        if (source == SIGEV_SOURCE_TIMER)
            told = of(2).delivered + of(2).merged + of(4).delivered + of(4).merged + of(5).delivered + of(5).merged +
                   own.delivered + own.merged;
    }
    const auto both = [&](std::size_t m) {
        return (after.of[0][m] - before.of[0][m]).delivered + (after.of[1][m] - before.of[1][m]).delivered;
    };
    equal("signals", both(1), a.signals[0]);
    equal("signals to a thread", both(3), a.signals[1]);
    equal("expirations", told, a.told + a.told_by_events);
    equal("submits", (after.all[0] - before.all[0]).raised, a.submits);
    return a.first_note.empty() ? wrong : a.first_note;
}

void run_round(const teardown_options& options, teardown_result& r)
{
    const totals before = totals::read(SIGEV_METHOD_FIRST);
    std::optional<arena> made(std::in_place, options);
    arena& a = *made;
    a.seed = r.rounds;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i != crew; ++i)
        threads.emplace_back([&a, i] { a.work(i); });
    const std::uint64_t end = nanoseconds_now() + round_nanoseconds;
    while (nanoseconds_now() < end)
        if (!a.take())
            sched_yield();
    a.over = true;
    for (auto& t : threads)
        t.join();
    for (auto& p : a.places)
        if (p.handle > in_work) {
            a.graves.emplace_back(p.of);
            if (!options.leave_to_shutdown)
                a.close(p.handle, *p.of);
        }
    if (options.leave_to_shutdown && a.on.is_borrowed())
        a.wrong += sigev_reactor_close(a.on.reactor()) != 0;
    while (a.take())
        ;
    a.wrong += sigev_shutdown() != 0;
    while (const auto info = a.blocked.take(0)) // queued while it was shut down
        ++a.signals[info->si_signo - rt];
    r.broken = balance(a, before, totals::read(SIGEV_METHOD_FIRST));
    for (const auto& by_source : a.calls)
        for (const auto& n : by_source)
            r.calls += n;
    r.opened += a.opened;
    r.freed += a.freed;
    r.submits += a.submits;
    r.refused += a.refused;
    r.settimes += a.settimes;
    r.stale += a.stale;
    r.signals += a.signals[0] + a.signals[1];
    r.events += a.calls[0][kevent] + a.calls[1][kevent];
    r.waits_inside += a.waits_inside;
    r.exits += a.exits;
    r.alone += a.alone;
    r.late += a.late;
    r.wrong += a.wrong;
    ++r.rounds;
}

} // namespace

std::string to_string(const teardown_result& r)
{
    const auto n = [](std::uint64_t v, const char* what) { return std::to_string(v) + what; };
    return n(r.rounds, " rounds, ") + n(r.opened, " opened, ") + n(r.freed, " freed under attack, ") +
           n(r.alone, " kept to one thread, ") + n(r.submits, " submits, ") + n(r.settimes, " settimes, ") +
           n(r.refused, " refused, ") + n(r.stale, " uses of old handles, ") + n(r.calls, " calls, ") +
           n(r.signals, " signals, ") + n(r.events, " events, ") + n(r.waits_inside, " waits inside callbacks, ") +
           n(r.exits, " threads ended by callbacks; ") + n(r.late, " late, ") + n(r.wrong, " wrong answers") +
           (r.broken.empty() ? "" : "; " + r.broken);
}

bool was_busy(const teardown_result& r)
{
    const auto all = {r.freed, r.alone, r.submits, r.settimes, r.stale, r.calls, r.signals, r.events, r.waits_inside, r.exits};
    return std::all_of(all.begin(), all.end(), [](std::uint64_t n) { return n != 0; });
}

teardown_result run_teardown_arena(const teardown_options& options)
{
    teardown_result r;
    const std::uint64_t end = nanoseconds_now() + stress_nanoseconds();
    do
        run_round(options, r);
    while ((nanoseconds_now() < end || (!was_busy(r) && nanoseconds_now() < end + 20'000'000'000)) && r.late == 0 &&
           r.wrong == 0 && r.broken.empty());
    return r;
}

} // namespace sigev_tests
