// The method for each value of sigev_notify.
#include "spi/method.hpp"

#include <initializer_list>

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
    for (const method* m : {&none_method, &signal_method, &thread_method, &thread_id_method, &kevent_method, &callback_method})
        if (m->number == notify)
            return m;
    return notify >= SIGEV_METHOD_FIRST && notify <= SIGEV_METHOD_LAST ? &user_method : nullptr;
}

} // namespace sigev::spi
