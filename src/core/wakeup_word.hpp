// Protocol W, the pure part: what each step of a wakeup does to the one 64-bit word of its object.
//
//     seq:48 | writers:12 | spare | CLOSING | WRITTEN | POSTED
//
// core/event_raw puts these functions into compare-exchange loops and does the system calls between them; the tests and
// the model walk through all their interleavings. Nothing here knows of an atomic or of a descriptor.
//
//   POSTED   somebody has posted since the last consume.
//   WRITTEN  and the descriptor is known to have been written for it: only this silences a post. POSTED alone must not:
//            a poster may be left by siglongjmp or cancellation before its write, and nobody after it would be heard.
//   CLOSING  the owner gives the object up; no post starts any more.
//   spare    kept as it is by every function; it becomes ASLEEP when the runtime's loop says that it sleeps.
//   writers  posters between post_begin and post_end, who may be about to write: as long as there is one, the descriptor
//            is not closed. One that was abandoned in between stays counted for ever. So the count may fill up over the
//            years; full is final: nobody is counted in or out any more, and the descriptor is never closed.
//   seq      counts the consumes. A poster that comes late with its WRITTEN (its write has been drained, and the word
//            cleared) would silence the next post; it sees by seq that the word is no longer its own.
#pragma once

#include <cstdint>

namespace sigev::core::wakeup {

using word = std::uint64_t;

inline constexpr word posted = word(1) << 0;
inline constexpr word written = word(1) << 1;
inline constexpr word closing = word(1) << 2;
inline constexpr word spare = word(1) << 3;
inline constexpr word one_writer = word(1) << 4;
inline constexpr word all_writers = word(0xfff) << 4;
inline constexpr word one_seq = word(1) << 16;

constexpr word seq_of(word o) noexcept { return o / one_seq; }
constexpr word writers_of(word o) noexcept { return (o & all_writers) / one_writer; }
constexpr bool full(word o) noexcept { return (o & all_writers) == all_writers; }

constexpr word writer_in(word o) noexcept { return full(o) ? o : o + one_writer; }
constexpr word writer_out(word o) noexcept { return full(o) ? o : o - one_writer; }

enum class post_action {
    refuse,   ///< closing: the word stays as it is, the descriptor is not touched
    suppress, ///< the owner is being told already; storing `next` is what publishes the caller's data to it
    write,    ///< write to the descriptor, then post_end() with seq_of(next)
};

struct post_step {
    word next;
    post_action action;
};

constexpr post_step post_begin(word o) noexcept
{
    if (o & closing)
        return {o, post_action::refuse};
    if (o & written)
        return {o | posted, post_action::suppress};
    return {writer_in(o | posted), post_action::write};
}

/// After the write. claimed_seq is the seq that post_begin saw.
constexpr word post_end(word o, word claimed_seq) noexcept
{
    const word next = writer_out(o);
    return seq_of(o) == claimed_seq ? next | written : next;
}

/// A post in a process of another fork epoch, on its own copy of the word: what POSTED and WRITTEN say there is what
/// they said in the parent at the fork, so they neither count nor change. Only a close in this process has to wait.
constexpr post_step visit_begin(word o) noexcept
{
    if (o & closing)
        return {o, post_action::refuse};
    return {writer_in(o), post_action::write};
}

constexpr word visit_end(word o) noexcept { return writer_out(o); }

/// After the drain, never before: a write that falls between a clear and a drain would be eaten, its WRITTEN kept.
constexpr word consume(word o) noexcept { return (o & ~(posted | written)) + one_seq; }

constexpr word close_begin(word o) noexcept { return o | closing; }

/// No poster can reach the descriptor any more: those that come find CLOSING, those that were there have left.
constexpr bool may_close(word o) noexcept { return (o & closing) && (o & all_writers) == 0; }

/// The word for the next owner of the memory. seq goes on, so that a poster who still holds a value of the last
/// owner's word never succeeds in exchanging it.
constexpr word recycle(word o) noexcept { return (o / one_seq + 1) * one_seq; }

/// The word of an object that nobody owns: posts are refused, nobody is in it.
inline constexpr word unowned = closing;

} // namespace sigev::core::wakeup
