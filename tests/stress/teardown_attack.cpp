#include "stress/teardown_ground.hpp"

namespace sigev_tests::teardown {

// ---- what callbacks do -------------------------------------------------------------------------------------------------------

void arena::begin(life& l)
{
    arena& a = *l.in;
    a.late += l.mark != life::is_alive;
    ++l.calls;
    ++a.calls[l.timer][l.what];
    if (l.timer)
        a.told += static_cast<std::uint64_t>(sigev_current()->data);
}

void arena::called(sigval v)
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

// ---- what everybody does -----------------------------------------------------------------------------------------------------

void arena::arm(dice& d)
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

void arena::free(dice& d, graves& own)
{
    place_of_one& p = places[d.roll(shared)];
    std::uint64_t was = p.handle;
    if (was <= in_work || !p.handle.compare_exchange_strong(was, in_work))
        return;
    std::unique_ptr<life> l(p.of);
    close(was, *l);
    p.handle = empty;
    ++freed;
    bury(std::move(l), own);
    if (own.size() > 256)
        own.pop_front();
}

std::uint64_t arena::one(dice& d, bool timer)
{
    const auto third = d.roll(shared / 3) * 3;
    return places[timer ? third : third + 1 + d.roll(2)].handle;
}

void arena::submit(dice& d)
{
    submit_to(one(d, false));
}

void arena::submit_to(std::uint64_t handle)
{
    if (handle <= in_work)
        return;
    const int result = sigev_submit(handle, 1, 0);
    submits += result == 0;
    check(result, {EINVAL, ECANCELED, EAGAIN});
}

void arena::settime(dice& d)
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

void arena::cancel(dice& d)
{
    if (const auto handle = one(d, false); handle > in_work)
        check(sigev_cancel(handle), {EINVAL});
}

void arena::cancel_and_wait(dice& d)
{
    if (const auto handle = one(d, false); handle > in_work)
        check(sigev_cancel_and_wait(handle), {EINVAL});
}

// Whatever it was: its place may have another by now, and it is not that one.
void arena::use_stale(std::uint64_t handle, bool timer)
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

// From its beginning to its end by this thread: the account must be right at once.
void arena::live_alone(dice& d, graves& own)
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
    ++alone;
    bury(std::move(l), own);
}

void arena::work(unsigned number)
{
    graves own;
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
        case 12: free(d, own); break;
        case 13: use_stale(old, old_is_timer); break;
        case 14:
            old_is_timer = d.roll(2);
            old = one(d, old_is_timer);
            break;
        default: live_alone(d, own); break;
        }
        if (on.is_borrowed() && number < 2)
            on.turn(0);
    }
    const std::lock_guard lock(mutex);
    for (auto& l : own)
        kept.push_back(std::move(l));
}

} // namespace sigev_tests::teardown
