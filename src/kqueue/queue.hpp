// One kqueue: its notes, and the descriptor that is readable as long as they have something to report.
//
// THE RULE OF READABILITY. The list `active_` holds exactly the notes that a look would report something of.
// Whenever the lock becomes free, settle() has just made the event_raw readable if that list is not empty or the
// kqueue is closed, and unreadable otherwise; nothing else posts or consumes. So
//   - no wakeup is lost: to consume and to find nothing is one step, and whoever adds a note afterwards, under the
//     lock, finds `readable_` false and posts. (Consuming after the lock has been freed, or looking at the list
//     before it is taken, would let an event slip in between, unreported until the next one.)
//   - a level event keeps the descriptor readable without being posted again, for poll() as for another thread's
//     kevent();
//   - nothing spins: what one thread is just retrieving is in flight and not in the list.
// A mark that aio_return() crosses out is the one change that comes without the lock: see lock.hpp for how it is
// settled.
//
// Who watches the descriptor edge-triggered must call kevent() until it returns 0, as with every descriptor.
//
// LOCKS. The lock is a leaf but for the mutex of `marks`; delivery_port is never called under it (leavings). One
// note's deliveries are retrieved by one thread at a time, several notes' by several.
//
// REQUESTS. One that is in flight has a mark only (marks.hpp). Its note comes to be with the post, in memory that the request
// brings; it is in no index, and in a list or in flight until it is over.
//
// LIFETIME. Memory of queues belongs to the pool and is used again, never freed, because aio_return() may follow a
// mark to one at any time. Descriptors live as long as `users`: the table of open kqueues and every call that is in
// one. Waiting threads therefore wait on the event_raw and not on the program's number, which may be closed and
// used again under them. (All of them wake for each event, as on FreeBSD.)
#pragma once

#include "core/event_raw.hpp"
#include "kqueue/lock.hpp"
#include "kqueue/note.hpp"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <unordered_map>

namespace sigev::kq {

class queue_pool;

class queue {
public:
    queue(queue_pool& home, marks& board) noexcept : home_(home), board_(board) {}
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;

    /// Begins a life, with one user: takes the event_raw, which the epoll descriptor `number` already watches.
    void start(int number, sigev_event_raw& wake) noexcept;

    int number() const noexcept { return number_; }
    int wait_descriptor() const noexcept { return core::descriptor_of(*wake_); } ///< for users

    /// True when the descriptor refers to this kqueue, and not to what came after a close(2). For users.
    bool is(int descriptor) noexcept;

    /// Closes the program's descriptor, and no question is() is under way on that number. For users, after shut().
    void close_number() noexcept;

    /// Drops everything, refuses everything from now on, and wakes those who wait.
    void shut() noexcept;
    bool closed() noexcept;

    /// Returns 0, EBADF (closed), ENOMEM.
    int attach(const spi::knote_request& request, std::int16_t filter, knote*& out) noexcept;
    bool post(knote& n, spi::delivery& d) noexcept;
    void withdraw(knote& n) noexcept;
    void withdraw_if(bool (*is)(const spi::delivery&, const void*), const void* what) noexcept;
    void detach(knote& n) noexcept;

    /// As attach(), for a request. 0, EBADF (closed), ENOMEM.
    int promise(std::uint64_t aiocb, std::uint16_t flags, mark*& out) noexcept;
    bool post(mark& m, spi::delivery& d, spi::note_room& room) noexcept;
    void give_up(mark& m) noexcept;

    /// Applies EV_DELETE, EV_ENABLE, EV_DISABLE to the posted events of that ident and filter. 0 or an errno.
    int change(const sigev_kev& kev) noexcept;

    /// Retrieves what there is, at most n events. A condition is reported at most once, the deliveries of one
    /// subscription in order, and between notes the turn goes round.
    int retrieve(sigev_kev* events, int n) noexcept;

    /// A mark of this queue has been crossed out. Async-signal-safe, if signals are blocked.
    void look_again() noexcept;

    void use() noexcept { users_.fetch_add(1, std::memory_order_relaxed); } ///< by whoever knows of a user
    void leave() noexcept;
    void release() noexcept; ///< one note less

private:
    class hold;
    struct batch;
    friend class queue_pool;

    bool pick(batch& b, sigev_kev* events, int n) noexcept;
    void finish(batch& b, leavings& gone) noexcept;
    void place(knote& n) noexcept;
    void drop(knote& n, leavings& gone) noexcept;
    void end_if_over(knote& n, leavings& gone) noexcept;
    void remove_from_index(knote& n) noexcept;
    void change(knote& n, std::uint16_t flags, leavings& gone) noexcept;
    void change(mark& m, std::uint16_t flags, leavings& gone) noexcept;
    void collect(leavings& gone) noexcept;
    void drop_forgotten_heads() noexcept;
    void settle() noexcept;

    struct hash {
        std::size_t operator()(const note_key& k) const noexcept
        {
            return static_cast<std::size_t>((k.ident ^ static_cast<std::uint16_t>(k.filter)) * 0x9e3779b97f4a7c15U);
        }
    };

    queue_pool& home_;
    marks& board_;
    queue* next_free_ = nullptr;
    int number_ = -1;
    std::mutex number_mutex_; // is() against close_number(); a leaf
    bool number_closed_ = false;
    std::atomic<std::uint32_t> users_{0};
    std::atomic<std::uint32_t> references_{0}; ///< all users together, and each note

    asked_lock lock_; // everything below
    sigev_event_raw* wake_ = nullptr;
    bool readable_ = false;
    bool closed_ = true;
    std::uint64_t order_ = 0;
    note_list active_;
    note_list resting_;   ///< of requests, retrieved and cleared, or disabled: until aio_return()
    note_list forgotten_; ///< found by settle(), which may run in a signal handler and leaves the rest to collect()
    std::unordered_multimap<note_key, knote*, hash> index_; ///< but for those of requests, which `board_` finds
};

} // namespace sigev::kq
