// sigev::kqueue: the target of SIGEV_KEVENT, owned.
//
//     sigev::kqueue queue;
//     struct sigevent event = {};
//     event.sigev_notify = SIGEV_KEVENT;
//     event.sigev_notify_kqueue = queue.native_handle();
//     event.sigev_value.sival_ptr = &job;             // comes back as udata
//     ...
//     sigev_kev events[16];
//     for (const sigev_kev& e : std::span(events).first(queue.wait(events)))
//
// The descriptor can be watched by poll, epoll, or an Asio stream_descriptor (assign a dup() of it there: Asio
// closes what it owns); wait() with a timeout of zero then fetches what has come.
#pragma once

#include <sigev.h>

#include <sigev/error.hpp>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace sigev {

class kqueue {
public:
    using native_handle_type = int;
    using timeout_type = std::optional<std::chrono::nanoseconds>; ///< none: for ever

    /// Throws boost::system::system_error: EMFILE, ENFILE, ENOMEM.
    kqueue() : descriptor_(::sigev_kqueue())
    {
        if (descriptor_ < 0)
            throw_error(last_error(), "sigev_kqueue");
    }
    kqueue(kqueue&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    kqueue& operator=(kqueue&& other) noexcept
    {
        if (this != &other) {
            close();
            descriptor_ = std::exchange(other.descriptor_, -1);
        }
        return *this;
    }
    ~kqueue() { close(); }

    /// -1 after close(), and when it has been moved from.
    native_handle_type native_handle() const noexcept { return descriptor_; }
    bool is_open() const noexcept { return descriptor_ >= 0; }

    /// What was posted and not retrieved is dropped; threads that wait in it get EBADF.
    void close() noexcept
    {
        if (is_open())
            ::sigev_kqueue_close(std::exchange(descriptor_, -1));
    }

    /// Retrieves events, waiting at most `timeout` for the first. Returns how many; 0 when the time is over, or
    /// when `out` is empty. Throws boost::system::system_error: EBADF (closed), EINTR, EINVAL (negative timeout).
    std::size_t wait(std::span<sigev_kev> out, timeout_type timeout = std::nullopt)
    {
        error_code error;
        const std::size_t count = wait(out, timeout, error);
        throw_error(error, "sigev_kevent");
        return count;
    }
    std::size_t wait(std::span<sigev_kev> out, timeout_type timeout, error_code& error) noexcept
    {
        return call({}, out, timeout, error);
    }

    /// Applies changes (EV_DELETE, EV_ENABLE, EV_DISABLE). Throws the first that fails; those before it are done.
    void change(std::span<const sigev_kev> changes)
    {
        error_code error;
        change(changes, error);
        throw_error(error, "sigev_kevent");
    }
    void change(std::span<const sigev_kev> changes, error_code& error) noexcept { call(changes, {}, {}, error); }

private:
    std::size_t call(
        std::span<const sigev_kev> changes, std::span<sigev_kev> out, const timeout_type& timeout,
        error_code& error) noexcept
    {
        timespec t{};
        if (timeout) {
            const auto whole = std::chrono::floor<std::chrono::seconds>(*timeout);
            t.tv_sec = static_cast<time_t>(whole.count());
            t.tv_nsec = static_cast<long>((*timeout - whole).count());
        }
        const int n = ::sigev_kevent(
            descriptor_, changes.data(), clamp(changes.size()), out.data(), clamp(out.size()),
            timeout ? &t : nullptr);
        error = n < 0 ? last_error() : error_code();
        return n < 0 ? 0 : static_cast<std::size_t>(n);
    }

    static int clamp(std::size_t n) noexcept { return static_cast<int>(std::min<std::size_t>(n, INT_MAX)); }

    int descriptor_;
};

} // namespace sigev
