// The wakeup under attack: posters in threads, signal handlers and a forked child, some of whom never come out of their post
// again, and a loop that must have seen everything once all of them are quiet.
//
// The sum. Each poster numbers its posts and stores the number, relaxed, before it posts: it is the post that has to publish
// it. When a post has returned the poster says so. The loop, told that something was posted, copies the numbers. At the end
// of a round, with everybody quiet and nobody left who would wake the loop once more by posting, each poster's last post that
// returned must have been seen; one that has not been is lost, and ends the run.
//
// Only the last post of a round can be seen to be lost, so rounds are short; and what is lost needs two to meet within a few
// instructions, so hooks around the write and the drain give the processor away now and then.
#pragma once

#include <cstdint>
#include <string>

namespace sigev_tests {

enum class sleeper {
    drains,          ///< sleeps in epoll_wait(); told by a descriptor that is readable, which it drains
    announces,       ///< the same, with try_sleep(), awake() and take()
    announces_edges, ///< and is told by edges, and drains nothing but a pipe
};

enum class abandoned {
    never,
    at_steps,   ///< every so often left from before the write, and from after it
    by_signals, ///< left from wherever a signal strikes
};

struct wakeup_options {
    int kind = 0; ///< SIGEV_EVENT_RAW_*
    sleeper loop = sleeper::drains;
    abandoned posters_are = abandoned::never;
    unsigned posters = 3;
    bool handlers = false;    ///< signals strike posters and the loop, and their handler posts as well
    bool child = false;       ///< one more poster is a forked child
    bool other_wakes = false; ///< the loop is woken by a timer, too, and has nothing to do then
};

struct wakeup_result {
    std::uint64_t rounds = 0, posts = 0, seen = 0; ///< seen: how often the loop was told that something was posted
    std::uint64_t from_handlers = 0, from_child = 0, other_wakes = 0;
    std::uint64_t left_before = 0, left_claimed = 0, left_written = 0; ///< where posters were abandoned
    std::uint64_t never_slept = 0; ///< found something posted when it was about to sleep
    std::uint64_t until_lost = 0;  ///< milliseconds
    bool lost = false;
};

std::string to_string(const wakeup_result& r);

/// Runs rounds for as long as a stress may take; ends at the first loss.
wakeup_result run_wakeup_arena(const wakeup_options& options);

} // namespace sigev_tests
