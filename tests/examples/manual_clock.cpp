// A session that ends after a quarter of an hour without a sign of life, and its test, which takes no quarter of an hour.
#include <sigev/manual_clock.hpp>
#include <sigev/posix_timer.hpp>
#include <sigev/target.hpp>

#include <chrono>
#include <cstdio>

using namespace std::chrono_literals;

namespace {

class session {
public:
    /// On the reactor, and the clock, that it is given: the host's, or a test's.
    session(sigev_reactor_t on, const sigev::timer_options& how)
        : idle_(on, CLOCK_MONOTONIC, sigev::target::callback(&on_idle, this), how)
    {
        touch();
    }
    void touch() { idle_.expires_after(15min); }
    bool open() const { return open_; }

private:
    static void on_idle(sigval self) { static_cast<session*>(self.sival_ptr)->open_ = false; }

    bool open_ = true;
    sigev::posix_timer idle_;
};

} // namespace

int main()
{
    sigev_reactor_t reactor = 0;
    if (sigev_reactor_open(&reactor) != 0)
        return 1;
    {
        sigev::manual_clock clock;
        session s(reactor, {.clock = clock.native_handle()});
        clock.advance(14min);
        std::printf("after 14 minutes: %s\n", s.open() ? "open" : "closed");
        s.touch();
        clock.advance(15min - 1ns);
        std::printf("15 minutes after the last sign, but for a nanosecond: %s\n", s.open() ? "open" : "closed");
        clock.advance(1ns);
        std::printf("then: %s\n", s.open() ? "open" : "closed");
    }
    return sigev_reactor_close(reactor);
}
