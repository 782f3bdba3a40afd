// What kevent() does with the notes of one kqueue.
//
// A delivery is retrieved in three steps: it is taken out under the lock; begin() and end() are called without it;
// and what became of the note is settled under the lock again. One hold does the last step for one note and the
// first for the next, so that the descriptor does not change back and forth within a call. Deliveries of one note
// are taken as many at a time as there is room for, which also keeps them in order.
#include "kqueue/queue.hpp"

#include "kqueue/hold.hpp"

#include <cerrno>

namespace sigev::kq {

/// What one call of retrieve() has in its hands.
struct queue::batch {
    int count = 0;         ///< events retrieved
    std::uint64_t end = 0; ///< notes that were put into the list later have been looked at already
    knote* note = nullptr; ///< in flight
    delivery_chain taken;  ///< from it
    delivery_chain again;  ///< of those: what end() gave back, to be queued once more
    bool retrieved = false; ///< one of those at least was not cancelled

    spi::delivery_port* port = nullptr;
    delivery_chain refused; ///< to be dropped when the lock is free

    void drop_refused() noexcept
    {
        while (spi::delivery* const d = refused.pop())
            port->drop(*d);
    }
};

int queue::retrieve(sigev_kev* events, int n) noexcept
{
    batch b;
    leavings gone(board_);
    for (bool first = true, more = true; more; first = false) {
        {
            const hold h(*this);
            if (first) {
                collect(gone);
                b.end = order_;
            }
            finish(b, gone);
            more = pick(b, events, n);
        }
        b.drop_refused();
        while (spi::delivery* const d = b.taken.pop()) {
            sigev_notification notification{};
            if (!b.port->begin(*d, notification))
                continue; // cancelled; it is not ours any more
            sigev_kev& event = b.note->event;
            event.data = event.filter == EVFILT_AIO || event.filter == EVFILT_LIO ? notification.error : notification.data;
            events[b.count++] = event;
            b.retrieved = true;
            if (b.port->end(*d, spi::verdict::delivered))
                b.again.push(*d);
        }
    }
    return b.count;
}

/// Fills in repeats, up to a note of which deliveries can be taken. False: there is nothing more, or no room.
bool queue::pick(batch& b, sigev_kev* events, int n) noexcept
{
    while (b.count < n && !closed_) {
        drop_forgotten_heads();
        knote* const note = active_.front();
        if (!note)
            return false;
        if (note->state.next() == note_state::step::repeat) {
            // Once in a call. (Its order may also have been changed by another thread's call, which is no reason
            // for this one to return nothing.)
            if (note->order > b.end && b.count > 0)
                return false;
            events[b.count++] = note->event;
            active_.erase(*note);
            note->state.repeated();
            place(*note); // at the back
            continue;
        }
        active_.erase(*note);
        const auto room = static_cast<std::uint32_t>(n - b.count);
        std::uint32_t taken = 0;
        for (; taken < room && taken < note->state.batch() && !note->waiting.empty(); ++taken)
            b.taken.push(*note->waiting.pop());
        note->state.take(taken);
        if (note->once)
            note->attached = false;
        b.note = note;
        b.port = &note->port;
        return true;
    }
    return false;
}

/// Ends what pick() has begun. The note has stayed, whatever became of its subscription, since it was in flight.
void queue::finish(batch& b, leavings& gone) noexcept
{
    knote* const n = std::exchange(b.note, nullptr);
    if (!n)
        return;
    n->state.landed(std::exchange(b.retrieved, false));
    if (n->forgotten() || closed_)
        n->state.drop();
    if (n->state.dropped()) {
        b.refused = b.again.take_all();
        drop(*n, gone);
        return;
    }
    while (spi::delivery* const d = b.again.pop()) {
        n->waiting.push(*d);
        n->state.post();
    }
    place(*n);
    end_if_over(*n, gone);
}

int queue::change(const sigev_kev& kev) noexcept
{
    if (kev.filter != EVFILT_AIO && kev.filter != EVFILT_LIO && kev.filter != EVFILT_TIMER && kev.filter != EVFILT_USER)
        return EINVAL;
    if (kev.flags & EV_ADD)
        return kev.filter == EVFILT_AIO || kev.filter == EVFILT_LIO ? EPERM : EINVAL; // such events are posted, not asked for
    int error = ENOENT;
    leavings gone(board_);
    const hold h(*this);
    collect(gone);
    if (kev.filter == EVFILT_AIO) {
        board_.find(kev.ident, *this, [&](mark& m) noexcept {
            error = 0;
            change(m, kev.flags, gone);
        });
        return closed_ ? EBADF : error;
    }
    for (auto [i, end] = index_.equal_range({kev.ident, kev.filter}); i != end;) {
        knote& n = *(i++)->second; // first the step: the note may leave the index
        if (n.state.dropped())
            continue;
        error = 0;
        change(n, kev.flags, gone);
    }
    return closed_ ? EBADF : error;
}

void queue::change(knote& n, std::uint16_t flags, leavings& gone) noexcept
{
    if (flags & EV_DELETE)
        return drop(n, gone);
    if (flags & EV_ENABLE)
        n.state.enable();
    else if (flags & EV_DISABLE)
        n.state.disable();
    place(n);
}

void queue::change(mark& m, std::uint16_t flags, leavings& gone) noexcept
{
    const std::uint64_t holds = m.holds.load(std::memory_order_relaxed);
    if (!awaited::is(holds))
        return change(*reinterpret_cast<knote*>(holds), flags, gone);
    if (flags & EV_DELETE)
        return m.cross_out();
    awaited request = awaited::from(holds);
    if (flags & (EV_ENABLE | EV_DISABLE))
        request.enabled = flags & EV_ENABLE;
    m.holds.store(request.packed(), std::memory_order_relaxed);
}

} // namespace sigev::kq
