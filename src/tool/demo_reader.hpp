// The reads of one row: one at a time, block after block over the file and from its beginning again. Each one
// is compared with a plain read, and the next is submitted when the target has been told of it.
#pragma once

#include "tool/demo_inbox.hpp"
#include "tool/row.hpp"

#include <memory>
#include <string>
#include <vector>

#include <aio.h>

namespace sigev::tool {

class demo_reader final : public inbox {
public:
    static constexpr std::size_t block = 65536;

    demo_reader(method, int file);

    /// How each read is to tell, and the number under which the library keeps the account of the method.
    void start(const sigevent& event, int number);

    void take(std::int64_t now, std::uint64_t occurrences) noexcept override;

    /// Collects what has been told, and submits the next read if there is to be one. By one thread.
    void advance(bool go_on);

    bool idle() const noexcept { return !in_flight_; }
    std::uint64_t blocks() const noexcept { return blocks_; }
    std::uint64_t bytes() const noexcept { return bytes_; }

    /// What went wrong, or nothing.
    const std::string& trouble() const noexcept { return trouble_; }

    row view() const noexcept;

private:
    void submit();
    void collect();

    const method method_;
    int number_ = -1;
    // Apart: it ends in an array without a length, which a class of C++ cannot hold.
    const std::unique_ptr<aiocb> request_ = std::make_unique<aiocb>();
    std::vector<char> read_;
    std::vector<char> expected_;
    std::atomic<std::int64_t> submitted_at_ = 0; // atomic: it reaches the target by way of the kernel
    std::uint64_t submitted_ = 0;
    bool in_flight_ = false;
    std::uint64_t blocks_ = 0;
    std::uint64_t bytes_ = 0;
    std::string trouble_;
};

} // namespace sigev::tool
