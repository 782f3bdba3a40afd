// The descriptors that this library has in a program that does not know of them.
//
// Programs close what they do not know: closefrom(3), a loop up to the last number. Ours would go with the rest; the numbers
// would come back as files of the program's, and a post would write into these. So
//   - whatever the library opens is known here: the linker puts the functions of descriptors.cpp in the place of libc's for
//     all calls that come from inside (--wrap);
//   - it stands in the upper quarter of the first 1024 numbers, if there is room, where programs that choose numbers of their
//     own (dup2()) seldom choose one;
//   - close(), closefrom(), close_range(), dup2() and dup3() of the program's leave it alone, as if the number were not open:
//     EBADF, or where it should become something else, EBUSY.
// A system call made by hand is not seen, nor is a number over `most`.
//
// A forked child may close what it has inherited: the table is of one process (sys/fork_epoch.hpp).
#pragma once

namespace sigev::preload {

/// Async-signal-safe, as all of it is.
bool is_ours(int descriptor) noexcept;

} // namespace sigev::preload
