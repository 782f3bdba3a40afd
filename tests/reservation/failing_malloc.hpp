// The C library's allocator, which can be told to have nothing: for the whole process, libsigev.so and every thread of it.
#pragma once

namespace sigev_tests {

/// While one stands, no memory is to be had once as many allocations as are granted have been made. What is allocated can be
/// freed.
class no_memory {
public:
    explicit no_memory(unsigned long granted = 0) noexcept;
    no_memory(const no_memory&) = delete;
    no_memory& operator=(const no_memory&) = delete;
    ~no_memory();

    /// How often somebody has asked since the last one began.
    static unsigned long refusals() noexcept;

    /// False under a sanitizer, whose allocator is another.
    static bool works() noexcept;
};

} // namespace sigev_tests
