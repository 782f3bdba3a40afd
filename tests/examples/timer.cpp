// A timer that ought to have begun nine and a half hours ago, and expires each hour: it tells at once, and says how many
// hours have been missed. sigev_timer(3) has the same in C.
#include <sigev/posix_timer.hpp>

#include <iostream>
#include <semaphore>

using namespace std::chrono_literals;

namespace {

void on_hour(sigval value)
{
    const auto* n = sigev_current();
    std::cout << n->data << " hours, " << n->overrun << " of them missed\n";
    static_cast<std::binary_semaphore*>(value.sival_ptr)->release();
}

} // namespace

int main()
{
    std::binary_semaphore told(0);
    sigev::posix_timer hourly(CLOCK_REALTIME, sigev::target::thread(on_hour, &told));
    hourly.expires_at(std::chrono::system_clock::now().time_since_epoch() - 9h - 30min, 1h);
    told.acquire();
    const auto left = sigev::to_duration(hourly.gettime().it_value);
    std::cout << std::chrono::ceil<std::chrono::minutes>(left).count() << " minutes to go\n";
}
