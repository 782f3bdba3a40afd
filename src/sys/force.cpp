#include "sys/force.hpp"

#include <cstdlib>

namespace sigev::sys {

namespace {

/// Calls accept(name) for each name until one is not accepted; false then.
template <class Accept>
bool for_each_forced_name(Accept accept) noexcept
{
    // secure_getenv: a set-user-ID program is not steered by its caller's environment.
    const char* value = ::secure_getenv("SIGEV_FORCE");
    std::string_view rest = value ? value : "";
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        if (!accept(rest.substr(0, comma)))
            return false;
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return true;
}

} // namespace

bool forced(fallback wanted) noexcept
{
    return !for_each_forced_name([wanted](std::string_view name) { return name != wanted.name(); });
}

bool every_forced_name_exists() noexcept
{
    return for_each_forced_name(fallback::exists);
}

} // namespace sigev::sys
