// The C library's allocator, which can be told to have nothing: for the whole process, libsigev.so and every thread of it.
#pragma once

namespace sigev_tests {

/// While one stands, no memory is to be had. What is allocated can be freed.
class no_memory {
public:
    no_memory() noexcept;
    no_memory(const no_memory&) = delete;
    no_memory& operator=(const no_memory&) = delete;
    ~no_memory();

    /// How often somebody has asked since the last one began.
    static unsigned long refusals() noexcept;

    /// False under a sanitizer, whose allocator is another.
    static bool works() noexcept;
};

} // namespace sigev_tests
