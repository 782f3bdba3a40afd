// Many timers that are due at once: their calls go to the workers' lanes by the handful. Here something happens in the middle
// of one: a callback ends its thread, forks, blocks, or takes others away. Of the rest nothing is lost, late, or told twice.
//
// A manual clock makes that the same each time: all are due with one leap of it. (In which order nobody promises: what counts
// is the turn of a call, and not which timer's it is.) Where the rest has to wait in its lanes, all are for one worker: on a
// stack of the program's own there is no second one. On the host's clock it is the leader that hands them over, and goes on to
// call them.
#include "fork_fixture.hpp"

#include <memory>
#include <thread>

#include <sys/mman.h>
#include <sys/wait.h>

using namespace sigev_tests;

namespace {

constexpr unsigned many = 100; // a full handful, and one that is not

thread_local bool has_ended = false; // the callback that this thread is for has called pthread_exit()

/// Seen by children as well.
struct tally {
    std::array<std::atomic<int>, many> calls{};
    std::atomic<int> in_a_child{0};
};

enum class time_of_day { manual, hosts };

class handful {
public:
    explicit handful(pthread_attr_t* attributes = nullptr, time_of_day time = time_of_day::manual) : time_(time) {
        void* const memory = mmap(nullptr, sizeof(tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        BOOST_REQUIRE(memory != MAP_FAILED);
        told = new (memory) tally;
        before_ = total();
        if (time == time_of_day::manual)
            BOOST_REQUIRE(sigev_manual_clock_open(nullptr, &clock_) == 0);
        for (unsigned i = 0; i != many; ++i) {
            all_[i].of = this;
            all_[i].number = i;
            sigev_timer_options o{};
            o.size = sizeof o;
            o.manual_clock = clock_;
            sigevent e = make_event(SIGEV_THREAD, receive, &all_[i], attributes);
            BOOST_REQUIRE(sigev_timer_create_with(&o, CLOCK_MONOTONIC, &e, &all_[i].timer) == 0);
        }
    }
    handful(const handful&) = delete;
    handful& operator=(const handful&) = delete;
    ~handful() {
        for (unsigned i = 0; i != many; ++i)
            remove(i);
        if (clock_)
            BOOST_TEST(sigev_manual_clock_close(clock_) == 0);
        BOOST_TEST(sigev_shutdown() == 0); // before this goes
        munmap(told, sizeof(tally));
    }

    /// All are due at once.
    void go() const {
        timespec present{};
        if (clock_)
            BOOST_REQUIRE(sigev_manual_clock_gettime(clock_, CLOCK_MONOTONIC, &present) == 0);
        else
            clock_gettime(CLOCK_MONOTONIC, &present);
        const itimerspec soon{{0, 0}, time_of(nanoseconds_of(present) + 10 * ms)};
        for (const one& each : all_)
            BOOST_REQUIRE(sigev_timer_settime(each.timer, TIMER_ABSTIME, &soon, nullptr) == 0);
        if (clock_)
            BOOST_REQUIRE(sigev_manual_clock_settime(clock_, CLOCK_MONOTONIC, &soon.it_value) == 0);
    }

    /// Waits for the callback, if it runs. Of one that has not been called: there comes none.
    void remove(unsigned number) {
        if (timer_t& t = all_[number].timer; t) {
            if (sigev_timer_delete_wait(t) != 0)
                ++failures;
            t = nullptr;
        }
    }

    /// Of those that have not been called all but the first `spared`, and not more than `most`. While none is being called.
    void remove_waiting(unsigned spared, unsigned most) {
        for (unsigned i = 0; i != many; ++i)
            if (told->calls[i] == 0 && (spared == 0 || spared-- == 0) && removed != most) {
                remove(i);
                removed_[i] = true;
                ++removed;
            }
    }

    timer_t timer(unsigned number) const { return all_[number].timer; }

    /// What has come to the account of all timers since this one was made.
    sigev_ledger ledger() const {
        const sigev_ledger now = total();
        return make_ledger(now.raised - before_.raised, now.delivered - before_.delivered, now.merged - before_.merged,
                           now.pending - before_.pending, now.discarded - before_.discarded);
    }
    bool until_delivered(std::uint64_t n) const {
        return wait_until([&] { return ledger().delivered == n; });
    }

    /// No more comes: each was called once, but for those that remove_waiting() has taken.
    void check_end() {
        for (unsigned i = 0; i != many; ++i)
            remove(i);
        for (unsigned i = 0; i != many; ++i)
            BOOST_TEST(told->calls[i] == (removed_[i] ? 0 : 1), "number " << i << ": " << told->calls[i] << " calls");
        BOOST_TEST(told->in_a_child == 0);
        BOOST_TEST(failures == 0);
        SIGEV_CHECK_LEDGER(ledger(), many, many - removed, 0, 0, removed);
    }

    tally* told = nullptr;
    std::atomic<int> failures{0};
    unsigned removed = 0;
    std::function<void(unsigned turn, unsigned number)> inside;

private:
    struct one {
        handful* of;
        unsigned number;
        timer_t timer;
    };

    static sigev_ledger total() {
        sigev_ledger l{};
        BOOST_REQUIRE(sigev_ledger_total(SIGEV_SOURCE_TIMER, SIGEV_THREAD, &l) == 0);
        return l;
    }

    static void receive(sigval v) {
        const auto& self = *static_cast<one*>(v.sival_ptr);
        ++self.of->told->calls[self.number];
        if (getpid() != self.of->owner_)
            ++self.of->told->in_a_child;
        if (const unsigned turn = self.of->turns_++; self.of->inside)
            self.of->inside(turn, self.number);
    }

    const time_of_day time_;
    const pid_t owner_ = getpid();
    sigev_manual_clock_t clock_ = 0;
    sigev_ledger before_{};
    std::array<one, many> all_{};
    std::array<bool, many> removed_{};
    std::atomic<unsigned> turns_{0};
};

/// Of threads: as the program has them without saying so, on one stack, or of another size.
class attributes {
public:
    enum kind { usual, one_worker, small };
    explicit attributes(kind k) {
        if (k == usual)
            return;
        pthread_attr_init(&own_);
        if (k == small) {
            pthread_attr_setstacksize(&own_, 256 << 10);
        } else {
            stack_.reset(static_cast<char*>(std::aligned_alloc(4096, size)));
            BOOST_REQUIRE(pthread_attr_setstack(&own_, stack_.get(), size) == 0);
        }
        pointer = &own_;
    }
    attributes(const attributes&) = delete;
    attributes& operator=(const attributes&) = delete;
    ~attributes() {
        if (pointer)
            pthread_attr_destroy(pointer);
    }

    pthread_attr_t* pointer = nullptr;

private:
    static constexpr std::size_t size = 2 << 20;
    struct deleter {
        void operator()(char* p) const { std::free(p); }
    };
    std::unique_ptr<char, deleter> stack_;
    pthread_attr_t own_;
};

/// What a child of any of these may have: a handful of its own.
void use_one_of_its_own() {
    use_everything();
    handful own;
    own.go();
    BOOST_TEST(own.until_delivered(many));
    own.check_end();
}

void some_end_their_threads(pthread_attr_t* with, time_of_day time) {
    std::atomic<int> on_a_dead_one{0};
    handful all(with, time);
    all.inside = [&](unsigned turn, unsigned) {
        on_a_dead_one += has_ended;
        for (const unsigned it : {0u, 31u, 32u, 63u, 64u, many - 1})
            if (turn == it) {
                has_ended = true;
                pthread_exit(nullptr);
            }
    };
    all.go();
    BOOST_TEST(all.until_delivered(many));
    all.check_end();
    BOOST_TEST(on_a_dead_one == 0);
}

void some_block(pthread_attr_t* with, time_of_day time) {
    gate release;
    std::atomic<unsigned> passed{0}, impatient{0};
    handful all(with, time);
    all.inside = [&](unsigned turn, unsigned) {
        if (turn % 10 == 3)
            impatient += !release.wait(seconds(60));
        else
            ++passed;
    };
    all.go();
    BOOST_TEST(wait_until([&] { return passed == many - many / 10; }));
    BOOST_TEST(!release.is_open());
    release.open();
    BOOST_TEST(all.until_delivered(many));
    all.check_end();
    BOOST_TEST(impatient == 0u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(handfuls)

BOOST_AUTO_TEST_CASE(what_stands_behind_one_that_ends_its_thread_is_called_once_by_another) {
    for (const auto time : {time_of_day::manual, time_of_day::hosts})
        some_end_their_threads(nullptr, time);
}

// All that stands behind it waits for the thread that comes in its place.
BOOST_AUTO_TEST_CASE(what_stands_behind_one_that_ends_the_only_thread_is_called_once_by_the_next) {
    const attributes with(attributes::one_worker);
    for (const auto time : {time_of_day::manual, time_of_day::hosts})
        some_end_their_threads(with.pointer, time);
}

BOOST_AUTO_TEST_CASE(the_rest_does_not_wait_for_those_that_block) {
    for (const auto time : {time_of_day::manual, time_of_day::hosts})
        some_block(nullptr, time);
}

BOOST_AUTO_TEST_CASE(nor_with_attributes_of_their_own) {
    const attributes with(attributes::small);
    for (const auto time : {time_of_day::manual, time_of_day::hosts})
        some_block(with.pointer, time);
}

// One blocks and one ends its thread, where what is woken runs before who wakes it.
BOOST_AUTO_TEST_CASE(real_time_threads_share_one_as_others_do) {
    const attributes with(attributes::small);
    const sched_param priority{1};
    BOOST_REQUIRE(pthread_attr_setinheritsched(with.pointer, PTHREAD_EXPLICIT_SCHED) == 0);
    BOOST_REQUIRE(pthread_attr_setschedpolicy(with.pointer, SCHED_FIFO) == 0);
    BOOST_REQUIRE(pthread_attr_setschedparam(with.pointer, &priority) == 0);
    if (open_error(make_event(SIGEV_THREAD, [](sigval) {}, nullptr, with.pointer)) == EPERM)
        skip("threads of SCHED_FIFO are not permitted here");
    for (const auto time : {time_of_day::manual, time_of_day::hosts}) {
        gate release;
        std::atomic<unsigned> passed{0}, others{0}, impatient{0};
        handful all(with.pointer, time);
        all.inside = [&](unsigned turn, unsigned) {
            int policy = -1;
            sched_param here{};
            pthread_getschedparam(pthread_self(), &policy, &here);
            others += policy != SCHED_FIFO || here.sched_priority != 1;
            if (turn == 31)
                impatient += !release.wait(seconds(60));
            ++passed;
            if (turn == 40)
                pthread_exit(nullptr);
        };
        all.go();
        BOOST_TEST(wait_until([&] { return passed == many - 1; }));
        release.open();
        BOOST_TEST(all.until_delivered(many));
        all.check_end();
        BOOST_TEST(others == 0u);
        BOOST_TEST(impatient == 0u);
    }
}

BOOST_AUTO_TEST_CASE(what_stands_behind_one_that_forks_is_the_parents_alone) {
    need_threads_in_a_child();
    need_the_allocator_in_a_child();
    for (const auto kind : {attributes::usual, attributes::one_worker}) {
        const attributes with(kind);
        child_end end;
        handful all(with.pointer);
        all.inside = [&](unsigned turn, unsigned) {
            if (turn == 31)
                end = child(use_one_of_its_own);
        };
        all.go();
        BOOST_TEST(all.until_delivered(many));
        all.check_end();
        BOOST_TEST(end == exited_well);
    }
}

// The child's only thread comes back to a worker's loop that is the parent's, and ends.
BOOST_AUTO_TEST_CASE(a_child_that_comes_back_from_its_callback_calls_none_of_the_others) {
    need_the_allocator_in_a_child();
    if (under_thread_sanitizer)
        skip("ThreadSanitizer is not up to the end of a thread that has forked, in the child");
    for (const auto kind : {attributes::usual, attributes::one_worker}) {
        const attributes with(kind);
        std::atomic<pid_t> forked{0};
        handful all(with.pointer);
        all.inside = [&](unsigned turn, unsigned) {
            if (turn == 31)
                forked = fork();
        };
        all.go();
        BOOST_TEST(all.until_delivered(many));
        int status = -1;
        BOOST_REQUIRE(forked > 0);
        BOOST_REQUIRE(waitpid(forked, &status, 0) == forked);
        BOOST_TEST(status == 0);
        all.check_end();
    }
}

BOOST_AUTO_TEST_CASE(a_child_that_another_thread_forks_has_nothing_of_what_waits_in_the_lanes) {
    need_threads_in_a_child();
    need_the_allocator_in_a_child();
    const attributes with(attributes::one_worker);
    gate entered, release;
    std::atomic<unsigned> impatient{0};
    handful all(with.pointer);
    all.inside = [&](unsigned turn, unsigned) {
        if (turn == 31) {
            entered.open();
            impatient += !release.wait(seconds(60));
        }
    };
    all.go();
    BOOST_REQUIRE(entered.wait());
    BOOST_TEST(child(use_one_of_its_own) == exited_well);
    release.open();
    BOOST_TEST(all.until_delivered(many));
    all.check_end();
    BOOST_TEST(impatient == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_deleted_in_the_middle_of_one_is_not_waited_for_nor_called) {
    const attributes with(attributes::one_worker);
    gate entered, release;
    std::atomic<unsigned> impatient{0};
    handful all(with.pointer);
    all.inside = [&](unsigned turn, unsigned) {
        if (turn == 31) {
            entered.open();
            impatient += !release.wait(seconds(60));
        }
    };
    all.go();
    BOOST_REQUIRE(entered.wait());
    SIGEV_CHECK_LEDGER(all.ledger(), many, 31, 0, many - 31, 0);
    all.remove_waiting(10, 40); // returns, while nothing moves
    SIGEV_CHECK_LEDGER(all.ledger(), many, 31, 0, many - 31 - 40, 40);
    release.open();
    BOOST_TEST(all.until_delivered(many - 40));
    all.check_end();
    BOOST_TEST(impatient == 0u);
}

BOOST_AUTO_TEST_CASE(one_that_runs_in_the_middle_of_it_is_waited_for) {
    const attributes with(attributes::one_worker);
    gate entered, release;
    std::atomic<bool> came_back{false}, early{false};
    std::atomic<unsigned> impatient{0}, running{0};
    handful all(with.pointer);
    all.inside = [&](unsigned turn, unsigned number) {
        if (turn == 31) {
            running = number;
            entered.open();
            impatient += !release.wait(seconds(60));
            came_back = true;
        }
    };
    all.go();
    BOOST_REQUIRE(entered.wait());
    const timer_t it = all.timer(running);
    std::thread remover([&] {
        all.remove(running);
        early = !came_back;
    });
    itimerspec left{};
    BOOST_TEST(wait_until([&] { return sigev_timer_gettime(it, &left) != 0; })); // he is at it
    all.remove_waiting(0, 1); // the one behind it
    release.open();
    remover.join();
    BOOST_TEST(!early);
    BOOST_TEST(all.until_delivered(many - 1));
    all.check_end();
    BOOST_TEST(impatient == 0u);
}

BOOST_AUTO_TEST_CASE(a_callback_deletes_those_that_stand_behind_it) {
    const attributes with(attributes::one_worker);
    gate all_were_raised;
    std::atomic<unsigned> impatient{0};
    handful all(with.pointer);
    all.inside = [&](unsigned turn, unsigned) {
        if (turn == 31) {
            impatient += !all_were_raised.wait();
            all.remove_waiting(0, 40);
        }
    };
    all.go();
    all_were_raised.open();
    BOOST_TEST(all.until_delivered(many - 40));
    all.check_end();
    BOOST_TEST(impatient == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
