#include "sys/force.hpp"

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace sigev::sys {

bool forced(const char* name) noexcept
{
    // secure_getenv: a set-user-ID program is not steered by its caller's environment.
    const char* value = ::secure_getenv("SIGEV_FORCE");
    std::string_view rest = value ? value : "";
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        if (rest.substr(0, comma) == name)
            return true;
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return false;
}

} // namespace sigev::sys
