// Subscriptions that come and go in a handful of slots, while others submit by handles that they have had for too long: the
// stress to reuse_steps. Half a second each, SIGEV_STRESS_SECONDS for longer.
//
// Every life of a slot has a number, and what is submitted is the number that it was meant for. The sums, when everybody is
// quiet: of each life raised = accepted by submit() and delivered = calls, nothing arrives in another life, on another
// context, or after its end; no slot is left that has not been freed.
#include "core/registry.hpp"
#include "support/stress.hpp"
#include "support/support.hpp"
#include "sys/clock.hpp"
#include "sys/errno_guard.hpp"

#include <sigev.h>
#include <sigev/dispatcher.hpp>

#include <boost/asio/io_context.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

using namespace sigev;
using namespace sigev_tests;

namespace {

constexpr unsigned owners = 2, places = 4, producers = 3, contexts = 2, free_slots = places + 2;
constexpr std::uint32_t capacities[] = {1, 1, 2, 3, 8, 64, 500};
constexpr int no_context = -1;

thread_local int my_context = no_context;
constinit thread_local dice chance(5);

struct life {
    std::int64_t number = 0;
    sigev_t handle = 0;
    int context = no_context;
    std::atomic<std::uint64_t> accepted{0}, calls{0};
    std::atomic<bool> over{false};
    sigev_ledger end = {};
};

void linger()
{
    if (chance.roll(8) == 0)
        sched_yield();
}

enum class carried_by { workers, loops, kqueue };

class arena;
std::atomic<arena*> attacked{nullptr};

class arena {
public:
    explicit arena(carried_by how) : how_(how) { attacked = this; }
    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;
    ~arena() { attacked = nullptr; }

    void run();
    void called(life& of, std::int64_t data, bool may_be_late);
    void submit();

private:
    void keep_few_slots();
    void start(std::vector<std::jthread>& crew);
    void retrieve_for_ever();
    void own_for_ever(unsigned owner);
    void begin_life(unsigned place, std::deque<life>& all, dice& d);
    static void end_life(life& l, bool wait);
    static void read(life& l);
    std::size_t slots_in_use() const;
    void check(const sigev_ledger& before);

