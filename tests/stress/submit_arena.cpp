// The threads of the submits' arena, and its rounds.
#include "stress/submit_arena.hpp"

#include "core/dispatcher_fixture.hpp"
#include "stress/bell.hpp"
#include "support/stress.hpp"
#include "support/support.hpp"
#include "sys/cpu_relax.hpp"
#include "sys/errno_guard.hpp"

#include <sigev.h>
#include <sigev/dispatcher.hpp>

#include <boost/asio/io_context.hpp>

#include <array>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

namespace sigev_tests {

namespace {

constexpr unsigned producers = 4;
constexpr unsigned deliverers = 4; // threads of the context
constexpr std::uint64_t most_submits = 8; // of one producer in one round
constexpr long strike_every = 150'000;
constexpr std::uint64_t fewest_rounds = 8; // also on a machine that has no time for us
constexpr std::int64_t number_bits = 40;
static_assert(bell::ringers == 2 * (producers + deliverers));

class arena;
std::atomic<arena*> attacked{nullptr};

constinit thread_local dice delays(3);
thread_local unsigned self = 0; // 0 .. producers - 1; then those who deliver
thread_local volatile sig_atomic_t in_handler = 0;

void linger()
{
    if (in_handler)
        return;
    const auto how = delays.roll(8);
    if (how == 0)
        sched_yield();
    for (auto n = how < 3 ? delays.roll(200) : 0; n > 0; --n)
        sigev::sys::cpu_relax();
}

/// A subscription, what it was given and what it has delivered.
struct account {
    static constexpr std::size_t numbers = 2 * (producers + deliverers); // of each thread and of its handler
    arena* owner = nullptr;
    std::atomic<sigev_t> handle{0};
    core::subscription* bare = nullptr;
    std::array<std::atomic<std::int64_t>, numbers> next{};
    std::array<std::atomic<std::int64_t>, numbers> last{};
    std::atomic<std::uint64_t> accepted{0}, calls{0};
    std::atomic<bool> inside{false}, over{false};
};

class arena {
public:
    explicit arena(const submit_options& options) : options_(options) { attacked = this; }
    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;
    ~arena() { attacked = nullptr; }

    submit_result run();
    void struck();
    void called(account& of, std::int64_t data);
    void ticked();

private:
    void open(account& a);
    void close(account& a);
    void cancel(account& a);
    sigev_ledger ledger(const account& a) const;
    void submit(account& a, unsigned number);
    void await(account& a, unsigned number);
    void drain();
    template <class Call>
    void serve_wakes_of(Call&& call);
    void submit_for_ever(unsigned number);

    void make_context(timer_t& timer);
    void deliver_on_context(std::vector<std::jthread>& threads);
    void play_round(dice& d);
    void be_quiet();
    void settle(account& a, bool cancelled);

    const submit_options options_;
    std::array<account, 2> accounts_;
    rounds turns_;
    std::atomic<bool> storming_{false}, drain_inside_{false};
    std::atomic<int> in_handlers_{0};
    std::atomic<std::uint64_t> from_handlers_{0}, handler_seed_{1}, ticks_{0}, twice_{0}, overtaken_{0}, late_{0}, hidden_{0};
    submit_result result_;

