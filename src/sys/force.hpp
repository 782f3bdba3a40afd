// Which fallbacks are forced: SIGEV_FORCE=name[,name...] in the environment.
#pragma once

#include <string_view>

namespace sigev::sys {

/// A fallback, by the name that stands for it in SIGEV_FORCE. Another name does not compile.
class fallback {
public:
    static constexpr std::string_view names[] = {
        "pipe",        // wakeups are pipes
        "noatomic16",  // no 16-byte compare-exchange
        "nowipe",      // no wipe-on-fork page
        "nopidfd",     // no descriptors of threads
        "noproc",      // nor their folders in /proc
        "noperpetual", // the runtime's loop uses Asio's public API only
    };

    static constexpr bool exists(std::string_view name) noexcept
    {
        for (const std::string_view known : names)
            if (known == name)
                return true;
        return false;
    }

    consteval fallback(const char* name) : name_(name)
    {
        if (!exists(name))
            throw "there is no such fallback";
    }

    constexpr std::string_view name() const noexcept { return name_; }

private:
    std::string_view name_;
};

/// True when it stands in SIGEV_FORCE. Not async-signal-safe: ask at set-up and keep the answer.
bool forced(fallback wanted) noexcept;

/// False when SIGEV_FORCE has a name that means nothing, and so forces nothing.
bool every_forced_name_exists() noexcept;

} // namespace sigev::sys
