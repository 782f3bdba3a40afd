// Which fallbacks are forced: SIGEV_FORCE=name[,name...] in the environment, read once. Names: pipe (wakeups are pipes),
// noatomic16 (no 16-byte compare-exchange), nowipe (no wipe-on-fork page), nopidfd (no thread pidfds), noperpetual (the
// runtime's loop uses Asio's public API only).
#pragma once

namespace sigev::sys {

/// True when `name` stands in SIGEV_FORCE. Not async-signal-safe: ask at set-up and keep the answer.
bool forced(const char* name) noexcept;

} // namespace sigev::sys
