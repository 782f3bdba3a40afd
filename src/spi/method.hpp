// The contract of a notification method: how a notification reaches its target. backends/notify fills it, one file per
// method; nothing else in the tree explains a hook.
#pragma once

#include <sigev.h>

#include <cstdint>

namespace sigev::spi {

/// What became of one attempt to deliver.
enum class verdict : int {
    delivered = SIGEV_DELIVERED, ///< the target has it
    retry = SIGEV_RETRY,         ///< not now; the dispatcher holds it, in order, and offers it again after a back-off
    gone = SIGEV_GONE,           ///< there is no such target any more; discarded and counted
    accepted                     ///< the method keeps the delivery and will pass it through delivery_port itself
};

/// One notification on its way. Opaque, but for the link, which belongs to whoever holds the delivery.
struct delivery {
    delivery* next = nullptr;
};

/// How a method that answered `accepted` finishes its deliveries. Any thread but a signal handler; never blocks.
class delivery_port {
public:
    /// The delivery is about to start. True: `out` is filled (the overrun is latched now), and the method must call
    /// end(). False: it was cancelled, has been accounted for, and must not be touched again.
    virtual bool begin(delivery& d, sigev_notification& out) noexcept = 0;

    /// It is over, with this verdict (never `accepted`), on the thread of begin(). True: `d` stays the method's. After
    /// `retry` it stands first in its lane, which rests until workers::resume(); else more was merged meanwhile, and the
    /// method must queue `d` again, as if deliver() had been called. False: `d` is not its any more.
    virtual bool end(delivery& d, verdict v) noexcept = 0;

    /// The target has withdrawn it, or is gone before it began: accounted for as discarded.
    virtual void drop(delivery& d) noexcept = 0;

    /// begin() will soon be called with it, perhaps: asks for the memory that this reads. It need not be under way any more.
    virtual void approaches(const delivery&) noexcept {}

protected:
    ~delivery_port() = default;
};

class workers;
struct lane;
class kqueue_port;
class user_methods;
struct lane_call;

/// Everything a method may need when it opens a target.
struct open_request {
    const sigevent& event;
    int source;               ///< SIGEV_SOURCE_*
    std::uint64_t ident;      ///< what the notification's ident will be
    std::uint32_t concurrency; ///< callbacks at once; at least 1
    bool fresh_thread;         ///< each callback on a thread of its own
    delivery_port& port;
    workers& team;        ///< threads that run callbacks
    kqueue_port& kqueues; ///< the process's kqueues
    user_methods& methods; ///< the process's registered methods
};

/// A method. Plain function pointers in a constant table that stands last in its file.
struct method {
    const char* name;

    /// The value of sigev_notify.
    int number;

    /// May answer `retry`: the dispatcher reserves its retry timer when the subscription is opened.
    bool may_retry;

    /// deliver() runs code of the program's own: on the runtime's reactor it is moved to a worker.
    bool runs_user_code;

    /// deliver() only ever answers `accepted` or `gone`, and its notification is not filled: begin() fills it.
    bool deferred;

    /// At subscription, in the caller's thread, no lock held. Validates and reserves everything; may block and allocate.
    /// Returns 0 and sets *target (which may stay null), or an errno; then nothing is left behind.
    int (*open)(const open_request& request, void** target) noexcept;

    /// Once per notification, on the thread that holds the reactor's drain word: one at a time per reactor. Must not
    /// block or allocate. `n` is valid during the call; `d` stays the method's only with `accepted`.
    verdict (*deliver)(void* target, delivery& d, const sigev_notification& n) noexcept;

    /// The subscription was cancelled: give back by delivery_port::drop() what was accepted and can be withdrawn, before
    /// returning. Any thread, also several at once. Null: nothing can be (begin() refuses what comes later).
    void (*withdraw)(void* target) noexcept;

    /// For a method with runs_user_code: what a worker calls for this target. Null for the others.
    void (*call)(void* target, lane_call& out) noexcept;

    /// No delivery is under way and none will come: free the target. Any thread that is not a signal handler.
    void (*close)(void* target) noexcept;

    /// As deliver(), for several at once of a method with `deferred` that accepts everything: they are linked, and in order.
    /// Null: there is no such way.
    void (*deliver_all)(void* target, delivery& first, delivery& last) noexcept = nullptr;

    /// For a method whose deliver_all() does nothing but to put them into a lane: that one. Null: it does something else.
    lane* (*lane_of)(void* target) noexcept = nullptr;

    /// For a method with `deferred`: deliver() takes any thread that is not in a signal handler, and several at once, so the one
    /// notification of a subscription needs no reactor to carry it: a hop would only cost.
    bool anywhere = false;

    /// Those who are told once each may share a subscription, and its target, with all for whom `target` becomes the same. (What the
    /// event says of one notification alone, its value, does not go into it.) False: this event needs one of its own. open() has
    /// the last word on whether it is valid. Null: all need one of their own.
    bool (*common)(const sigevent& event, workers& team, std::uint64_t& target) noexcept = nullptr;

    /// With `common`, for a method that needs something for each of them: reserves it, as open() would; then open() and withdraw() are
    /// not called for the subscription that they share, deliver() gets *own as its target and the value in the notification, and has
    /// done with *own if it answers anything but `gone`. leave() takes it back where deliver() has not. Of a request the value is
    /// the address of a room for what the method needs from then on (kqueue_port::post()).
    int (*join)(const open_request& request, void** own) noexcept = nullptr;
    void (*leave)(void* own) noexcept = nullptr;
    /// withdraw() for all those deliveries of such a subscription that is() says are meant.
    void (*withdraw_all)(kqueue_port& kqueues, bool (*is)(const delivery&, const void*), const void* what) noexcept = nullptr;

    /// open() reserves nothing, and makes of the event alone what *target says; close is null. So it may be called long before
    /// there is a subscription.
    bool light = false;
};

/// The method for a value of sigev_notify; null when there is none (whether a registered number is known is for open()). Defined by backends/notify/table.cpp.
const method* builtin_method(int notify) noexcept;

} // namespace sigev::spi
