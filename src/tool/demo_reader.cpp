#include "tool/demo_reader.hpp"

#include "tool/system.hpp"

#include <fmt/format.h>
#include <sigev.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sigev::tool {

demo_reader::demo_reader(method m, int file)
    : method_(m)
    , read_(block)
    , expected_(block) {
    request_->aio_fildes = file;
    request_->aio_buf = read_.data();
    request_->aio_nbytes = block;
}

void demo_reader::start(const sigevent& event, int number) {
    request_->aio_sigevent = event;
    number_ = number;
    submit();
}

void demo_reader::take(std::int64_t now, std::uint64_t occurrences) noexcept {
    latency_.add(now - submitted_at_.load(std::memory_order_relaxed));
    arrived_.fetch_add(occurrences, std::memory_order_release);
}

void demo_reader::submit() {
    std::fill(
        read_.begin(), read_.end(), '\0'); // what the last block left would hide a read that does nothing
    submitted_at_.store(now_ns(), std::memory_order_relaxed);
    if (sigev_aio_read(request_.get()) == 0) {
        ++submitted_;
        in_flight_ = true;
    } else if (errno != EAGAIN) { // short of resources for the moment: tried again at the next look
        trouble_ = fmt::format("sigev_aio_read: {}", std::strerror(errno));
    }
}

void demo_reader::advance(bool go_on) {
    if (in_flight_) {
        if (method_ == method::none && sigev_aio_error(request_.get()) != EINPROGRESS)
            take(now_ns(), 1);
        if (arrived() < submitted_)
            return;
        in_flight_ = false;
        collect();
    }
    if (go_on && trouble_.empty())
        submit();
}

void demo_reader::collect() {
    const int error = sigev_aio_error(request_.get());
    if (error == EINPROGRESS) {
        trouble_ = fmt::format("told of a read at {} that is not complete", request_->aio_offset);
        return;
    }
    const auto n = sigev_aio_return(request_.get());
    const auto expected = pread(request_->aio_fildes, expected_.data(), block, request_->aio_offset);
    if (error != 0)
        trouble_ = fmt::format("reading at {}: {}", request_->aio_offset, std::strerror(error));
    else if (n != expected || n < 0 || !std::equal(read_.data(), read_.data() + n, expected_.data()))
        trouble_ = fmt::format(
            "{} bytes at {} are not what a plain read gives ({} bytes); does the file change?", n,
            request_->aio_offset, expected);
    if (!trouble_.empty())
        return;
    ++blocks_;
    bytes_ += static_cast<std::uint64_t>(n);
    // A short block was the last one.
    request_->aio_offset = n == static_cast<ssize_t>(block) ? request_->aio_offset + n : 0;
}

row demo_reader::view() const noexcept {
    row seen{method_, source::aio, {}, arrived(), latency()};
    sigev_ledger_total(SIGEV_SOURCE_AIO, number_, &seen.ledger);
    return seen;
}

} // namespace sigev::tool
