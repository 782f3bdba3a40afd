// The status of a request, which lives in the caller's own aiocb: what aio_error() and aio_return() read and leave.
//
// Status and result stand in the fields that libc keeps them in, so code that calls libc's own aio_error() on the same
// aiocb (a library linked statically, one that is older than a preloaded layer) sees what is true. Whether there is
// anything to return is a mark in two fields that libc uses only while it schedules a request of its own:
//
//   __abs_prio   the mark: says that this layer was given the aiocb, and whether a kevent was asked for
//   __policy     the fork epoch of the process that gave it
//   __next_prio  while it runs, the request: for aio_cancel(), which reads it under the lock that ends requests; afterwards,
//                where aio_waitcomplete() is used, its entry there
//
// A zeroed aiocb, one that libc has run and one whose result was returned carry no mark: EINVAL. libc puts a priority of
// less than 200 there, so the two cannot be taken for each other.
//
// ORDER. begin(): epoch and status, then the mark (release); for a list's request twice, first without the request. finish():
// result, then status (release); from then on the caller may free or reuse the aiocb, so nothing of it is touched again. over(),
// of a request that has ended inside the call, is both at once. Such a one was never in progress, and nobody looks at it before
// the mark is there; one of a list has its mark. take() is a compare-exchange on the mark: of two aio_return() one wins. All of
// it is lock-free and async-signal-safe.
//
// FORK. A child finds its parent's unfinished requests as they stood: EINPROGRESS in an epoch that is not its own. It
// would wait for ever, so they are EINVAL there. What had finished before the fork can be returned by both.
#pragma once

#include "sys/fork_epoch.hpp"

#include <aio.h>
#include <cerrno>
#include <cstdint>
#include <sys/types.h>

namespace sigev::sources {

struct aio_taken {
    bool valid = false; ///< false: nothing to return, or still running
    bool told_by_kevent = false;
    bool kept = false;         ///< aio_waitcomplete() may return it as well: `entry` has to be claimed
    std::uint64_t entry = 0;
    int error = 0;
    ssize_t result = -1;
};

class aio_status {
public:
    static void begin(aiocb& cb, std::uint32_t epoch, bool told_by_kevent, void* request) noexcept
    {
        __atomic_store_n(&cb.__next_prio, static_cast<aiocb*>(request), __ATOMIC_RELAXED);
        __atomic_store_n(&cb.__policy, static_cast<int>(epoch), __ATOMIC_RELAXED);
        __atomic_store_n(&cb.__return_value, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&cb.__error_code, EINPROGRESS, __ATOMIC_RELAXED);
        __atomic_store_n(&cb.__abs_prio, told_by_kevent ? marked | kevent : marked, __ATOMIC_RELEASE);
    }

    /// Right before finish(): aio_waitcomplete() may return it as well.
    static void keep(aiocb& cb, bool told_by_kevent, std::uint64_t entry) noexcept
    {
        __atomic_store_n(&cb.__next_prio, reinterpret_cast<aiocb*>(entry), __ATOMIC_RELAXED);
        __atomic_store_n(&cb.__abs_prio, marked | kept | (told_by_kevent ? kevent : 0), __ATOMIC_RELEASE);
    }

    static void finish(aiocb& cb, ssize_t result, int error) noexcept
    {
        __atomic_store_n(&cb.__return_value, error ? -1 : result, __ATOMIC_RELAXED);
        __atomic_store_n(&cb.__error_code, error, __ATOMIC_RELEASE);
    }

    static void over(aiocb& cb, std::uint32_t epoch, bool told_by_kevent, ssize_t result, int error) noexcept
    {
        const int mark = told_by_kevent ? marked | kevent : marked;
        const bool has_begun = __atomic_load_n(&cb.__abs_prio, __ATOMIC_RELAXED) == mark;
        __atomic_store_n(&cb.__policy, static_cast<int>(epoch), __ATOMIC_RELAXED);
        finish(cb, result, error);
        if (!has_begun)
            __atomic_store_n(&cb.__abs_prio, mark, __ATOMIC_RELEASE);
    }

    /// The request of an aiocb that is in progress in this process; null: it is not.
    static void* request_of(const aiocb& cb) noexcept
    {
        if (!is_mark(__atomic_load_n(&cb.__abs_prio, __ATOMIC_ACQUIRE)) || error(cb) != EINPROGRESS)
            return nullptr;
        return __atomic_load_n(&cb.__next_prio, __ATOMIC_RELAXED);
    }

    /// What aio_error() answers.
    static int error(const aiocb& cb) noexcept
    {
        if (!is_mark(__atomic_load_n(&cb.__abs_prio, __ATOMIC_ACQUIRE)))
            return EINVAL;
        const int error = __atomic_load_n(&cb.__error_code, __ATOMIC_ACQUIRE);
        return error == EINPROGRESS && !of_this_process(cb) ? EINVAL : error;
    }

    /// Was the aiocb given to this layer, and has its result not been taken?
    static bool is_ours(const aiocb& cb) noexcept { return is_mark(__atomic_load_n(&cb.__abs_prio, __ATOMIC_ACQUIRE)); }

    /// What aio_return() does.
    static aio_taken take(aiocb& cb) noexcept
    {
        aio_taken t;
        int mark = __atomic_load_n(&cb.__abs_prio, __ATOMIC_ACQUIRE);
        if (!is_mark(mark))
            return t;
        t.error = __atomic_load_n(&cb.__error_code, __ATOMIC_ACQUIRE);
        if (t.error == EINPROGRESS)
            return t;
        t.result = __atomic_load_n(&cb.__return_value, __ATOMIC_RELAXED);
        t.told_by_kevent = (mark & kevent) && of_this_process(cb);
        t.kept = (mark & kept) && of_this_process(cb);
        t.entry = reinterpret_cast<std::uint64_t>(__atomic_load_n(&cb.__next_prio, __ATOMIC_RELAXED));
        t.valid = __atomic_compare_exchange_n(&cb.__abs_prio, &mark, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
        return t;
    }

private:
    static constexpr int marked = 0x5165a100;
    static constexpr int kevent = 1;
    static constexpr int kept = 2;

    static bool is_mark(int value) noexcept { return (value & ~(kevent | kept)) == marked; }

    static bool of_this_process(const aiocb& cb) noexcept
    {
        const auto epoch = static_cast<std::uint32_t>(__atomic_load_n(&cb.__policy, __ATOMIC_RELAXED));
        return epoch == sys::current_epoch();
    }
};

} // namespace sigev::sources
