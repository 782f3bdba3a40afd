// aio_read() and its family, with the names of 64-bit offsets, which mean the same here.
//
// Where libc was there first (host.hpp) it may have requests of its own. They are told apart by the mark that ours bear
// (capi/whose.hpp), and their status stands in the same place, so that one list may name both.
#include "preload/host.hpp"
#include "preload/names.hpp"
#include "preload/replaced.hpp"

#include "capi/whose.hpp"
#include "sys/clock.hpp"

#include <sigev.h>

#include <algorithm>
#include <cerrno>

static_assert(sizeof(off_t) == sizeof(off64_t), "one function has both names");

using namespace sigev;

namespace {

bool is_libcs(const aiocb& request) noexcept
{
    const preload::host& host = preload::this_host();
    return !host.aio || (host.late && !capi::is_request_of_ours(request));
}

bool is_over(const aiocb* request) noexcept
{
    return request && sigev_posix_aio_error(request) != EINPROGRESS;
}

/// A list that names both kinds: who waits for the one does not hear of the other, so they are looked at every millisecond.
int look_at_both(const aiocb* const list[], int count, const timespec* timeout)
{
    constexpr std::uint64_t turn = 1'000'000;
    constexpr std::uint64_t for_ever = ~std::uint64_t{0} >> 1;
    const std::uint64_t begin = sys::now(CLOCK_MONOTONIC);
    const std::uint64_t whole = timeout ? sys::to_nanoseconds(*timeout, for_ever) : for_ever;
    while (std::none_of(list, list + count, is_over)) {
        const std::uint64_t gone = sys::now(CLOCK_MONOTONIC) - begin;
        if (gone >= whole) {
            errno = EAGAIN;
            return -1;
        }
        const timespec wait = sys::to_timespec(std::min(turn, whole - gone));
        if (const int error = ::clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, nullptr)) { // a cancellation point, as this call is
            errno = error;
            return -1;
        }
    }
    return 0;
}

} // namespace

SIGEV_EXPORT_AIO(sigev_posix_aio_read, aio_read);
SIGEV_EXPORT_AIO(sigev_posix_aio_read, aio_read64);
int sigev_posix_aio_read(aiocb* request) noexcept
{
    const preload::host& host = preload::this_host();
    return host.aio ? sigev_aio_read(request) : host.libc.aio_read(request);
}

SIGEV_EXPORT_AIO(sigev_posix_aio_write, aio_write);
SIGEV_EXPORT_AIO(sigev_posix_aio_write, aio_write64);
int sigev_posix_aio_write(aiocb* request) noexcept
{
    const preload::host& host = preload::this_host();
    return host.aio ? sigev_aio_write(request) : host.libc.aio_write(request);
}

SIGEV_EXPORT_AIO(sigev_posix_aio_fsync, aio_fsync);
SIGEV_EXPORT_AIO(sigev_posix_aio_fsync, aio_fsync64);
int sigev_posix_aio_fsync(int operation, aiocb* request) noexcept
{
    const preload::host& host = preload::this_host();
    return host.aio ? sigev_aio_fsync(operation, request) : host.libc.aio_fsync(operation, request);
}

SIGEV_EXPORT_AIO(sigev_posix_aio_error, aio_error);
SIGEV_EXPORT_AIO(sigev_posix_aio_error, aio_error64);
int sigev_posix_aio_error(const aiocb* request) noexcept
{
    return is_libcs(*request) ? preload::this_host().libc.aio_error(request) : sigev_aio_error(request);
}

SIGEV_EXPORT_AIO(sigev_posix_aio_return, aio_return);
SIGEV_EXPORT_AIO(sigev_posix_aio_return, aio_return64);
ssize_t sigev_posix_aio_return(aiocb* request) noexcept
{
    return is_libcs(*request) ? preload::this_host().libc.aio_return(request) : sigev_aio_return(request);
}

SIGEV_EXPORT_AIO(sigev_posix_aio_suspend, aio_suspend);
SIGEV_EXPORT_AIO(sigev_posix_aio_suspend, aio_suspend64);
int sigev_posix_aio_suspend(const aiocb* const list[], int count, const timespec* timeout)
{
    const preload::host& host = preload::this_host();
    if (!host.aio)
        return host.libc.aio_suspend(list, count, timeout);
    const auto named = [](const aiocb* request) { return request && is_libcs(*request); };
    if (!host.late || count <= 0 || std::none_of(list, list + count, named))
        return sigev_aio_suspend(list, count, timeout);
    return look_at_both(list, count, timeout);
}

SIGEV_EXPORT_AIO(sigev_posix_aio_cancel, aio_cancel);
SIGEV_EXPORT_AIO(sigev_posix_aio_cancel, aio_cancel64);
int sigev_posix_aio_cancel(int descriptor, aiocb* request) noexcept
{
    const preload::host& host = preload::this_host();
    if (request ? is_libcs(*request) : !host.aio)
        return host.libc.aio_cancel(descriptor, request);
    const int ours = sigev_aio_cancel(descriptor, request);
    if (request || !host.late || ours == -1)
        return ours;
    const int libcs = host.libc.aio_cancel(descriptor, nullptr); // all of the descriptor's: of both kinds
    if (libcs == -1 || ours == AIO_ALLDONE)
        return libcs;
    return ours == AIO_NOTCANCELED || libcs == AIO_NOTCANCELED ? AIO_NOTCANCELED : AIO_CANCELED;
}

SIGEV_EXPORT_AIO(sigev_posix_aio_init, aio_init);
void sigev_posix_aio_init(const aioinit* init) noexcept
{
    const preload::host& host = preload::this_host();
    if (!host.aio)
        return host.libc.aio_init(init);
    // libc's function has no way to answer, and its other numbers speak of how it keeps its requests.
    sigev_aio_options options{};
    options.size = sizeof options;
    options.threads = init->aio_threads > 0 ? static_cast<std::uint32_t>(init->aio_threads) : 0;
    options.idle_milliseconds = init->aio_idle_time > 0 ? static_cast<std::uint32_t>(init->aio_idle_time) * 1000 : 0;
    sigev_aio_init(&options);
}

SIGEV_EXPORT_LIST(sigev_posix_lio_listio, lio_listio);
SIGEV_EXPORT_LIST(sigev_posix_lio_listio, lio_listio64);
int sigev_posix_lio_listio(int mode, aiocb* const list[], int count, sigevent* event)
{
    const preload::host& host = preload::this_host();
    return host.aio ? sigev_lio_listio(mode, list, count, event) : host.libc.lio_listio(mode, list, count, event);
}
