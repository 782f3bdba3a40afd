// The file that the demo reads, opened.
#pragma once

#include <cstdint>
#include <string>

namespace sigev::tool {

class demo_file {
public:
    /// Throws usage_error, with a sentence for the user, where there is nothing to read.
    explicit demo_file(const std::string& path);
    ~demo_file();
    demo_file(const demo_file&) = delete;
    demo_file& operator=(const demo_file&) = delete;

    int descriptor() const noexcept { return descriptor_; }
    std::uint64_t size() const noexcept { return size_; }

private:
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
};

} // namespace sigev::tool
