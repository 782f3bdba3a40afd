// The threads of the wakeup's arena, and its rounds.
#include "stress/wakeup_arena.hpp"

#include "core/event_raw_fixture.hpp"
#include "support/stress.hpp"
#include "support/support.hpp"
#include "sys/errno_guard.hpp"

#include <array>
#include <memory>
#include <new>
#include <sstream>
#include <thread>
#include <vector>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

namespace sigev_tests {

namespace {

constexpr unsigned most_posts = 6; // of one poster in one round
constexpr unsigned lives = 4;      // objects of one run: the writers of one may fill up with those who never came out
constexpr long strike_every = 90'000;

struct alignas(64) line {
    std::atomic<std::uint64_t> published{0}, completed{0}, seen{0};
    std::atomic<std::uint64_t> left[3] = {}; // by where
};

/// Shared with the child.
struct shared {
    rounds turns;
    std::array<line, 8> lines; // posters; then the handlers', then the child's
    std::atomic<bool> stop{false}, storming{false};
    std::atomic<int> in_handlers{0};
};

class arena;
std::atomic<arena*> attacked{nullptr};

// Where this thread is in its post. Volatile: read by its own signal handler.
thread_local volatile sig_atomic_t posting = 0; // 1 + index in line::left
constinit thread_local dice yields(1);

void yield_sometimes()
{
    if (yields.roll(4) == 0)
        sched_yield();
}

void before_write()
{
    if (posting)
        posting = 2;
    abandon_sometimes();
    yield_sometimes();
}

void after_write()
{
    if (posting)
        posting = 3;
    yield_sometimes();
    abandon_sometimes();
}

class arena {
public:
    explicit arena(const wakeup_options& options) : options_(options), event_(options.kind)
    {
        void* const memory =
            mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        BOOST_REQUIRE(memory != MAP_FAILED);
        s_ = new (memory) shared;
        hooked::put_into(*event_, before_write, after_write, yield_sometimes);
        attacked = this;
    }
    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;
    ~arena()
    {
        attacked = nullptr;
        event_.close();
        core::close_retired_event_raws(); // of those that posters were abandoned in
        munmap(s_, sizeof(shared));
    }

    void live(std::uint64_t end, wakeup_result& sum);
    void struck();

private:
    line& handlers_line() const { return s_->lines[options_.posters]; }
    line& childs_line() const { return s_->lines[options_.posters + 1]; }

    void post_for_ever(unsigned number);
    void post_one(line& mine);
    void sleep_for_ever();
    bool look(bool readable);
    void be_quiet();
    bool all_seen() const;

