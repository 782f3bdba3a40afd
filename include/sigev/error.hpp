// Errors of the C API as values and as exceptions.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <cerrno>

namespace sigev {

using boost::system::error_code;

/// What errno says: of a function of sigev.h that has just returned -1.
inline error_code last_error() noexcept { return error_code(errno, boost::system::system_category()); }

/// Throws boost::system::system_error if there is an error. `what` names the call that failed.
inline void throw_error(const error_code& error, const char* what)
{
    if (error)
        throw boost::system::system_error(error, what);
}

} // namespace sigev
