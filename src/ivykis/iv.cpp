// iv_*(): the C edge of the event loop.
#include <iv.h>

#include "ivykis/thread_loop.hpp"
#include "sys/cancellation_hold.hpp"
#include "sys/errno_guard.hpp"

#include <cxxabi.h>
#include <exception>

using namespace sigev;

void iv_init(void) noexcept
{
    sys::errno_guard guard;
    const sys::cancellation_hold hold;
    if (const int error = ivykis::make_thread_loop())
        guard.fail(error);
}

int iv_inited(void) noexcept
{
    return ivykis::thread_loop() ? 1 : 0;
}

// Not noexcept, and the unwinding of pthread_exit() and of a cancellation goes on: either ends the thread, as the program
// has it. What unwinds then is no object, and UBSan would say so.
__attribute__((no_sanitize("null"))) void iv_main(void)
{
    const sys::errno_guard guard;
    ivykis::loop* const l = ivykis::thread_loop();
    if (!l)
        return;
    try {
        l->run();
    } catch (const abi::__forced_unwind&) {
        throw;
    } catch (...) {
        std::terminate();
    }
}

void iv_quit(void) noexcept
{
    if (ivykis::loop* const l = ivykis::thread_loop())
        l->quit();
}

void iv_deinit(void) noexcept
{
    const sys::errno_guard guard;
    const sys::cancellation_hold hold;
    ivykis::end_thread_loop();
}
