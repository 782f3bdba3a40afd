// Protocol W, the pure part: what each step of a wakeup does to the one 64-bit word of its object.
//
//     seq:48 | writers:12 | ASLEEP | CLOSING | WRITTEN | POSTED
//
// core/event_raw puts these functions into compare-exchange loops and does the system calls between them; the tests and
// the model walk through all their interleavings. Nothing here knows of an atomic or of a descriptor.
//
//   POSTED   somebody has posted since the last consume.
//   WRITTEN  and the descriptor is known to have been written for it: only this silences a post. POSTED alone must not:
//            a poster may be left by siglongjmp or cancellation before its write, and nobody after it would be heard.
//   CLOSING  the owner gives the object up; no post starts any more.
//   ASLEEP   the owner may be asleep, or is about to be: who posts has to write. A loop that is the owner's own from the
//            call that blocks to its return clears it when it wakes, and sets it before it sleeps by an exchange that fails
//            when POSTED is set; while it is clear a post is one exchange and no system call. It stands in the word of the
//            posts because as a flag of its own it would be stored by the owner before it loads POSTED, and loaded by the
//            poster after it has stored POSTED: two words, and a fence in each. Where the sleep cannot be seen (somebody
//            else's loop) it stays set for ever.
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
inline constexpr word asleep = word(1) << 3;
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
    suppress, ///< the owner is being told already, or is awake; storing `next` is what publishes the caller's data to it
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
    if (o & written || !(o & asleep))
        return {o | posted, post_action::suppress};
    return {writer_in(o | posted), post_action::write};
}

/// A post that found this word would have no more to do than to publish its data.
constexpr bool is_told(word o) noexcept
{
    return !(o & closing) && (o & written || (o & posted && !(o & asleep)));
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

/// After the drain, never before: a write that falls between a clear and a drain would be eaten, its WRITTEN kept. Without
/// any drain is right as well: what stays readable only costs a wake for nothing.
constexpr word consume(word o) noexcept { return (o & ~(posted | written)) + one_seq; }

struct sleep_step {
    word next;
    bool may_sleep; ///< false: something has been posted since the last consume; handle it instead
};

/// Told that it may not sleep, the owner is awake: also one that has never slept yet, and counted as asleep until now.
constexpr sleep_step sleep_begin(word o) noexcept
{
    return o & posted ? sleep_step{o & ~asleep, false} : sleep_step{o | asleep, true};
}

/// After the sleep, for whatever reason it ended. What was posted stays for the next consume.
constexpr word wake(word o) noexcept { return o & ~asleep; }

constexpr word close_begin(word o) noexcept { return o | closing; }

/// No poster can reach the descriptor any more: those that come find CLOSING, those that were there have left.
constexpr bool may_close(word o) noexcept { return (o & closing) && (o & all_writers) == 0; }

/// The word for the next owner of the memory, whose loop counts as asleep until it says otherwise. seq goes on, so that a
/// poster who still holds a value of the last owner's word never succeeds in exchanging it.
constexpr word recycle(word o) noexcept { return (o / one_seq + 1) * one_seq | asleep; }

/// The word of an object that nobody owns: posts are refused, nobody is in it.
inline constexpr word unowned = closing;

} // namespace sigev::core::wakeup
