// sigev_aio_*(): the C edge of sources/aio.
#include "capi/edge.hpp"
#include "sources/aio.hpp"
#include "sources/aio_status.hpp"

using namespace sigev;
using namespace sigev::capi;

namespace {

using operation = spi::aio_operation;

int submit(sigev_reactor_t reactor, operation what, aiocb* request) noexcept
{
    return answer(guarded([&] {
        if (!request)
            return EINVAL;
        sources::aio_source* const source = sources::aio_source::ensure();
        return source ? source->submit(reactor, what, *request) : EAGAIN;
    }));
}

} // namespace

int sigev_aio_read(struct aiocb* request) noexcept { return submit(0, operation::read, request); }

int sigev_aio_write(struct aiocb* request) noexcept { return submit(0, operation::write, request); }

int sigev_aio_fsync(int operation, struct aiocb* request) noexcept
{
    return sigev_aio_fsync_on(0, operation, request);
}

int sigev_aio_submit_on(sigev_reactor_t reactor, int opcode, struct aiocb* request) noexcept
{
    switch (opcode) {
    case LIO_READ:
        return submit(reactor, operation::read, request);
    case LIO_WRITE:
        return submit(reactor, operation::write, request);
    default:
        return answer(EINVAL);
    }
}

int sigev_aio_fsync_on(sigev_reactor_t reactor, int operation, struct aiocb* request) noexcept
{
    spi::aio_operation what;
    return sources::sync_operation(operation, what) ? submit(reactor, what, request) : answer(EINVAL);
}

int sigev_aio_error(const struct aiocb* request) noexcept
{
    return request ? sources::aio_status::error(*request) : EINVAL;
}

// A request that failed answers -1 with its errno, as read() and write() themselves do.
ssize_t sigev_aio_return(struct aiocb* request) noexcept
{
    sources::aio_taken taken;
    const int error = guarded([&] {
        if (request)
            taken = sources::take_aio(*request);
        return taken.valid ? taken.error : EINVAL;
    });
    return error == 0 ? taken.result : answer(error);
}
