// For the drop-in: see core/statistics.hpp.
#pragma once

#include "sys/statistics_page.hpp"

namespace sigev::capi {

/// What happens in this process is counted there from now on, and in what it forks. Once, before anything has happened; the
/// memory stays mapped.
void share_statistics(sys::statistics::page& page) noexcept;

} // namespace sigev::capi
