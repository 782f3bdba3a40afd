// The mapping that `sigev run --stats` reads, found by SIGEV_STATS=/proc/PID/fd/NUMBER: a descriptor of the command's, which
// lives as long as the program. Whatever else that may name is refused: another kind of file, another size or layout, and one
// that could become shorter while it is mapped (then touching it would be a SIGBUS).
//
// The descriptor is closed again at once, and no number is noted for it: programs that look at theirs find none. Where /proc is
// not to be seen, or the process may not look at the command's descriptors (another user's), there are no statistics.
#pragma once

namespace sigev::preload {

/// While the library is loaded; before anything else of it is used.
void join_statistics() noexcept;

} // namespace sigev::preload
