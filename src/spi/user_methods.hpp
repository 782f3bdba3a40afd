// The contract between the C API and the table of methods that the program registered (backends/notify/user.cpp fills it).
#pragma once

#include <sigev.h>

#include <memory>

namespace sigev::spi {

class user_methods {
public:
    virtual ~user_methods() = default;

    /// Returns the number, or -errno.
    virtual int add(const sigev_method& m) noexcept = 0;

    /// 0 or EINVAL. Calls release() now, or when the last subscription ends.
    virtual int remove(int number) noexcept = 0;

    /// What is registered still is not any more.
    virtual void remove_all() noexcept = 0;
};

/// A fresh table. In a forked child `inherited` is its parent's: methods are code, and go on in the child under their
/// numbers; it is only read, without its lock, which another thread of the parent may have held.
std::unique_ptr<user_methods> make_user_methods(const user_methods* inherited);

} // namespace sigev::spi
