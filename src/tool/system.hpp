// What every part of the tool asks of the system.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include <time.h>
#include <unistd.h>

namespace sigev::tool {

inline constexpr std::int64_t second_ns = 1'000'000'000;

/// CLOCK_MONOTONIC in nanoseconds.
inline std::int64_t now_ns() noexcept {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * second_ns + t.tv_nsec;
}

constexpr timespec to_timespec(std::int64_t nanoseconds) noexcept {
    return {.tv_sec = nanoseconds / second_ns, .tv_nsec = nanoseconds % second_ns};
}

/// Throws what errno says when a call has answered -1.
inline int checked(int answer, const char* what) {
    if (answer == -1)
        throw std::system_error(errno, std::generic_category(), what);
    return answer;
}

/// All of it, or an exception: a table on a full disk is a failure, not a shorter table.
inline void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = write(fd, text.data(), text.size());
        if (n >= 0)
            text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "cannot write the output");
    }
}

} // namespace sigev::tool
