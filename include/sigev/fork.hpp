// What a fork() does to the objects of this library, as one reference text, and the epoch that tells parent from child.
//
// THE CHILD HAS NONE OF ITS PARENT'S timers, requests and subscriptions, as POSIX has it. Their handles are EINVAL there. The
// first use of the library in the child starts a fresh runtime (after fork(), and after _Fork() of a process with one
// thread; after another _Fork() or clone() only event_raw::post() and the refusal of stale handles are defined; after
// vfork() only exec and _exit).
//
// NOTHING THE CHILD DOES REACHES THE PARENT, except event_raw::post() on an inherited object, which is meant to.
//
// AN OBJECT ON AN io_context, in the child:
//   - It may be closed and destroyed at any time, and so may its context; exit() may do it. What the parent has registered
//     with the kernel is left alone, and leaks instead: the epoll set is shared, and removing a descriptor from it would
//     make the parent deaf.
//   - Until context.notify_fork(fork_child) has been called, starting an operation on it fails with bad_descriptor.
//   - In that call, operations inherited from the parent end with operation_aborted (their handlers run when the child runs
//     the context). From then on the objects are the child's own: an event_raw has a fresh descriptor, a timer is disarmed, a
//     dispatcher has a fresh reactor. A subscription or a timer with a target must be made anew.
//   - The usual rules of Asio hold: while fork() and notify_fork() are called no other thread may use the context, and a
//     context that another thread was running when the process was forked cannot be run by the child.
//   - THE CHILD MUST NOT RUN THE CONTEXT before that call, not even by returning into run() from a handler that has forked:
//     Asio would take events of the parent's out of the epoll set, before any object of this library could see it, and the
//     parent would not hear of them. This is the one thing that the objects cannot keep from the parent.
//
// A KQUEUE, in the child: its descriptor is inherited, but the object is the parent's. A METHOD: inherited under its number.
#pragma once

#include <sigev.h>

#include <cstdint>

namespace sigev {

/// A number that a forked child does not share with its parent. Async-signal-safe; 0 only if there is no memory for it.
inline std::uint32_t fork_epoch() noexcept { return ::sigev_epoch(); }

} // namespace sigev
