// Subscriptions that many share who are told once each: requests. One for each reactor, source, method and target, made with the
// first who needs it; the others pin it, and bring an occasion each (core/subscription.hpp).
//
// It stays for those who come later, and is closed when nobody is in it: by a worker that has had nothing to do for as long as
// workers without a reservation stay (its lane is one), and when there are twice as many as were in use the last time.
//
// Whoever is in it holds a pin until his occasion has come, and from then on the occasion is counted as in flight. So who finds
// no pin and then nothing in flight, while nobody can find it here, knows that nobody is in it.
#pragma once

#include "core/subscription.hpp"

#include <sigev.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace sigev::core {

class registry;
struct subscription_spec;

class commons {
public:
    explicit commons(registry& all) noexcept : registry_(all) {}
    commons(const commons&) = delete;
    commons& operator=(const commons&) = delete;

    /// Makes the occasion ready for `spec.event`: with the common subscription as its owner, pinned; that is made when there is none.
    /// `spec.on` is not looked at. 0 or an errno; ENOTSUP: this sigevent needs a subscription of its own. Not async-signal-safe.
    int join(sigev_reactor_t on, const subscription_spec& spec, occasion& out) noexcept;

    /// It will not come.
    void leave(occasion& o) noexcept;

    /// Closes those that nobody is in. No lock is held.
    void close_unused() noexcept;

private:
    struct key {
        sigev_reactor_t on;
        std::uint64_t target;
        int source;
        int method;
        friend bool operator==(const key&, const key&) = default;
    };
    struct hash {
        std::size_t operator()(const key& k) const noexcept
        {
            const std::uint64_t rest = k.on * 31 + static_cast<std::uint64_t>(k.method) * 8 + static_cast<std::uint64_t>(k.source);
            return static_cast<std::size_t>((k.target + rest) * 0x9e3779b97f4a7c15U >> 32);
        }
    };
    struct place {
        subscription* s = nullptr; ///< null: it is just being opened
        std::uint32_t generation = 0;
    };
    static constexpr std::size_t few = 16;

    subscription* find(const key& k) noexcept;
    int open(const key& k, const subscription_spec& spec, subscription*& out) noexcept;
    place* reserve(const key& k) noexcept;
    void forget(const place& p, const key& k) noexcept;

    registry& registry_;
    std::mutex mutex_; // a leaf
    std::unordered_multimap<key, place, hash> open_; ///< two who come first at the same time open one each
    std::size_t swept_at_ = few;
};

} // namespace sigev::core
