// The mapping that `sigev run --stats` shares with what it runs (sys/statistics_page.hpp), and what is read out of it in the end
// (report.hpp says it).
#pragma once

#include "tool/child.hpp"
#include "tool/report.hpp"

#include <string>
#include <string_view>

namespace sigev::sys::statistics {
struct page;
}

namespace sigev::tool {

class statistics_memory {
public:
    statistics_memory();
    ~statistics_memory();
    statistics_memory(const statistics_memory&) = delete;
    statistics_memory& operator=(const statistics_memory&) = delete;

    int descriptor() const noexcept { return descriptor_; }
    /// For SIGEV_STATS.
    std::string name() const;

    /// What all have counted; `end` is that of this process's child. Others may be at it still.
    statistics read(const program_end& end) const;

private:
    int descriptor_;
    sys::statistics::page* page_;
};

/// Where the report goes: opened before the program starts, so that it can be refused.
class statistics_output {
public:
    /// "": standard error. Throws usage_error.
    explicit statistics_output(const std::string& file);
    ~statistics_output();
    statistics_output(const statistics_output&) = delete;
    statistics_output& operator=(const statistics_output&) = delete;

    int descriptor() const noexcept { return descriptor_; }
    /// Throws when it could not be written.
    void write(std::string_view text) const;

private:
    int descriptor_;
};

} // namespace sigev::tool
