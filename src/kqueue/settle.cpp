// In which list a note of a kqueue stands, how it leaves, and when the descriptor is readable. All under the lock.
#include "kqueue/queue.hpp"

namespace sigev::kq {

/// Puts the note where its state says that it belongs.
void queue::place(knote& n) noexcept
{
    if (n.list == &forgotten_)
        return;
    note_list* list = nullptr;
    if (n.state.next() != note_state::step::nothing)
        list = &active_;
    else if (n.mark && n.state.rests())
        list = &resting_;
    if (n.list == list)
        return;
    if (n.list)
        n.list->erase(n);
    if (list)
        list->push_back(n, ++order_);
}

void queue::drop(knote& n, leavings& gone) noexcept
{
    n.state.drop();
    n.leave_mark(); // aio_return() has nothing to look for, and no change finds it
    if (n.once && !n.waiting.empty())
        n.attached = false;
    place(n);
    end_if_over(n, gone);
    if (!n.over())
        gone.add(n);
}

void queue::end_if_over(knote& n, leavings& gone) noexcept
{
    if (!n.over())
        return;
    if (n.list)
        n.list->erase(n);
    n.leave_mark();
    remove_from_index(n);
    gone.add(n);
}

void queue::remove_from_index(knote& n) noexcept
{
    if (!std::exchange(n.indexed, false))
        return;
    for (auto [i, end] = index_.equal_range(n.key()); i != end; ++i)
        if (i->second == &n) {
            index_.erase(i);
            return;
        }
}

/// Gets rid of notes whose request has been collected: those that settle() has found, and a few of those that rest,
/// the turn going round. More are looked at than one operation adds, so forgotten ones cannot pile up.
void queue::collect(leavings& gone) noexcept
{
    drop_forgotten_heads();
    while (knote* const n = forgotten_.front()) {
        forgotten_.erase(*n);
        drop(*n, gone);
    }
    knote* const last = resting_.back();
    for (int looks = 4; looks > 0 && resting_.front(); --looks) {
        knote& n = *resting_.front();
        resting_.erase(n);
        if (n.forgotten())
            drop(n, gone);
        else
            resting_.push_back(n, ++order_);
        if (&n == last)
            break;
    }
}

void queue::drop_forgotten_heads() noexcept
{
    for (knote* n = active_.front(); n && n->forgotten(); n = active_.front()) {
        active_.erase(*n);
        n->state.drop();
        forgotten_.push_back(*n, 0);
    }
}

/// See the head of queue.hpp. Async-signal-safe.
void queue::settle() noexcept
{
    drop_forgotten_heads();
    const bool readable = closed_ || active_.front();
    if (!wake_ || readable == readable_)
        return;
    readable_ = readable;
    if (readable)
        core::post(*wake_);
    else
        core::consume(*wake_);
}

} // namespace sigev::kq
