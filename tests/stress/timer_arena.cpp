#include "stress/timer_arena.hpp"

#include "stress/timer_books.hpp"
#include "support/support.hpp"
#include "sys/clock.hpp"
#include "sys/errno_guard.hpp"

#include <cstdlib>
#include <sstream>
#include <thread>
#include <vector>

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

namespace sigev_tests {

namespace {

namespace spi = sigev::spi;

constexpr unsigned setters = 3;
constexpr unsigned max_slots = 1 << 16;
constexpr unsigned books_per_round = 4096;
constexpr std::uint64_t quantum = 1 << 14;

/// Strikes the thread that makes it with SIGUSR1, by a timer of the kernel's, for as long as it stands.
class strikes {
public:
    explicit strikes(bool on, long every)
    {
        if (!on)
            return;
        sigevent event = {};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGUSR1;
        event._sigev_un._tid = gettid();
        const itimerspec period = {{0, every}, {0, every}};
        if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0 || timer_settime(timer_, 0, &period, nullptr) != 0)
            std::abort();
        made_ = true;
    }
    strikes(const strikes&) = delete;
    strikes& operator=(const strikes&) = delete;
    ~strikes()
    {
        if (made_)
            timer_delete(timer_);
    }

private:
    timer_t timer_ = {};
    bool made_ = false;
};

/// A small generator, one per user: the handler must not share one with the code that it interrupts.
class dice {
public:
    explicit dice(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
    std::uint64_t roll(std::uint64_t sides)
    {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return (state_ >> 20) % sides;
    }

private:
    std::uint64_t state_;
};

class arena final : spi::timer_sink {
public:
    explicit arena(const arena_options& options);
    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;
    ~arena();

    arena_result run();
    void from_handler();

private:
    struct place {
        std::atomic<timer_books*> now{nullptr}, before{nullptr};
    };

    void expired(std::uint32_t slot, std::uint32_t generation, std::uint64_t missed,
                 std::uint64_t scheduled) noexcept override;
    void retired(std::uint32_t slot, std::uint32_t generation) noexcept override;
    void wake() noexcept override;

    void react();
    void set_for_ever(unsigned number);

    void set_one(dice& d, unsigned which);
    void replace(unsigned which);
    timer_books* create();
    void destroy(timer_books& b);

    void begin_round();
    void end_round();
    void be_quiet();

    const arena_options options_;
    const std::unique_ptr<spi::timer_engine> engine_;
    const int wake_fd_;
    std::vector<place> places_;
    std::vector<std::atomic<timer_books*>> by_slot_;
    std::unique_ptr<timer_books[]> books_;
    std::atomic<unsigned> books_used_{0};

