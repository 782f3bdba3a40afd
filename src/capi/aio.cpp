// sigev_aio_*(): the C edge of sources/aio.
#include "capi/edge.hpp"
#include "capi/whose.hpp"
#include "sources/aio.hpp"
#include "sources/aio_ended.h"
#include "sources/aio_options.hpp"
#include "sources/aio_request.hpp"
#include "sources/aio_status.hpp"
#include "sys/clock.hpp"

#include <fcntl.h>

using namespace sigev;
using namespace sigev::capi;

namespace {

int submit(sources::aio_call call, aiocb* request) noexcept
{
    if (!request)
        return answer(EINVAL);
    if (sources::aio_source* const source = sources::aio_source::current(); source && source->read_inside(call, *request))
        return 0;
    return answer(guarded([&] {
        sources::aio_source* const source = sources::aio_source::ensure();
        return source ? source->submit(call, *request) : EAGAIN;
    }));
}

using operation = spi::aio_operation;

} // namespace

int sigev_aio_read(struct aiocb* request) noexcept { return submit({0, operation::read, false}, request); }

int sigev_aio_write(struct aiocb* request) noexcept { return submit({0, operation::write, false}, request); }

int sigev_aio_readv(struct aiocb* request) noexcept { return submit({0, operation::read, true}, request); }

int sigev_aio_writev(struct aiocb* request) noexcept { return submit({0, operation::write, true}, request); }

int sigev_aio_fsync(int operation, struct aiocb* request) noexcept
{
    return sigev_aio_fsync_on(0, operation, request);
}

int sigev_aio_submit_on(sigev_reactor_t reactor, int opcode, struct aiocb* request) noexcept
{
    switch (opcode) {
    case LIO_READ:
        return submit({reactor, operation::read, false}, request);
    case LIO_WRITE:
        return submit({reactor, operation::write, false}, request);
    case SIGEV_LIO_READV:
        return submit({reactor, operation::read, true}, request);
    case SIGEV_LIO_WRITEV:
        return submit({reactor, operation::write, true}, request);
    default:
        return answer(EINVAL);
    }
}

int sigev_aio_fsync_on(sigev_reactor_t reactor, int operation, struct aiocb* request) noexcept
{
    spi::aio_operation what;
    return sources::sync_operation(operation, what) ? submit({reactor, what, false}, request) : answer(EINVAL);
}

int sigev_lio_listio(int mode, struct aiocb* const list[], int entries, struct sigevent* event) noexcept
{
    return sigev_lio_listio_on(0, mode, list, entries, event);
}

int sigev_lio_listio_on(sigev_reactor_t reactor, int mode, struct aiocb* const list[], int entries,
                        struct sigevent* event) noexcept
{
    return answer(guarded([&] {
        if ((mode != LIO_WAIT && mode != LIO_NOWAIT) || entries < 0 || (entries > 0 && !list))
            return EINVAL;
        sources::aio_source* const source = sources::aio_source::ensure();
        return source ? source->submit_list(reactor, mode == LIO_WAIT, list, entries, event) : EAGAIN;
    }));
}

int sigev_aio_cancel(int descriptor, struct aiocb* request) noexcept
{
    int outcome = AIO_ALLDONE;
    const int error = guarded([&] {
        if (::fcntl(descriptor, F_GETFD) < 0)
            return EBADF;
        if (request && request->aio_fildes != descriptor)
            return EINVAL;
        if (sources::aio_source* const source = sources::aio_source::current())
            outcome = source->cancel(descriptor, request);
        return 0;
    });
    return error == 0 ? outcome : answer(error);
}

int sigev_aio_init(const struct sigev_aio_options* options) noexcept
{
    return answer(guarded([&] {
        constexpr std::uint32_t known = SIGEV_AIO_ALWAYS_QUEUE | SIGEV_AIO_KEEP_COMPLETED;
        if (!options || options->size != sizeof *options || (options->flags & ~known))
            return EINVAL;
        const std::size_t usual = options->inline_limit ? options->inline_limit : sources::usual_limit_inside_the_call;
        const spi::aio_limits limits{options->threads, options->idle_milliseconds};
        sources::choose_aio(options->flags & SIGEV_AIO_ALWAYS_QUEUE ? 0 : usual, limits);
        if (options->flags & SIGEV_AIO_KEEP_COMPLETED)
            sources::keep_aio();
        if (sources::aio_source* const source = sources::aio_source::current())
            source->choose(limits);
        return 0;
    }));
}

int sigev_aio_error(const struct aiocb* request) noexcept
{
    return request ? sources::aio_status::error(*request) : EINVAL;
}

// A request that failed answers -1 with its errno, as read() and write() themselves do.
ssize_t sigev_aio_return(struct aiocb* request) noexcept
{
    if (!request)
        return answer(EINVAL);
    const sources::aio_taken taken = sources::take_aio(*request);
    return !taken.valid ? answer(EINVAL) : taken.error == 0 ? taken.result : answer(taken.error);
}

ssize_t sigev_aio_waitcomplete(struct aiocb** request, const struct timespec* timeout) noexcept
{
    sources::aio_entry taken;
    const int error = guarded([&] {
        if (request)
            *request = nullptr;
        timespec deadline{};
        if (timeout && (timeout->tv_nsec < 0 || timeout->tv_nsec >= 1'000'000'000 || timeout->tv_sec < 0))
            return EINVAL;
        if (timeout)
            deadline = sys::to_timespec(sys::now(CLOCK_MONOTONIC) + sys::to_nanoseconds(*timeout, INT64_MAX / 2));
        sources::keep_aio();
        sources::aio_source* const source = sources::aio_source::ensure();
        if (!source)
            return EAGAIN;
        for (;;) {
            const std::uint32_t seen = ::sigev_aio_ended_look();
            if (source->take_completed(taken))
                return 0;
            if (const int ended = ::sigev_aio_ended_wait(seen, timeout ? &deadline : nullptr))
                return ended == ETIMEDOUT ? EAGAIN : ended;
        }
    });
    if (error)
        return answer(error);
    if (request)
        *request = taken.cb;
    return taken.error == 0 ? taken.result : answer(taken.error);
}

bool sigev::capi::is_request_of_ours(const aiocb& request) noexcept
{
    return sources::aio_status::is_ours(request);
}
