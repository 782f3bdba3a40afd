#include "capi/statistics.hpp"

#include "core/statistics.hpp"

namespace sigev::capi {

void share_statistics(sys::statistics::page& page) noexcept
{
    core::statistics::share(page);
}

} // namespace sigev::capi
