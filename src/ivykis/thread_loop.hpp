// Which loop is the calling thread's. A thread-specific key and not thread_local: a C program's thread that ends without
// iv_deinit() gives its loop up all the same, and exit() in a forked child destroys nothing of the parent's.
//
// A forked child's copy of its parent's loop is never given out; it is leaked, and kept in sight of leak checkers.
#pragma once

#include "ivykis/loop.hpp"

namespace sigev::ivykis {

/// Null in a thread that has none.
loop* thread_loop() noexcept;

/// 0 or an errno. Nothing if the thread has one.
int make_thread_loop() noexcept;

void end_thread_loop() noexcept;

} // namespace sigev::ivykis
