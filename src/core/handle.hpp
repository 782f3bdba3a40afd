// Handles: index, generation and epoch (registry::life) in one number that a C program can keep. Pure.
//
//   all others              kind:4 | epoch:10 | generation:26 | index:24
//   timer                   kind:4 | epoch:10 | engine:10 | generation:16 | index:24
//
// The kind stands on top, and the top bit is never set: a timer's handle is neither a small number (the kernel's timer
// ids) nor a number with the top bit set (libc's own), so a foreign timer_t is recognised by its looks.
#pragma once

#include <cstdint>

namespace sigev::core {

enum class handle_kind : std::uint64_t { subscription = 1, reactor = 2, timer = 3, manual_clock = 4 };

inline constexpr std::uint32_t max_index = (1u << 24) - 1;
inline constexpr std::uint32_t max_engine = (1u << 10) - 1;
inline constexpr std::uint32_t generation_mask = (1u << 26) - 1;
inline constexpr std::uint32_t timer_generation_mask = (1u << 16) - 1;
inline constexpr std::uint32_t epoch_mask = (1u << 10) - 1;

struct handle {
    handle_kind kind;
    std::uint32_t epoch;      ///< modulo epoch_mask + 1
    std::uint32_t engine;     ///< timers only
    std::uint32_t generation; ///< modulo its mask + 1
    std::uint32_t index;

    friend constexpr bool operator==(const handle&, const handle&) = default;
};

constexpr std::uint64_t encode(const handle& h) noexcept
{
    const auto kind = static_cast<std::uint64_t>(h.kind);
    const std::uint64_t middle = h.kind == handle_kind::timer
                                     ? (std::uint64_t{h.engine & max_engine} << 16) | (h.generation & timer_generation_mask)
                                     : h.generation & generation_mask;
    return (kind << 60) | (std::uint64_t{h.epoch & epoch_mask} << 50) | (middle << 24) | (h.index & max_index);
}

constexpr handle_kind kind_of(std::uint64_t number) noexcept { return static_cast<handle_kind>(number >> 60); }

/// What the number says; whether such an object lives is for its table to tell.
constexpr handle decode(std::uint64_t number) noexcept
{
    handle h{};
    h.kind = kind_of(number);
    h.epoch = static_cast<std::uint32_t>(number >> 50) & epoch_mask;
    h.index = static_cast<std::uint32_t>(number) & max_index;
    const auto middle = static_cast<std::uint32_t>(number >> 24) & generation_mask;
    if (h.kind == handle_kind::timer) {
        h.engine = middle >> 16;
        h.generation = middle & timer_generation_mask;
    } else {
        h.generation = middle;
    }
    return h;
}

} // namespace sigev::core