    boost::asio::io_context io_;
    std::optional<sigev::dispatcher> here_;
    std::optional<bell> bell_;
    std::unique_ptr<dispatcher_fixture> bare_;
};

void on_strike(int) { attacked.load()->struck(); }
void on_tick(sigval v) { static_cast<arena*>(v.sival_ptr)->ticked(); }
void on_call(sigval v)
{
    auto& of = *static_cast<account*>(v.sival_ptr);
    of.owner->called(of, sigev_current()->data);
}
spi::verdict deliver_bare(void* target, spi::delivery&, const sigev_notification& n) noexcept
{
    auto& of = *static_cast<account*>(target);
    of.owner->called(of, n.data);
    return verdict::delivered;
}
constexpr spi::method bare_method = {"bare", SIGEV_NONE, false, false, false, nullptr, deliver_bare, nullptr, nullptr,
                                     [](void*) noexcept {}};

// ---- those who deliver

void arena::called(account& of, std::int64_t data)
{
    late_ += of.over;
    twice_ += of.inside.exchange(true);
    const bool one_drain = options_.where != delivered_on::runtime;
    twice_ += one_drain && drain_inside_.exchange(true);
    linger();
    auto& last = of.last[static_cast<std::size_t>(data >> number_bits)];
    const auto number = data & ((std::int64_t{1} << number_bits) - 1);
    overtaken_ += number <= last;
    last = number;
    of.calls += 1;
    late_ += of.over; // nor does one run
    if (one_drain)
        drain_inside_ = false;
    of.inside = false;
}

void arena::ticked()
{
    twice_ += drain_inside_.exchange(true);
    linger();
    ticks_ += 1;
    drain_inside_ = false;
}

void arena::drain()
{
    auto& road = bare_->road;
    if (road.enter())
        do {
            road.run();
            linger();
        } while (!road.leave());
}

// As the loop of a program that runs the drain wherever it was told to wake it, and only there: also by a cancel, which may
// have kept others from draining.
template <class Call>
void arena::serve_wakes_of(Call&& call)
{
    const long before = counting_host::wakes_here;
    call();
    if (counting_host::wakes_here != before) {
        if (delays.roll(4) == 0)
            linger();
        drain();
    }
}

// ---- those who submit

void arena::submit(account& a, unsigned number)
{
    const auto data = (std::int64_t{number} << number_bits) | (a.next[number].fetch_add(1) + 1);
    if (!a.bare) {
        a.accepted += sigev_submit(a.handle, data, 0) == 0;
        if (bell_)
            bell_->ring(number);
        return;
    }
    serve_wakes_of([&] { a.accepted += bare_->road.submit(*a.bare, a.bare->generation.generation(), data, 0) == 0; });
}

void arena::struck()
{
    const sigev::sys::errno_guard guard;
    in_handlers_.fetch_add(1);
    if (storming_ && hidden_ == 0) { // else one signal would come after the other, and what they interrupt never go on
        in_handler = 1;
        dice d(handler_seed_.fetch_add(1));
        if (d.roll(2) == 0)
            sched_yield(); // holds up what it has interrupted
        account& to = accounts_[d.roll(2)];
        submit(to, 2 * self + 1);
        from_handlers_.fetch_add(1);
        if (options_.handlers_wait)
            await(to, 2 * self + 1);
        in_handler = 0;
    }
    in_handlers_.fetch_sub(1);
}

void arena::await(account& a, unsigned number)
{
    const std::uint64_t end = sigev::sys::now(CLOCK_MONOTONIC) + 5'000'000'000;
    while (a.last[number] != a.next[number])
        if (sched_yield(); sigev::sys::now(CLOCK_MONOTONIC) > end) {
            hidden_ += 1;
            return;
        }
}

void arena::submit_for_ever(unsigned number)
{
    self = number;
    delays = dice(number + 20);
    dice d(number + 40);
    const strikes on_me(options_.storm, strike_every + 7'000 * number);
    for (std::uint64_t round = 1; turns_.await(round); ++round) {
        for (std::uint64_t n = (round + number) % most_submits + 1; n > 0; --n)
            submit(accounts_[d.roll(2)], 2 * number);
        turns_.through();
    }
}

// ---- the rounds

void arena::open(account& a)
{
    a.owner = this;
    a.over = false;
    a.accepted = a.calls = 0;
    if (options_.where == delivered_on::producers) {
        static fake_target unused;
        a.bare = &bare_->open(unused, options_.capacity, core::raising::queueing, bare_method);
        a.bare->target = &a;
        return;
    }
    sigevent event = {};
    event.sigev_notify = SIGEV_CALLBACK;
    event.sigev_notify_function = on_call;
    event.sigev_value.sival_ptr = &a;
    sigev_options where = {};
    where.size = sizeof where;
    where.reactor = here_ ? here_->reactor() : 0;
    sigev_t handle = 0;
    BOOST_REQUIRE(sigev_open(&event, options_.capacity, &where, &handle) == 0);
    a.handle = handle;
}

void arena::close(account& a)
{
    if (a.bare)
        bare_->close(*a.bare);
    else
        sigev_close(a.handle);
}

void arena::cancel(account& a)
{
    if (a.bare) {
        serve_wakes_of([&] { bare_->road.cancel(*a.bare); });
        serve_wakes_of([&] { bare_->road.wait(*a.bare); });
    } else {
        sigev_cancel_and_wait(a.handle);
    }
    a.over = true;
    ++result_.cancels;
}

sigev_ledger arena::ledger(const account& a) const
{
    sigev_ledger l = {};
    if (a.bare)
        l = core::registry::read(*a.bare);
    else
        sigev_ledger_read(a.handle, &l);
    return l;
}

void arena::be_quiet()
{
    storming_ = false;
    while (in_handlers_ != 0)
        sched_yield();
}

void arena::settle(account& a, bool cancelled)
{
    result_.lost_rounds += !wait_until([&] { return ledger(a).pending == 0; });
    const sigev_ledger l = ledger(a);
    result_.unbalanced += l.raised != a.accepted || l.delivered != a.calls || l.pending != 0 ||
                          l.raised != l.delivered + l.merged + l.discarded || (!cancelled && l.discarded != 0);
}

void arena::play_round(dice& d)
{
    const bool cancels = options_.cancel && (result_.cancels == 0 || d.roll(3) == 0);
    account& a = accounts_[d.roll(2)];
    storming_ = options_.storm;
    if (bell_)
        bell_->begin();
    turns_.begin();
    if (cancels) {
        for (auto n = d.roll(20); n > 0; --n)
            sched_yield();
        cancel(a);
    }
    turns_.finish(producers);
    be_quiet();
    if (bell_) {
        bell_->finish();
        result_.lost_rounds += !wait_until([&] { return bell_->all_heard(); });
    }
    ++result_.rounds;
    for (account& one : accounts_)
        settle(one, &one == &a && cancels);
    if (cancels) {
        const sigev_ledger l = ledger(a);
        result_.accepted += a.accepted;
        result_.calls += a.calls;
        result_.merged += l.merged;
        result_.discarded += l.discarded;
        close(a);
        open(a);
    }
}

void arena::make_context(timer_t& timer)
{
    here_.emplace(io_);
    sigevent event = {};
    event.sigev_notify = SIGEV_CALLBACK;
    event.sigev_notify_function = on_tick;
    event.sigev_value.sival_ptr = this;
    const itimerspec often = {{0, 150'000}, {0, 150'000}};
    BOOST_REQUIRE(sigev_timer_create_on(here_->reactor(), CLOCK_MONOTONIC, &event, &timer) == 0);
    BOOST_REQUIRE(sigev_timer_settime(timer, 0, &often, nullptr) == 0);
}

void arena::deliver_on_context(std::vector<std::jthread>& threads)
{
    for (unsigned i = 0; i != deliverers; ++i)
        threads.emplace_back([this, i] {
            self = producers + i;
            delays = dice(i + 30);
            const strikes on_me(options_.storm, 4 * strike_every + 31'000 * i);
            io_.run();
        });
}

submit_result arena::run()
{
    std::vector<std::jthread> threads;
    timer_t timer = {};
    if (options_.where == delivered_on::context)
        make_context(timer);
    else if (options_.where == delivered_on::producers)
        bare_ = std::make_unique<dispatcher_fixture>();
    for (account& a : accounts_)
        open(a);
    if (options_.child)
        bell_.emplace(io_, std::vector<sigev_t>{accounts_[0].handle, accounts_[1].handle});
    if (here_)
        deliver_on_context(threads);
    std::vector<std::jthread> crew;
    for (unsigned i = 0; i != producers; ++i)
        crew.emplace_back([this, i] { submit_for_ever(i); });

    dice d(60);
    const std::uint64_t end = sigev::sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
    const auto wrong = [&] { return result_.lost_rounds + result_.unbalanced + twice_ + overtaken_ + late_ + hidden_; };
    while ((sigev::sys::now(CLOCK_MONOTONIC) < end || result_.rounds < fewest_rounds) && wrong() == 0)
        play_round(d);
    turns_.end();
    crew.clear();
    if (here_) {
        sigev_timer_delete_wait(timer);
        here_->close();
        if (bell_)
            bell_->close();
        threads.clear();
    }
    for (account& a : accounts_) {
        const sigev_ledger l = ledger(a);
        result_.accepted += a.accepted;
        result_.calls += a.calls;
        result_.merged += l.merged;
        close(a);
    }
    result_.from_handlers = from_handlers_;
    result_.ticks = ticks_;
    result_.twice_at_once = twice_;
    result_.overtaken = overtaken_;
    result_.after_the_end = late_;
    result_.hidden = hidden_;
    if (bell_) {
        result_.rung = bell_->rung();
        result_.rung_by_the_child = bell_->rung_by_the_child();
        result_.twice_at_once += bell_->twice_at_once();
        result_.from_another_process = bell_->reached();
    }
    return result_;
}

} // namespace

submit_result run_submit_arena(const submit_options& options)
{
    const handled handler(SIGUSR1, on_strike);
    const submit_result result = std::make_unique<arena>(options)->run();
    sigev_shutdown(); // no strike is on its way any more, and no handle is open
    return result;
}

std::string to_string(const submit_result& r)
{
    std::ostringstream out;
    out << r.rounds << " rounds, " << r.accepted << " accepted (" << r.from_handlers << " submits of handlers), " << r.calls
        << " calls, " << r.merged << " merged, " << r.discarded << " discarded by " << r.cancels << " cancels, " << r.ticks
        << " ticks; lost rounds " << r.lost_rounds << ", unbalanced " << r.unbalanced << ", two at once " << r.twice_at_once
        << ", overtaken " << r.overtaken << ", after the end " << r.after_the_end << ", hidden " << r.hidden;
    if (r.rung)
        out << "; rung " << r.rung << " times, " << r.rung_by_the_child << " of them by a child, of whose submits "
            << r.from_another_process << " were taken";
    return out.str();
}

} // namespace sigev_tests
