// One posted event of one subscription in one kqueue, the lists that it stands in, and how it is got rid of.
#pragma once

#include "kqueue/marks.hpp"
#include "kqueue/note_state.hpp"
#include "spi/kqueue_port.hpp"

#include <cstdint>
#include <utility>

namespace sigev::kq {

class queue;

/// Deliveries in order, linked through themselves.
class delivery_chain {
public:
    bool empty() const noexcept { return !first_; }
    const spi::delivery* front() const noexcept { return first_; }

    void push(spi::delivery& d) noexcept
    {
        d.next = nullptr;
        (first_ ? last_->next : first_) = &d;
        last_ = &d;
    }

    /// Null when empty.
    spi::delivery* pop() noexcept
    {
        spi::delivery* const d = first_;
        if (d)
            first_ = std::exchange(d->next, nullptr);
        return d;
    }

    delivery_chain take_all() noexcept { return std::exchange(*this, delivery_chain{}); }

    /// All, linked.
    spi::delivery* release() noexcept { return take_all().first_; }

private:
    spi::delivery* first_ = nullptr;
    spi::delivery* last_ = nullptr;
};

/// What an index of notes is searched by.
struct note_key {
    std::uint64_t ident;
    std::int16_t filter;

    friend bool operator==(const note_key&, const note_key&) = default;
};

class note_list;

} // namespace sigev::kq

/// Everything in it is under its kqueue's lock, but for `event` while deliveries are in flight: then it is the one
/// thread's that retrieves them.
struct sigev::spi::knote {
    knote(kq::queue& owner_, const knote_request& request, std::int16_t filter) noexcept
        : owner(owner_), port(request.port), state(filter, request.flags), once(request.once)
    {
        event.ident = static_cast<std::uintptr_t>(request.ident);
        event.filter = filter;
        event.flags = request.flags;
        event.udata = request.udata;
    }

    /// Of a request that is posted: in the room that it has brought.
    knote(kq::queue& owner_, kq::mark& m, std::uint64_t aiocb, kq::awaited was, const note_room& room) noexcept
        : owner(owner_), port(*room.port), state(EVFILT_AIO, was.flags), attached(false), once(true), indexed(false), mark(&m)
    {
        event.ident = static_cast<std::uintptr_t>(aiocb);
        event.filter = EVFILT_AIO;
        event.flags = was.flags | EV_EOF; // an event of a request says that it is over, and nothing else
        event.udata = room.udata;
        if (was.superseded)
            state.supersede();
        if (!was.enabled)
            state.disable();
    }

    /// aio_return() has collected the request.
    bool forgotten() const noexcept { return mark && mark->crossed_out(); }

    /// Under the lock, when nothing more comes of it: nobody finds it by its mark.
    void leave_mark() noexcept
    {
        if (mark)
            mark->cross_out();
    }

    kq::note_key key() const noexcept { return {event.ident, event.filter}; }

    /// Nobody will ask for it any more.
    bool over() const noexcept { return !attached && state.spent(); }

    kq::queue& owner;
    delivery_port& port;
    kq::note_state state;
    bool attached = true; ///< somebody may post; or the subscription lives
    const bool once;      ///< whoever posts has done with it then
    bool indexed = true;  ///< changes find it, and not by its mark
    bool is_freed = false; ///< by the leavings in which it stands
    kq::delivery_chain waiting;
    kq::mark* mark = nullptr; ///< requests only; such a note stands in the memory of the request
    sigev_kev event{};        ///< what was reported last; a repeat reports it again
    kq::note_list* list = nullptr; ///< the one that it stands in; not while it is among leavings
    union {
        knote* previous = nullptr;
        delivery* left; ///< leavings: what is to be dropped
    };
    knote* next = nullptr;   ///< or the next of the leavings
    std::uint64_t order = 0; ///< when it was put there
};

static_assert(sizeof(sigev::spi::knote) <= sizeof(sigev::spi::note_room));
static_assert(alignof(sigev::spi::knote) <= alignof(sigev::spi::note_room));

namespace sigev::kq {

using spi::knote;

class note_list {
public:
    knote* front() const noexcept { return front_; }
    knote* back() const noexcept { return back_; }
    void push_back(knote& n, std::uint64_t order) noexcept;
    void erase(knote& n) noexcept;

private:
    knote* front_ = nullptr;
    knote* back_ = nullptr;
};

/// What must wait until the lock of the kqueue is free, since it goes to others: deliveries that are dropped, notes
/// that are freed. Declared before the lock is taken, so that it ends after it.
class leavings {
public:
    explicit leavings(marks& board) noexcept : board_(board) {}
    leavings(const leavings&) = delete;
    leavings& operator=(const leavings&) = delete;
    ~leavings();

    /// Under the lock. Dropped or over, it stands in no list, and comes into none any more. Of a note that is dropped, or over: takes the deliveries that wait in it, and the note
    /// itself if it is over; then it stands nowhere any more. A note with a subscription cannot end before its last
    /// delivery has been given back, so it can be borrowed until then.
    void add(knote& n) noexcept;

private:
    void free(knote& n) noexcept;

    marks& board_;
    knote* first_ = nullptr;
};

} // namespace sigev::kq
