// The rounds of the arena, and what the books say after each.
#include "stress/timer_attack.hpp"

#include "support/support.hpp"
#include "sys/clock.hpp"

#include <algorithm>
#include <sstream>

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>

namespace sigev_tests {

namespace {

std::atomic<arena*> attacked{nullptr};

void on_signal(int) { attacked.load()->from_handler(); }

} // namespace

arena::arena(const arena_options& options)
    : options_(options), engine_(spi::make_heap_engine(options.steady, *this)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), places_(options.timers), by_slot_(max_slots),
      books_(std::make_unique<timer_books[]>(books_per_round))
{
    attacked = this;
    struct sigaction action = {};
    action.sa_handler = on_signal;
    sigaction(SIGUSR1, &action, nullptr);
    begin_round();
}

arena::~arena()
{
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(SIGUSR1, &action, nullptr);
    close(wake_fd_);
}

// ---- the rounds

void arena::begin_round()
{
    for (place& p : places_)
        if (!p.now)
            p.now = create();
}

void arena::be_quiet()
{
    storming_ = false;
    wait_until([&] { return in_handlers_ == 0; });
    for (unsigned i = 3; i < options_.timers && options_.periodic; i += 4)
        if (timer_books* b = places_[i].now)
            b->give_back(engine_->settime(b->slot, b->generation, {}).old);
}

// Everybody else is quiet. The reactor sleeps, nothing has woken it, and no alarm that is near will: nothing will happen.
bool arena::is_at_rest() const
{
    const std::uint64_t turns = turns_;
    if (turns % 2 == 0)
        return false;
    constexpr std::uint64_t near = 1'000'000'000;
    if (engine_->next(spi::timer_base::steady) < sigev::sys::now(options_.steady) + near ||
        engine_->next(spi::timer_base::wall) < sigev::sys::now(CLOCK_REALTIME) + near)
        return false;
    pollfd fds[3] = {{wake_fd_, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}};
    int own[2];
    const unsigned count = engine_->descriptors(own);
    for (unsigned i = 0; i < count; ++i)
        fds[i + 1].fd = own[i];
    return poll(fds, 3, 0) == 0 && turns_ == turns;
}

// True as soon as the predicate is. False when the reactor is at rest and it still is not; or when that takes for ever.
bool arena::until(const std::function<bool()>& predicate) const
{
    bool is = false;
    wait_until([&] {
        const bool rests = is_at_rest();
        is = predicate();
        return is || rests;
    });
    return is;
}

void arena::end_round()
{
    be_quiet();
    const auto all_alive_balanced = [&] {
        for (place& p : places_)
            if (timer_books* b = p.now; b && !b->balanced())
                return false;
        return true;
    };
    if (!until(all_alive_balanced)) {
        ++result_.lost_rounds;
        for (place& p : places_)
            if (timer_books* b = p.now)
                engine_->gettime(b->slot, b->generation); // so that the next round begins with nothing lost
        until(all_alive_balanced);
    }
    if (!options_.recreate)
        return;

    for (place& p : places_) {
        if (timer_books* b = p.now.exchange(nullptr))
            destroy(*b);
        p.before = nullptr;
    }
    const unsigned used = std::min(books_used_.load(), books_per_round);
    until([&] { // the last word about each
        for (unsigned i = 0; i < used; ++i)
            if (books_[i].retired == 0)
                return false;
        return true;
    });
    for (unsigned i = 0; i < used; ++i) {
        result_.unretired += books_[i].retired != 1;
        result_.unbalanced += !books_[i].balanced();
        result_.armed += books_[i].all_armed();
        result_.fired += books_[i].fired;
        result_.expirations += books_[i].all_expirations();
    }
    result_.created += used;
    for (unsigned i = 0; i < used; ++i) {
        by_slot_[books_[i].slot] = nullptr;
        books_[i].reset();
    }
    books_used_ = 0;
}

arena_result arena::run()
{
    const std::uint64_t end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
    for (unsigned n = 0; n < setters; ++n)
        threads_.emplace_back([this, n] { set_for_ever(n); });
    threads_.emplace_back([this] { react(); });

    while ((result_.rounds == 0 || sigev::sys::now(CLOCK_MONOTONIC) < end) &&
           result_.lost_rounds + result_.unbalanced + strangers_ < 10) {
        begin_round();
        storming_ = options_.storm;
        round_.fetch_add(1);
        while (through_ != setters)
            sched_yield();
        through_ = 0;
        end_round();
        ++result_.rounds;
    }
    stop_ = true;
    round_.fetch_add(1);
    wake();
    for (auto& t : threads_)
        t.join();

    for (place& p : places_)
        if (timer_books* b = p.now) {
            result_.unbalanced += !b->balanced();
            result_.armed += b->all_armed();
            result_.fired += b->fired;
            result_.expirations += b->all_expirations();
            ++result_.created;
        }
    result_.strangers = strangers_;
    result_.signals = signals_;
    return result_;
}

std::string to_string(const arena_result& r)
{
    std::ostringstream out;
    out << "rounds " << r.rounds << ", armed " << r.armed << ", fired " << r.fired << ", periodic expirations "
        << r.expirations << ", created " << r.created << ", signals " << r.signals << "; lost rounds " << r.lost_rounds
        << ", unbalanced " << r.unbalanced << ", strangers " << r.strangers << ", unretired " << r.unretired;
    return out.str();
}

arena_result run_arena(const arena_options& options)
{
    return std::make_unique<arena>(options)->run();
}

} // namespace sigev_tests
