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
        : owner(owner_), port(request.port), key{request.ident, filter}, state(filter, request.flags)
    {
        event.ident = static_cast<std::uintptr_t>(request.ident);
        event.filter = filter;
        event.flags = request.flags;
        event.udata = request.udata;
        if (filter == EVFILT_AIO)
            event.flags |= EV_EOF; // an event of a request says that it is over, and nothing else
    }

    /// aio_return() has collected the request.
    bool forgotten() const noexcept { return mark && mark->crossed_out(); }

    /// Nobody will ask for it any more.
    bool over() const noexcept { return !attached && state.spent(); }

    kq::queue& owner;
    delivery_port& port;
    const kq::note_key key;
    kq::note_state state;
    kq::delivery_chain waiting;
    kq::mark* mark = nullptr; ///< requests only
    sigev_kev event{};        ///< what was reported last; a repeat reports it again
    bool attached = true;     ///< the subscription lives
    bool indexed = true;      ///< changes find it

    kq::note_list* list = nullptr; ///< the one that it stands in
    knote* previous = nullptr;
    knote* next = nullptr;
    std::uint64_t order = 0; ///< when it was put there

    kq::delivery_chain left; ///< see leavings
    knote* next_left = nullptr;
    bool is_freed = false;
};

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

    /// Under the lock. Of a note that is dropped, or over: takes the deliveries that wait in it, and the note
    /// itself if it is over; then it stands nowhere any more. A note with a subscription cannot end before its last
    /// delivery has been given back, so it can be borrowed until then.
    void add(knote& n) noexcept;

private:
    marks& board_;
    knote* first_ = nullptr;
};

} // namespace sigev::kq
