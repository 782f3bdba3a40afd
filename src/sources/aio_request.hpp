// One request, for the files of sources/aio.
#pragma once

#include "core/statistics.hpp"
#include "sources/aio.hpp"
#include "sources/aio_now.hpp"
#include "sources/aio_options.hpp"
#include "sources/aio_state.hpp"
#include "sources/aio_status.hpp"
#include "spi/kqueue_port.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace sigev::sources {

// (What it is made of stands so that nothing is lost between: there may be a hundred thousand.)
struct aio_source::request : spi::aio_work, aio_user, aio_order::item {
    bool ordered : 1 = false;           ///< stands in the order of its file; under the source's mutex
    bool withdrawn : 1 = false;         ///< cancelled; under the source's mutex
    bool tells : 1 = false;             ///< it is a telling_request, else a quiet one; from the beginning
    std::uint32_t entry = aio_completed::none; ///< for aio_waitcomplete()
    aiocb* user = nullptr;              ///< not touched once its status is final
    aio_list* list = nullptr;           ///< a reference
    std::unique_ptr<iovec[]> vector;    ///< a copy of the program's

    aio_file& file() const noexcept { return static_cast<aio_file&>(*channel); }
    /// Who is told; null: nobody.
    inline core::subscription* told() const noexcept;
    /// When it was asked for, where statistics are wanted.
    inline std::int64_t& asked() noexcept;
};

struct aio_source::quiet_request : request {
    std::int64_t asked_at = 0;
};

/// One that somebody is told of: it lives until he has been.
struct aio_source::telling_request : request, aio_telling {};

/// What is left of one whose end a kqueue is to report: the kqueue's note, as long as it stands there, and the occasion.
struct aio_source::noted_request : spi::note_room, aio_telling {};

core::subscription* aio_source::request::told() const noexcept
{
    return tells ? static_cast<const telling_request&>(*this).owner : nullptr;
}

std::int64_t& aio_source::request::asked() noexcept
{
    // The occasion says when it came, and has not come yet.
    return tells ? static_cast<telling_request&>(*this).scheduled : static_cast<quiet_request&>(*this).asked_at;
}

inline bool told_by_kevent(const aiocb& cb) noexcept
{
    return cb.aio_sigevent.sigev_notify == SIGEV_KEVENT;
}

// Programs leave the sigevent of an aiocb zeroed when they want to hear nothing.
inline bool is_silent(const sigevent& event) noexcept
{
    return event.sigev_notify == SIGEV_NONE || (event.sigev_notify == SIGEV_SIGNAL && event.sigev_signo == 0);
}

// Without anything to reserve: what is over inside the call leaves nothing behind but its status and a number in the ledger.
inline bool aio_source::is_simple_read(const aio_call& call, const aiocb& cb) noexcept
{
    return call.operation == spi::aio_operation::read && !call.vector && call.on == 0 && is_silent(cb.aio_sigevent) &&
           refused_at_once(call.operation, cb.aio_reqprio) == 0 && !is_aio_kept() && !core::statistics::wanted();
}

// Inlined into the calls, as read_now() is.
[[gnu::always_inline]] inline bool aio_source::read_inside(aio_call& call, aiocb& cb) noexcept
{
    if (!is_simple_read(call, cb))
        return false;
    now_read read{const_cast<void*>(cb.aio_buf), cb.aio_nbytes, cb.aio_offset};
    if (!read_now(read, cb.aio_fildes)) {
        call.tried = true;
        return false;
    }
    registry_.count_silent_requests(1);
    aio_status::over(cb, registry_.epoch, false, read.result, 0);
    return true;
}

/// Held by its requests, by who submits it, and by who waits for it: whoever comes last frees it.
struct aio_list : aio_telling {
    enum : std::uint32_t { going_on, awaited, all_over };

    std::atomic<std::uint32_t> left{1}; ///< requests that have not ended, and one more while it is submitted
    std::atomic<std::uint32_t> over{going_on}; ///< LIO_WAIT sleeps on it
    std::atomic<std::uint32_t> references{1};
    std::atomic<bool> failed{false};

    void let_go() noexcept
    {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }
};

} // namespace sigev::sources
