// iv_event_raw_*(): the C edge of a registration.
//
// Two members of the program's struct are read by posters while its owner writes them. sigev_event names memory that is
// never given back (core/event_raw.hpp), so a post that has read it just before unregister finds an object that is closed. A
// post reads sigev_loop first: an object that is not registered is not looked at any further.
#include <iv_event_raw.h>

#include "ivykis/thread_loop.hpp"
#include "sys/cancellation_hold.hpp"
#include "sys/errno_guard.hpp"

#include <boost/system/system_error.hpp>

#include <cerrno>
#include <new>

using namespace sigev;

namespace {

// Not std::atomic_ref: in C++20 it takes no const object.
template <class T>
T load(const T& from) noexcept
{
    return __atomic_load_n(&from, __ATOMIC_ACQUIRE);
}

template <class T>
void store(T& to, T value) noexcept
{
    __atomic_store_n(&to, value, __ATOMIC_RELEASE);
}

/// 0 or an errno.
int register_with(ivykis::loop& l, iv_event_raw& object) noexcept
try {
    ivykis::registration& r = l.add(object);
    object.sigev_registration = &r;
    object.sigev_epoch = l.epoch();
    store(object.sigev_event, r.event());
    store(object.sigev_loop, l.number());
    return 0;
} catch (const std::bad_alloc&) {
    return ENOMEM;
} catch (const boost::system::system_error& e) {
    return e.code().value();
}

} // namespace

void IV_EVENT_RAW_INIT(iv_event_raw* object) noexcept
{
    object->sigev_event = nullptr;
    object->sigev_registration = nullptr;
    object->sigev_loop = 0;
    object->sigev_epoch = 0;
}

int iv_event_raw_register(iv_event_raw* object) noexcept
{
    sys::errno_guard guard;
    const sys::cancellation_hold hold;
    ivykis::loop* const l = ivykis::thread_loop();
    const int error = l ? register_with(*l, *object) : EINVAL;
    return error ? guard.fail(error) : 0;
}

void iv_event_raw_unregister(iv_event_raw* object) noexcept
{
    const sys::errno_guard guard;
    const sys::cancellation_hold hold;
    if (object->sigev_loop == 0)
        return;
    ivykis::loop* const l = ivykis::thread_loop();
    if (l && l->number() == object->sigev_loop) {
        store(object->sigev_loop, 0ul);
        l->remove(*static_cast<ivykis::registration*>(object->sigev_registration));
    } else if (object->sigev_epoch != sigev_epoch()) { // the parent's: what is registered there stays registered
        store(object->sigev_loop, 0ul);
        sigev_event_raw_close(object->sigev_event);
    }
}

void iv_event_raw_post(const iv_event_raw* object) noexcept
{
    if (load(object->sigev_loop) != 0)
        sigev_event_raw_post(load(object->sigev_event));
}
