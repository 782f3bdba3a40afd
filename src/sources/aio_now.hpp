// Reads that are over inside the call: what is in memory already.
//
// RWF_NOWAIT reads what the page cache has and never waits for a device. A file system without it (tmpfs) is memory itself, so
// a plain read is as good. O_DIRECT is left to the engine: there the kernel waits for the device although it was asked not to.
// Pipes, sockets and terminals answer ESPIPE here. Of the cost of a pread() this adds a tenth.
//
// The usual case, one piece of a file about which nothing has to be asked, is inlined into the calls (sys/raw_io.hpp says why).
// All else stands in aio_now.cpp.
#pragma once

#include "sources/aio_options.hpp"
#include "sys/raw_io.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <sys/types.h>
#include <sys/uio.h>

namespace sigev::sources {

struct now_read {
    void* buffer = nullptr;
    std::size_t length = 0;   ///< of all pieces
    off_t offset = 0;
    std::uint32_t pieces = 0; ///< 0: `buffer` is the data; else an array of so many iovec
    ssize_t result = 0;       ///< the bytes so far
};

/// What the number of a descriptor was the last times: says what to try first.
class descriptor_guess {
public:
    explicit descriptor_guess(int number) noexcept
        : place_(places[static_cast<unsigned>(number) % count]), number_(std::uint64_t{static_cast<unsigned>(number)} << 8)
    {
        const std::uint64_t found = place_.load(std::memory_order_relaxed);
        if ((found & ~std::uint64_t{0xff}) == number_)
            seen_ = found & 0xff;
    }

    bool is_memory() const noexcept { return seen_ == memory; }
    bool is_surely_memory() const noexcept { return seen_ == memory && ++turn % asked_every != 0; }
    bool is_plain() const noexcept { return seen_ == sure && ++turn % asked_every != 0; }

    void was_memory() noexcept { remember(memory); }
    void was_plain() noexcept { remember(is_memory() ? 1 : seen_ < sure ? seen_ + 1 : sure); }
    void was_neither() noexcept { remember(0); }

private:
    static constexpr std::uint64_t sure = 64;
    static constexpr std::uint64_t memory = 255;
    static constexpr unsigned asked_every = 32;
    static constexpr unsigned count = 256;

    void remember(std::uint64_t what) noexcept
    {
        if (what != seen_)
            place_.store(number_ | what, std::memory_order_relaxed);
        seen_ = what;
    }

    static inline constinit std::atomic<std::uint64_t> places[count]{};
    static inline thread_local unsigned turn __attribute__((tls_model("initial-exec"))) = 0;

    std::atomic<std::uint64_t>& place_;
    const std::uint64_t number_;
    std::uint64_t seen_ = 0;
};

namespace detail {

/// What may be tried inside the call. (Of no bytes preadv2() finds no error.)
inline bool may_be_over_inside(const now_read& r) noexcept
{
    return r.length != 0 && r.length <= limit_of_reads_inside_the_call() && r.offset >= 0;
}

/// As a transfer with O_DIRECT has to be.
inline bool is_aligned(const now_read& r) noexcept
{
    const void* const memory = r.pieces ? static_cast<const iovec*>(r.buffer)->iov_base : r.buffer;
    return ((r.length | static_cast<std::size_t>(r.offset) | reinterpret_cast<std::uintptr_t>(memory)) & 511) == 0;
}

/// The rest, where the first try has answered n.
bool read_on(now_read& read, int descriptor, descriptor_guess& number, int flags, ssize_t n) noexcept;
/// The same, where something has to be asked before.
bool ask_and_read(now_read& read, int descriptor, descriptor_guess& number) noexcept;

} // namespace detail

/// True: the whole read is over, `result` is set. False: somebody else has to go on from `result`, or to find the error. No
/// cancellation point. Keeps errno.
[[gnu::always_inline]] inline bool read_now(now_read& read, int descriptor) noexcept
{
    if (!detail::may_be_over_inside(read))
        return false;
    descriptor_guess number(descriptor);
    if (number.is_memory() ? !number.is_surely_memory() : detail::is_aligned(read) && !number.is_plain())
        return detail::ask_and_read(read, descriptor, number);
    const int flags = number.is_memory() ? RWF_DSYNC : RWF_NOWAIT;
    const iovec one{read.buffer, read.length};
    const ssize_t n = read.pieces
                          ? sys::raw_preadv2(descriptor, static_cast<iovec*>(read.buffer), read.pieces, read.offset, flags)
                          : sys::raw_preadv2(descriptor, &one, 1, read.offset, flags);
    if (static_cast<std::size_t>(n) != read.length)
        return detail::read_on(read, descriptor, number, flags, n);
    read.result = n;
    return true;
}

} // namespace sigev::sources
