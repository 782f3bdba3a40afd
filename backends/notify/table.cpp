// The method for each value of sigev_notify.
#include "spi/method.hpp"

namespace sigev::backends {

extern const spi::method none_method;
extern const spi::method signal_method;
extern const spi::method thread_method;
extern const spi::method thread_id_method;
extern const spi::method kevent_method;
extern const spi::method callback_method;
extern const spi::method user_method;

} // namespace sigev::backends

namespace sigev::spi {

const method* builtin_method(int notify) noexcept
{
    using namespace backends;
    switch (notify) {
    case SIGEV_NONE: return &none_method;
    case SIGEV_SIGNAL: return &signal_method;
    case SIGEV_THREAD: return &thread_method;
    case SIGEV_THREAD_ID: return &thread_id_method;
    case SIGEV_KEVENT: return &kevent_method;
    case SIGEV_CALLBACK: return &callback_method;
    }
    return notify >= SIGEV_METHOD_FIRST && notify <= SIGEV_METHOD_LAST ? &user_method : nullptr;
}

} // namespace sigev::spi
