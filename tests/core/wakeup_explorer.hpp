// Walks through all interleavings of two posters with a consumer, a loop that says when it sleeps, or a closer.
//
// The functions of wakeup_word.hpp are the atomic steps that they are in event_raw.cpp, with the system calls as steps
// between them; a poster may be abandoned (siglongjmp, cancellation) wherever it stands. Each can be replaced by a
// broken one, which must then be seen to fail: else the explorer would see nothing.
#pragma once

#include "core/wakeup_word.hpp"

#include <array>
#include <cstddef>
#include <set>
#include <tuple>
#include <vector>

namespace sigev_tests {

using namespace sigev::core::wakeup;

inline constexpr word some = recycle(0); // an object in use, nothing posted

struct protocol {
    post_step (*begin)(word) = post_begin;
    word (*end)(word, word) = post_end;
    bool clear_before_drain = false;
    bool posters_are_abandoned = true;
    bool close_waits = true;
    bool loop_waits_for_edges = false;  // else it drains what is reported to it
    bool loop_asks_before_it_sleeps = true;
    bool loop_asks_and_says_at_once = true; // else it looks for POSTED, and says that it sleeps a step later
    unsigned char other_wakes = 2;      // of the loop, by something else than a post
    word start = some;
};

inline constexpr unsigned posters = 2;
inline constexpr unsigned posts_each = 2;

struct poster {
    unsigned char at = 0;     // 0 before begin, 1 before the write, 2 before the end
    unsigned char number = 0; // of its current post
    word seq = 0;
    auto operator<=>(const poster&) const = default;
};

struct state {
    word w = some;
    std::array<poster, posters> posters_at;
    unsigned char readable = 0; // writes in the descriptor
    unsigned char owner = 0;    // consumer: 0 asleep, then one per step; closer: 0 not yet, 1 CLOSING set, 2 closed
    unsigned char woken = 0;    // loop: by something else
    unsigned char published = 0, completed = 0, seen = 0; // a bit for each post
    bool operator<(const state& b) const
    {
        const auto all = [](const state& s) {
            return std::tie(s.w, s.posters_at, s.readable, s.owner, s.woken, s.published, s.completed, s.seen);
        };
        return all(*this) < all(b);
    }
};

struct outcome {
    std::size_t states = 0;
    std::size_t lost = 0;              // ends in which a completed post was never seen
    std::size_t written_when_closed = 0;
    std::size_t closed = 0;
};

enum class owner_is { consumer, loop, closer };

class explorer {
public:
    explorer(const protocol& p, owner_is owner) : p_(p), owner_(owner) {}

    outcome run()
    {
        state first;
        first.w = p_.start;
        visit(first);
        while (!open_.empty()) {
            const state s = open_.back();
            open_.pop_back();
            step(s);
        }
        result_.states = known_.size();
        return result_;
    }

private:
    void visit(const state& s)
    {
        if (known_.insert(s).second)
            open_.push_back(s);
    }

    void step(const state& s)
    {
        bool quiet = true;
        for (unsigned i = 0; i != posters; ++i)
            if (s.posters_at[i].number != posts_each) {
                quiet = false;
                post(s, i);
            }
        if (owner_step(s))
            quiet = false;
        if (quiet && owner_ != owner_is::closer && (s.completed & ~s.seen))
            ++result_.lost;
    }

    static void leave(state& s, unsigned i, bool completed)
    {
        auto& at = s.posters_at[i];
        if (completed)
            s.completed |= static_cast<unsigned char>(1u << (i * posts_each + at.number));
        at = {.at = 0, .number = static_cast<unsigned char>(at.number + 1), .seq = 0};
    }

    void post(state s, unsigned i)
    {
        auto& at = s.posters_at[i];
        if (p_.posters_are_abandoned && at.at != 0) {
            state abandoned = s;
            leave(abandoned, i, false);
            visit(abandoned);
        }
        switch (at.at) {
        case 0: {
            s.published |= static_cast<unsigned char>(1u << (i * posts_each + at.number));
            const auto [next, action] = p_.begin(s.w);
            s.w = next;
            if (action == post_action::write)
                at = {.at = 1, .number = at.number, .seq = seq_of(next)};
            else
                leave(s, i, action == post_action::suppress);
            break;
        }
        case 1:
            if (owner_ == owner_is::closer && s.owner == 2)
                ++result_.written_when_closed;
            ++s.readable;
            at.at = 2;
            break;
        default:
            s.w = p_.end(s.w, at.seq);
            leave(s, i, true);
        }
        visit(s);
    }

    bool owner_step(const state& s)
    {
        switch (owner_) {
        case owner_is::consumer:
            return consume_step(s);
        case owner_is::loop:
            return loop_step(s);
        default:
            return close_step(s);
        }
    }

    // asks: about to sleep. says: has looked, and says that it sleeps (only when that is a step of its own).
    enum loop_at : unsigned char { asks, says, blocked, reported, drained, cleared, woken };

    bool loop_step(state s)
    {
        const auto go = [&](loop_at next) {
            s.owner = next;
            visit(s);
        };
        switch (s.owner) {
        case asks:
            if (const sleep_step step = sleep_begin(s.w); !p_.loop_asks_before_it_sleeps) {
                go(blocked);
            } else if (!p_.loop_asks_and_says_at_once) {
                go(step.may_sleep ? says : drained);
            } else {
                s.w = step.next;
                go(step.may_sleep ? blocked : drained); // awake: it clears, and drains nothing
            }
            return true;
        case says:
            s.w |= asleep;
            go(blocked);
            return true;
        case blocked:
            if (s.woken != p_.other_wakes) {
                state other = s;
                ++other.woken;
                other.owner = woken;
                visit(other);
            }
            if (s.readable == 0)
                return false; // it may be woken for another reason, but nothing of ours comes of that
            if (p_.loop_waits_for_edges)
                s.readable = 0; // reported once; the descriptor itself is never read
            go(reported);
            return true;
        case reported:
            s.w = wake(s.w);
            if (!p_.loop_waits_for_edges)
                s.readable = 0; // drain
            go(drained);
            return true;
        case drained:
            s.w = consume(s.w);
            go(cleared);
            return true;
        case cleared:
            s.seen |= s.published;
            go(asks);
            return true;
        default: // woken: what was posted is found when it asks
            s.w = wake(s.w);
            go(asks);
            return true;
        }
    }

    bool consume_step(state s)
    {
        const auto drain = [&] { s.readable = 0; };
        const auto clear = [&] { s.w = consume(s.w); };
        switch (s.owner) {
        case 0:
            if (s.readable == 0)
                return false;
            break;
        case 1:
            p_.clear_before_drain ? clear() : drain();
            break;
        case 2:
            p_.clear_before_drain ? drain() : clear();
            break;
        default:
            s.seen |= s.published;
        }
        s.owner = static_cast<unsigned char>((s.owner + 1) % 4);
        visit(s);
        return true;
    }

    bool close_step(state s)
    {
        if (s.owner == 0)
            s.w = close_begin(s.w);
        else if (s.owner == 1 && (may_close(s.w) || !p_.close_waits))
            ++result_.closed;
        else
            return false; // closed, or retired and looked at again when something has moved
        ++s.owner;
        visit(s);
        return true;
    }

    const protocol p_;
    const owner_is owner_;
    std::set<state> known_;
    std::vector<state> open_;
    outcome result_;
};

} // namespace sigev_tests