    const carried_by how_;
    core::registry* const all_ = core::registry::ensure();
    std::vector<std::uint32_t> aside_;
    std::array<std::atomic<life*>, places> living_{};
    std::array<std::deque<life>, owners> lives_;
    std::atomic<bool> over_{false}, retrieved_{false};
    std::atomic<std::int64_t> numbers_{0};
    std::atomic<std::uint64_t> strangers_{0}, elsewhere_{0}, late_{0}, not_opened_{0}, refused_{0};
    int kq_ = -1;
    std::array<boost::asio::io_context, contexts> io_;
    std::deque<sigev::dispatcher> here_;
};

void on_call(sigval v)
{
    attacked.load()->called(*static_cast<life*>(v.sival_ptr), sigev_current()->data, false);
}

void on_strike(int)
{
    const sys::errno_guard guard;
    sched_yield(); // holds up what it has interrupted
    attacked.load()->submit();
}

void arena::called(life& of, std::int64_t data, bool may_be_late)
{
    strangers_ += data != of.number;
    elsewhere_ += my_context != of.context;
    late_ += of.over && !may_be_late;
    of.calls += 1;
    linger();
    late_ += of.over && !may_be_late;
}

void arena::submit()
{
    thread_local dice d(17);
    const auto kept_for = d.roll(3);
    life* const to = living_[d.roll(places)];
    for (auto n = kept_for; n > 0; --n) // perhaps for too long
        sched_yield();
    if (!to)
        return;
    if (sigev_submit(to->handle, to->number, 0) == 0)
        to->accepted += 1;
    else
        refused_ += 1;
}

// The library takes the slot that has been free for longest: with 64 of them none would come round soon.
void arena::keep_few_slots()
{
    std::size_t made = 0, taken = 0;
    do {
        std::uint32_t index = 0;
        BOOST_REQUIRE(all_->subscriptions.acquire(index));
        aside_.push_back(index);
        made = 0;
        all_->subscriptions.for_each([&](const core::subscription&) { ++made; });
        taken = aside_.size();
    } while (taken + free_slots < made);
}

void arena::begin_life(unsigned place, std::deque<life>& all, dice& d)
{
    life& l = all.emplace_back();
    l.number = ++numbers_;
    sigevent event = {};
    event.sigev_notify = how_ == carried_by::kqueue ? SIGEV_KEVENT : how_ == carried_by::loops ? SIGEV_CALLBACK : SIGEV_THREAD;
    if (how_ == carried_by::kqueue)
        event.sigev_notify_kqueue = kq_;
    else
        event.sigev_notify_function = on_call;
    event.sigev_value.sival_ptr = &l;
    sigev_options where = {};
    where.size = sizeof where;
    if (how_ == carried_by::loops) {
        l.context = static_cast<int>(d.roll(contexts));
        where.reactor = here_[static_cast<std::size_t>(l.context)].reactor();
    }
    const bool opened = sigev_open(&event, capacities[d.roll(std::size(capacities))], &where, &l.handle) == 0;
    not_opened_ += !opened;
    living_[place] = opened ? &l : nullptr;
}

void arena::end_life(life& l, bool wait)
{
    if (wait) {
        sigev_cancel_and_wait(l.handle);
        l.over = true;
        read(l);
    }
    sigev_close(l.handle);
}

// A drain that has just taken the newest one has yet to count it, and may be held up there.
void arena::read(life& l)
{
    do
        sigev_ledger_read(l.handle, &l.end);
    while (l.end.raised != l.end.delivered + l.end.merged + l.end.pending + l.end.discarded && sched_yield() == 0);
}

void arena::own_for_ever(unsigned owner)
{
    dice d(owner + 80);
    auto& all = lives_[owner];
    const auto mine = [&](unsigned i) { return owner * (places / owners) + i; };
    for (unsigned i = 0; i != places / owners; ++i)
        begin_life(mine(i), all, d);
    while (!over_) {
        const unsigned place = mine(static_cast<unsigned>(d.roll(places / owners)));
        for (auto n = d.roll(6); n > 0; --n)
            sched_yield();
        if (life* const before = living_[place])
            end_life(*before, d.roll(4) != 0);
        begin_life(place, all, d);
    }
    for (unsigned i = 0; i != places / owners; ++i)
        if (life* const last = living_[mine(i)].exchange(nullptr))
            end_life(*last, true);
}

void arena::retrieve_for_ever()
{
    const timespec soon = {0, 2'000'000};
    while (!retrieved_) {
        sigev_kev events[3];
        const int n = sigev_kevent(kq_, nullptr, 0, events, 3, &soon);
        for (int i = 0; i < n; ++i)
            called(*static_cast<life*>(events[i].udata), events[i].data, true);
    }
}

void arena::start(std::vector<std::jthread>& crew)
{
    if (how_ == carried_by::kqueue) {
        kq_ = sigev_kqueue();
        BOOST_REQUIRE(kq_ >= 0);
        for (unsigned i = 0; i != 2; ++i)
            crew.emplace_back([this] { retrieve_for_ever(); });
    }
    for (unsigned i = 0; how_ == carried_by::loops && i != contexts; ++i) {
        here_.emplace_back(io_[i]);
        crew.emplace_back([this, i] {
            my_context = static_cast<int>(i);
            io_[i].run();
        });
    }
}

std::size_t arena::slots_in_use() const
{
    std::size_t n = 0;
    all_->subscriptions.for_each([&](const core::subscription& s) { n += !(s.gate & core::gate_freed); });
    return n;
}

void arena::run()
{
    const sigev_ledger before = core::registry::total(SIGEV_SOURCE_USER, -1);
    keep_few_slots();
    std::vector<std::jthread> carriers, crew;
    start(carriers);
    for (unsigned i = 0; i != owners; ++i)
        crew.emplace_back([this, i] { own_for_ever(i); });
    for (unsigned i = 0; i != producers; ++i)
        crew.emplace_back([this, i] {
            const strikes on_me(true, 170'000 + 11'000 * i);
            while (!over_)
                submit();
        });
    const std::uint64_t end = sys::now(CLOCK_MONOTONIC) + stress_nanoseconds();
    const auto has_met_all = [&] { // on a busy machine there is little in half a second
        return numbers_ > places && refused_ > 0 && core::registry::total(SIGEV_SOURCE_USER, -1).delivered > before.delivered;
    };
    wait_until([&] { return strangers_ + elsewhere_ + late_ != 0 || (sys::now(CLOCK_MONOTONIC) >= end && has_met_all()); },
               milliseconds(stress_nanoseconds() / 1'000'000) + patience);
    over_ = true;
    crew.clear();
    BOOST_TEST(wait_until([&] { return all_->reap_dead(true), slots_in_use() == 0; }), slots_in_use() << " never freed");
    retrieved_ = true;
    for (auto& each : here_)
        each.close();
    carriers.clear();
    if (kq_ >= 0)
        sigev_kqueue_close(kq_);
    check(before);
    for (const std::uint32_t index : aside_)
        all_->subscriptions.release(index);
}

void arena::check(const sigev_ledger& before)
{
    std::uint64_t accepted = 0, calls = 0, lives = 0, unbalanced = 0, refused = refused_;
    for (const auto& all : lives_)
        for (const life& l : all) {
            ++lives;
            accepted += l.accepted;
            calls += l.calls;
            unbalanced += l.over && (l.end.raised != l.accepted || l.end.delivered != l.calls);
        }
    const sigev_ledger sum = core::registry::total(SIGEV_SOURCE_USER, -1);
    BOOST_TEST_MESSAGE(lives << " lives, " << accepted << " accepted, " << refused << " refused, " << calls << " calls, "
                             << sum.merged - before.merged << " merged, " << sum.discarded - before.discarded << " discarded");
    BOOST_TEST(unbalanced == 0u);
    BOOST_TEST(sum.raised - before.raised == accepted);
    BOOST_TEST(sum.delivered - before.delivered == calls);
    BOOST_TEST(sum.pending == 0u);
    BOOST_TEST(strangers_ == 0u);
    BOOST_TEST(elsewhere_ == 0u);
    BOOST_TEST(late_ == 0u);
    BOOST_TEST(not_opened_ == 0u);
    BOOST_TEST(lives > places); // on a busy machine there are few
    BOOST_TEST(calls > 0u);
    BOOST_TEST(refused > 0u);
}

void stress(carried_by how)
{
    const handled handler(SIGUSR1, on_strike);
    std::make_unique<arena>(how)->run();
    sigev_shutdown();
}

} // namespace

BOOST_AUTO_TEST_SUITE(reuse_stress)

BOOST_AUTO_TEST_CASE(lives_that_workers_serve, *deadline(600)) { stress(carried_by::workers); }

BOOST_AUTO_TEST_CASE(lives_that_two_loops_serve, *deadline(600)) { stress(carried_by::loops); }

BOOST_AUTO_TEST_CASE(lives_that_a_kqueue_serves, *deadline(600)) { stress(carried_by::kqueue); }

BOOST_AUTO_TEST_SUITE_END()
