// The contract between the kevent method and the kqueues (src/kqueue fills it).
#pragma once

#include "spi/method.hpp"

#include <cstdint>
#include <memory>
#include <time.h>

namespace sigev::spi {

/// A posted event of one subscription in one kqueue. Reserved when the subscription is opened.
struct knote;

/// Of a request, which is told once: that it will be, in one kqueue. It gets its note when it is posted.
struct pledge;

/// Room for that note, which a request brings. It begins a piece of memory from operator new, in which the delivery may stand too.
struct note_room {
    delivery_port* port;
    void* udata;
    std::uint64_t rest[13];
};

struct knote_request {
    int kqueue; ///< descriptor of sigev_kqueue()
    int source; ///< SIGEV_SOURCE_*, chooses the filter: EVFILT_LIO, EVFILT_TIMER, EVFILT_USER
    std::uint64_t ident;
    void* udata;
    std::uint16_t flags; ///< EV_ONESHOT, EV_CLEAR, EV_DISPATCH
    delivery_port& port;
    bool once = false; ///< one delivery at most: detached with it, when that has been retrieved or dropped
};

class kqueue_port {
public:
    virtual ~kqueue_port() = default;

    /// sigev_kqueue(): returns the descriptor, or -errno.
    virtual int open() noexcept = 0;

    /// sigev_kqueue_close(): 0 or an errno. What was posted and not retrieved is dropped; later posts find it gone.
    virtual int close(int kqueue) noexcept = 0;

    /// sigev_kevent(): the number of events, or -errno.
    virtual int kevent(int kqueue, const sigev_kev* changes, int nchanges, sigev_kev* events, int nevents,
                       const timespec* timeout) noexcept = 0;

    /// For a subscription: returns 0; EBADF when the descriptor is no open kqueue of ours; EAGAIN or ENOMEM.
    virtual int attach(const knote_request& request, knote** out) noexcept = 0;

    /// For a request, likewise: an EVFILT_AIO event of this aiocb.
    virtual int promise(int kqueue, std::uint64_t aiocb, std::uint16_t flags, pledge** out) noexcept = 0;

    /// Keeps the delivery until kevent() retrieves it (begin, then end with `delivered`), and makes the kqueue readable.
    /// False: the kqueue has been closed, or the event dropped (EV_DELETE, EV_ONESHOT, aio_return()); the delivery stays
    /// the caller's.
    static bool post(knote& k, delivery& d) noexcept;

    /// The same, of a request; the kqueue has the room and the pledge then. When the delivery has come to its end, and the event
    /// is not reported any more, it gives the memory back that begins there. False: room and pledge stay the caller's.
    static bool post(pledge& p, delivery& d, note_room& room) noexcept;

    /// It will not be posted, or could not be.
    static void give_up(pledge* p) noexcept;

    /// Drops what has been posted and not retrieved.
    static void withdraw(knote& k) noexcept;

    /// The same for all that were attached for one delivery, and whose delivery is such a one.
    virtual void withdraw_if(bool (*is)(const delivery&, const void*), const void* what) noexcept = 0;

    /// The subscription has ended.
    static void detach(knote* k) noexcept;

    /// aio_return() of this aiocb: an EVFILT_AIO event for it is not reported any more. Lock-free and
    /// async-signal-safe, as aio_return() is. (What was posted and not retrieved is dropped by a later call.)
    virtual void forget(std::uint64_t aiocb) noexcept = 0;
};

/// The kqueues of a process. Defined by src/kqueue.
std::unique_ptr<kqueue_port> make_kqueues();

} // namespace sigev::spi