    const wakeup_options options_;
    object event_;
    shared* s_;
    int stop_fd_ = -1;
    std::uint64_t told_ = 0, other_wakes_ = 0, never_slept_ = 0;
};

void on_strike(int) { attacked.load()->struck(); }

// ---- posters

void arena::struck()
{
    const sigev::sys::errno_guard guard;
    if (options_.posters_are == abandoned::by_signals && posting)
        siglongjmp(way_out, posting);
    if (!options_.handlers)
        return;
    s_->in_handlers.fetch_add(1);
    if (s_->storming) {
        line& mine = handlers_line();
        mine.published.fetch_add(1, std::memory_order_relaxed);
        core::post(*event_);
        mine.completed.fetch_add(1, std::memory_order_relaxed);
    }
    s_->in_handlers.fetch_sub(1);
}

void arena::post_one(line& mine)
{
    const auto number = mine.published.load(std::memory_order_relaxed) + 1;
    mine.published.store(number, std::memory_order_relaxed);
    if (const int left = sigsetjmp(way_out, 0)) {
        const auto where = posting ? posting : left;
        posting = 0;
        mine.left[where - 1].fetch_add(1, std::memory_order_relaxed);
        return;
    }
    posting = 1;
    core::post(*event_);
    posting = 0;
    mine.completed.store(number, std::memory_order_relaxed);
}

void arena::post_for_ever(unsigned number)
{
    line& mine = s_->lines[number];
    yields = dice(number + 10);
    abandon_every = options_.posters_are == abandoned::at_steps ? 7 + number : 0; // out of step with each other
    const bool struck_at_all = options_.handlers || options_.posters_are == abandoned::by_signals;
    const strikes on_me(struck_at_all, strike_every + 7'000 * number);
    for (std::uint64_t round = 1; s_->turns.await(round); ++round) {
        for (std::uint64_t n = (round + number) % most_posts + 1; n > 0; --n)
            post_one(mine);
        s_->turns.through();
    }
}

// ---- the loop

void arena::sleep_for_ever()
{
    enum : std::uint32_t { wakeup, timer, stop };
    const int set = epoll_create1(EPOLL_CLOEXEC);
    const int clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    const auto watch = [&](int fd, std::uint32_t what, std::uint32_t how) {
        epoll_event e{};
        e.events = EPOLLIN | how;
        e.data.u32 = what;
        BOOST_REQUIRE(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0);
    };
    watch(core::descriptor_of(*event_), wakeup, options_.loop == sleeper::announces_edges ? EPOLLET : 0u);
    watch(stop_fd_, stop, 0);
    watch(clock, timer, EPOLLET);
    const itimerspec often = {{0, 61'000}, {0, 61'000}};
    if (options_.other_wakes)
        timerfd_settime(clock, 0, &often, nullptr);

    const strikes on_me(options_.handlers, strike_every - 11'000); // else nothing wakes it but what is to be seen
    while (!s_->stop) {
        bool readable = false;
        if (options_.loop == sleeper::drains || core::try_sleep(*event_)) {
            epoll_event found[3];
            const int n = epoll_wait(set, found, 3, -1);
            if (options_.loop != sleeper::drains)
                core::awake(*event_);
            for (int i = 0; i < n; ++i) {
                std::uint64_t ticks;
                readable = readable || found[i].data.u32 == wakeup;
                other_wakes_ += found[i].data.u32 == timer && read(clock, &ticks, sizeof ticks) == sizeof ticks;
            }
            yield_sometimes();
        } else {
            ++never_slept_;
        }
        if (look(readable)) {
            ++told_;
            for (line& l : s_->lines)
                l.seen.store(l.published.load(std::memory_order_relaxed), std::memory_order_release);
            yield_sometimes(); // awake for a while
        }
    }
    close(clock);
    close(set);
}

bool arena::look(bool readable)
{
    switch (options_.loop) {
    case sleeper::drains:
        return readable && core::consume(*event_);
    case sleeper::announces:
        return readable ? core::consume(*event_) : core::is_posted(*event_) && core::take(*event_);
    default: // an edge that take() knows nothing of was a child's
        return (readable || core::is_posted(*event_)) && (core::take(*event_) || readable);
    }
}

// ---- the rounds

void arena::be_quiet()
{
    s_->storming = false;
    while (s_->in_handlers != 0)
        sched_yield();
}

bool arena::all_seen() const
{
    for (const line& l : s_->lines)
        if (l.seen.load(std::memory_order_acquire) < l.completed)
            return false;
    return true;
}

void arena::live(std::uint64_t end, wakeup_result& sum)
{
    const std::uint64_t begin = sigev::sys::now(CLOCK_MONOTONIC);
    stop_fd_ = eventfd(0, EFD_CLOEXEC);
    pid_t child = -1;
    if (options_.child && (child = fork()) == 0) {
        line& mine = childs_line();
        for (std::uint64_t round = 1; s_->turns.await(round); ++round) {
            post_one(mine);
            s_->turns.through();
        }
        _exit(0);
    }
    const unsigned crew = options_.posters + options_.child;
    std::vector<std::jthread> threads;
    threads.emplace_back([this] { sleep_for_ever(); });
    for (unsigned i = 0; i != options_.posters; ++i)
        threads.emplace_back([this, i] { post_for_ever(i); });
    std::uint64_t over = begin; // the last round
    while (!sum.lost && (sum.rounds == 0 || sigev::sys::now(CLOCK_MONOTONIC) < end)) {
        s_->storming = options_.handlers;
        s_->turns.run(crew);
        be_quiet();
        ++sum.rounds;
        over = sigev::sys::now(CLOCK_MONOTONIC);
        sum.lost = !wait_until([&] { return all_seen(); });
    }
    sum.until_lost += (over - begin) / 1'000'000;
    s_->stop = true;
    s_->turns.end();
    eventfd_write(stop_fd_, 1);
    threads.clear();
    if (child > 0)
        waitpid(child, nullptr, 0);
    close(stop_fd_);

    for (const line& l : s_->lines) {
        sum.posts += l.published;
        sum.left_before += l.left[0];
        sum.left_claimed += l.left[1];
        sum.left_written += l.left[2];
    }
    sum.from_handlers += handlers_line().published;
    sum.from_child += childs_line().published;
    sum.seen += told_;
    sum.other_wakes += other_wakes_;
    sum.never_slept += never_slept_;
}

/// Whatever the options are there to bring about has been seen.
bool has_met_all(const wakeup_options& o, const wakeup_result& r)
{
    return r.seen > 0 && (o.loop == sleeper::drains || r.never_slept > 0) && (!o.other_wakes || r.other_wakes > 0) &&
           (!o.handlers || r.from_handlers > 0) && (!o.child || r.from_child > 0) &&
           (o.posters_are == abandoned::never || (r.left_claimed > 0 && r.left_written > 0));
}

} // namespace

wakeup_result run_wakeup_arena(const wakeup_options& options)
{
    const handled handler(SIGUSR1, on_strike, SA_NODEFER); // left by jumps that restore no mask
    wakeup_result sum;
    // On a busy machine there are few rounds in half a second.
    const std::uint64_t patient_until =
        sigev::sys::now(CLOCK_MONOTONIC) + static_cast<std::uint64_t>(patience.count()) * 1'000'000;
    const auto goes_on = [&] { return !has_met_all(options, sum) && sigev::sys::now(CLOCK_MONOTONIC) < patient_until; };
    for (unsigned n = 0; (n < lives || goes_on()) && !sum.lost; ++n)
        std::make_unique<arena>(options)->live(
            sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds() / lives, sum);
    return sum;
}

std::string to_string(const wakeup_result& r)
{
    std::ostringstream out;
    out << r.rounds << " rounds, " << r.posts << " posts (" << r.from_handlers << " of handlers, " << r.from_child
        << " of a child), told " << r.seen << " times, " << r.other_wakes << " other wakes, " << r.never_slept
        << " times not asleep; abandoned " << r.left_before << " before they claimed, " << r.left_claimed
        << " before they had written, " << r.left_written << " after; " << (r.lost ? "LOST after " : "") << r.until_lost << " ms";
    return out.str();
}

} // namespace sigev_tests