    // Not a barrier that sleeps: waking the setters would take longer than the round.
    std::atomic<std::uint64_t> round_{0};
    std::atomic<unsigned> through_{0};
    std::atomic<bool> stop_{false}, storming_{false};
    std::atomic<int> in_handlers_{0};
    std::atomic<std::uint64_t> strangers_{0}, signals_{0}, handler_seed_{1};
    arena_result result_;
    std::vector<std::thread> threads_;
};

std::atomic<arena*> attacked{nullptr};

void on_signal(int) { attacked.load()->from_handler(); }

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

// ---- the reactor

void arena::wake() noexcept
{
    const sigev::sys::errno_guard guard;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = write(wake_fd_, &one, sizeof one);
}

void arena::react()
{
    const strikes on_me(options_.storm, 53'000);
    while (!stop_) {
        pollfd fds[3] = {{wake_fd_, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}};
        int own[2];
        const unsigned count = engine_->descriptors(own);
        for (unsigned i = 0; i < count; ++i)
            fds[i + 1].fd = own[i];
        if (poll(fds, 3, -1) <= 0)
            continue; // EINTR is nothing to look for
        std::uint64_t drained;
        [[maybe_unused]] const auto n = read(wake_fd_, &drained, sizeof drained);
        while (engine_->reap())
            ;
    }
}

void arena::expired(std::uint32_t slot, std::uint32_t generation, std::uint64_t missed, std::uint64_t scheduled) noexcept
{
    timer_books* b = by_slot_[slot];
    if (b && b->generation == generation)
        b->fire(missed, scheduled);
    else
        strangers_.fetch_add(1);
}

void arena::retired(std::uint32_t slot, std::uint32_t generation) noexcept
{
    timer_books* b = by_slot_[slot];
    if (b && b->generation == generation && b->dying)
        b->retired.fetch_add(1);
    else
        strangers_.fetch_add(1);
}

// ---- the attackers

void arena::set_one(dice& d, unsigned which)
{
    place& p = places_[which];
    timer_books* b = options_.recreate && d.roll(8) == 0 ? p.before : p.now;
    if (!b)
        return;
    spi::timer_value v;
    if (d.roll(8) != 0) {
        const bool wall = options_.wall && d.roll(2) == 0;
        v.base = wall ? spi::timer_base::wall : spi::timer_base::steady;
        v.deadline = sigev::sys::now(wall ? CLOCK_REALTIME : options_.steady) + d.roll(40'000);
        v.deadline = options_.quantised ? (v.deadline / quantum + 1) * quantum : v.deadline & ~std::uint64_t{1};
        if (options_.periodic && which % 4 == 3 && d.roll(2) == 0) {
            v.deadline |= 1;
            v.interval = arena_interval;
        }
    }
    const spi::timer_exchange done = engine_->settime(b->slot, b->generation, v);
    if (done.valid) {
        b->arm(v);
        b->give_back(done.old);
    }
}

void arena::from_handler()
{
    const sigev::sys::errno_guard guard;
    in_handlers_.fetch_add(1);
    if (storming_) {
        dice d(handler_seed_.fetch_add(1));
        set_one(d, static_cast<unsigned>(d.roll(options_.timers)));
        signals_.fetch_add(1);
    }
    in_handlers_.fetch_sub(1);
}

void arena::set_for_ever(unsigned number)
{
    dice d(number + 100);
    const strikes on_me(options_.storm, 47'000 + 1'000 * number);
    // In a short round the last arming of each timer is a large part of them, and only that one can be seen to be lost.
    const int steps = options_.recreate ? 40 : 8;
    for (std::uint64_t round = 1;; ++round) {
        while (round_ < round)
            sched_yield();
        if (stop_)
            return;
        for (int i = 0; i < steps; ++i) {
            const auto which = static_cast<unsigned>(d.roll(options_.timers));
            if (options_.recreate && d.roll(6) == 0)
                replace(which);
            else
                set_one(d, which);
        }
        through_.fetch_add(1);
    }
}

timer_books* arena::create()
{
    const unsigned n = books_used_.fetch_add(1);
    if (n >= books_per_round)
        return nullptr;
    timer_books& b = books_[n];
    if (engine_->create(options_.wall, b.slot, b.generation) != 0 || b.slot >= max_slots)
        std::abort();
    by_slot_[b.slot] = &b;
    return &b;
}

void arena::destroy(timer_books& b)
{
    b.dying = true;
    if (const spi::timer_exchange done = engine_->destroy(b.slot, b.generation))
        b.give_back(done.old);
}

void arena::replace(unsigned which)
{
    place& p = places_[which];
    timer_books* b = p.now;
    if (!b || !p.now.compare_exchange_strong(b, nullptr))
        return;
    destroy(*b);
    p.before = b;
    p.now = create();
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

void arena::end_round()
{
    be_quiet();
    const auto all_alive_balanced = [&] {
        for (place& p : places_)
            if (timer_books* b = p.now; b && !b->balanced())
                return false;
        return true;
    };
    if (!wait_until(all_alive_balanced, seconds(1))) {
        ++result_.lost_rounds;
        for (place& p : places_)
            if (timer_books* b = p.now)
                engine_->gettime(b->slot, b->generation); // so that the next round begins with nothing lost
        wait_until(all_alive_balanced, seconds(1));
    }
    if (!options_.recreate)
        return;

    for (place& p : places_) {
        if (timer_books* b = p.now.exchange(nullptr))
            destroy(*b);
        p.before = nullptr;
    }
    const unsigned used = std::min(books_used_.load(), books_per_round);
    wait_until([&] { // the last word about each
        for (unsigned i = 0; i < used; ++i)
            if (books_[i].retired == 0)
                return false;
        return true;
    }, seconds(1));
    for (unsigned i = 0; i < used; ++i) {
        result_.unretired += books_[i].retired != 1;
        result_.unbalanced += !books_[i].balanced();
        result_.armed += books_[i].armed + books_[i].periodic_armed;
        result_.fired += books_[i].fired;
        result_.expirations += books_[i].expirations;
    }
    result_.created += used;
    books_ = std::make_unique<timer_books[]>(books_per_round);
    for (auto& b : by_slot_)
        b.store(nullptr, std::memory_order_relaxed);
    books_used_ = 0;
}

std::uint64_t stress_nanoseconds()
{
    const char* given = std::getenv("SIGEV_STRESS_SECONDS");
    return given ? std::strtoull(given, nullptr, 10) * sigev::sys::nanoseconds_per_second
                 : sigev::sys::nanoseconds_per_second / 2;
}

arena_result arena::run()
{
    const std::uint64_t end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
    for (unsigned n = 0; n < setters; ++n)
        threads_.emplace_back([this, n] { set_for_ever(n); });
    threads_.emplace_back([this] { react(); });

    while (sigev::sys::now(CLOCK_MONOTONIC) < end && result_.lost_rounds + result_.unbalanced + strangers_ < 10) {
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
            result_.armed += b->armed + b->periodic_armed;
            result_.fired += b->fired;
            result_.expirations += b->expirations;
            ++result_.created;
        }
    result_.strangers = strangers_;
    result_.signals = signals_;
    return result_;
}

} // namespace

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
