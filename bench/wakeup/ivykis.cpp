// Peer: ivykis' iv_event_raw. The same file, with the same calls, is also linked with libsigev-iv.
#include "wakeup/cases.hpp"
#include "wakeup/ivykis_calls.h"

#include <mutex>

namespace {

using namespace sigev_bench;

class loop {
public:
    loop(void (*handler)(void*), void* argument) : event_(ivykis_open(handler, argument))
    {
        unless(event_ != nullptr, "iv_event_raw_register");
    }
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    ~loop() { ivykis_close(event_); }

    // Two first calls of iv_init() at once end in a null pointer (ivykis 0.42.4).
    static void before_thread()
    {
        static std::mutex one_at_a_time;
        const std::lock_guard lock(one_at_a_time);
        ivykis_begin_thread();
    }
    static void after_thread() { ivykis_end_thread(); }

    void run() { ivykis_run(); }
    void stop() { ivykis_stop(); }
    void post() { ivykis_post(event_); }

private:
    ivykis_event* event_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, all_of<loop>());
}
