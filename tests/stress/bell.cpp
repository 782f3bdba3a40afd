#include "stress/bell.hpp"

#include "support/support.hpp"

#include <cerrno>
#include <new>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sigev_tests {

namespace {
constexpr unsigned most_rings = 4; // of the child, in one round
}

bell::bell(boost::asio::io_context& io, const std::vector<sigev_t>& handles) : event_(io)
{
    void* const memory = mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    BOOST_REQUIRE(memory != MAP_FAILED);
    s_ = new (memory) shared;
    child_ = fork();
    BOOST_REQUIRE(child_ >= 0);
    if (child_ == 0)
        be_the_child(handles);
    listen();
}

bell::~bell()
{
    s_->turns.end();
    waitpid(child_, nullptr, 0);
    munmap(s_, sizeof(shared));
}

void bell::be_the_child(const std::vector<sigev_t>& handles)
{
    for (std::uint64_t round = 1; s_->turns.await(round); ++round) {
        for (std::uint64_t n = round % most_rings + 1; n > 0; --n) {
            ring(s_->lines[ringers]);
            for (const sigev_t each : handles)
                if (sigev_submit(each, 1, 0) == 0 || errno != EINVAL)
                    s_->reached += 1;
        }
        s_->turns.through();
    }
    _exit(0);
}

void bell::ring(unsigned ringer) { ring(s_->lines[ringer]); }

// What publishes the count is the post.
void bell::ring(line& mine)
{
    const auto number = mine.counted.load(std::memory_order_relaxed) + 1;
    mine.counted.store(number, std::memory_order_relaxed);
    event_.post();
    mine.said.store(number, std::memory_order_relaxed);
}

void bell::listen()
{
    event_.async_wait([this](const boost::system::error_code& error) {
        if (error)
            return;
        twice_ += inside_.exchange(true);
        for (line& l : s_->lines)
            l.heard.store(l.counted.load(std::memory_order_relaxed), std::memory_order_release);
        inside_ = false;
        listen();
    });
}

void bell::begin() { s_->turns.begin(); }
void bell::finish() { s_->turns.finish(1); }

bool bell::all_heard() const
{
    for (const line& l : s_->lines)
        if (l.heard.load(std::memory_order_acquire) < l.said.load(std::memory_order_relaxed))
            return false;
    return true;
}

std::uint64_t bell::rung() const
{
    std::uint64_t sum = 0;
    for (const line& l : s_->lines)
        sum += l.said;
    return sum;
}

} // namespace sigev_tests
