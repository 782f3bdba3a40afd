// "All that a delivery needs is reserved when the subscription is made": ten thousand notifications raised while something is
// used up, by each method and on both kinds of reactor. When the limit is lifted all of them have been delivered or merged.
// The rationale of timer_create() in POSIX asks for it of timers; here it holds for every source.
#include "capi/fixture.hpp"
#include "failing_malloc.hpp"
#include "limits.hpp"

#include <thread>
#include <vector>

#include <fcntl.h>

using namespace sigev_tests;

namespace {

constexpr int raised = 10'000;
constexpr std::uint32_t capacity = 64;
const int rt = SIGRTMIN + 3;

/// All methods at once, each with a target that takes what comes.
class every_method {
public:
    explicit every_method(const place& on) : on_(on), queue_(sigev_kqueue())
    {
        BOOST_REQUIRE(queue_ >= 0);
        sigev_method method{};
        method.size = sizeof method;
        method.name = "counting";
        method.context = &own_;
        method.deliver = [](void* context, void*, const sigev_notification*) noexcept {
            ++*static_cast<std::atomic<int>*>(context);
            return static_cast<int>(SIGEV_DELIVERED);
        };
        number_ = sigev_method_register(&method);
        BOOST_REQUIRE(number_ > 0);
        for (const auto& event :
             {make_event(SIGEV_NONE), make_event(SIGEV_SIGNAL, rt), make_thread_id_event(this_thread(), rt),
              make_event(SIGEV_THREAD, &mailbox::receive, &box_), kevent(), make_event(SIGEV_CALLBACK, &mailbox::receive, &box_),
              make_event(number_)})
            all_.push_back(std::make_unique<subscription>(on, event, capacity));
    }
    ~every_method()
    {
        all_.clear();
        sigev_method_unregister(number_);
        sigev_kqueue_close(queue_);
    }

    /// No memory is asked for, and nothing is checked: it may run while there is none.
    bool raise_all() noexcept
    {
        bool good = true;
        for (int i = 0; i != raised; ++i) {
            for (const auto& s : all_)
                good &= sigev_submit(s->handle(), i, 0) == 0;
            if (i % 16 == 0 && on_.is_borrowed())
                on_.turn(0);
        }
        return good;
    }

    /// Everything that can be delivered now is: the threads are given time, and nobody takes a signal or an event.
    void let_run() const
    {
        for (int i = 0; i != 200; ++i) {
            if (on_.is_borrowed())
                on_.turn(0);
            sched_yield();
        }
    }

    void check_that_nothing_was_lost()
    {
        const bool settled = on_.until([&] {
            take_all();
            return std::all_of(all_.begin(), all_.end(), [](const auto& s) { return s->ledger().pending == 0; });
        });
        BOOST_TEST(settled);
        for (const auto& s : all_) {
            const sigev_ledger l = s->ledger();
            BOOST_TEST_CONTEXT("method " << (&s - all_.data()) << ": " << text(l)) {
                BOOST_TEST(l.raised == std::uint64_t{raised});
                BOOST_TEST(l.delivered + l.merged == l.raised);
                BOOST_TEST(l.discarded == 0u);
                BOOST_TEST(l.delivered >= 1u);
            }
        }
    }

private:
    sigevent kevent() const
    {
        sigevent e = make_event(SIGEV_KEVENT);
        e.sigev_notify_kqueue = queue_;
        return e;
    }

    void take_all()
    {
        while (signals_.take(0))
            ;
        sigev_kev events[64];
        const timespec none{};
        while (sigev_kevent(queue_, nullptr, 0, events, 64, &none) > 0)
            ;
    }

    const place& on_;
    const blocked_signals signals_{rt};
    const int queue_;
    mailbox box_;
    std::atomic<int> own_{0};
    int number_ = 0;
    std::vector<std::unique_ptr<subscription>> all_;
};

void as_another_user_on(const place& on, const std::function<void(const place&)>& body)
{
    as_another_user([&] {
        const place here(on.is_borrowed() ? place::borrowed : place::runtime); // a child has nothing of its parent's
        body(here);
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(reservation, *deadline(120))

SIGEV_TEST_ON_BOTH(without_threads_nothing_is_lost)
{
    as_another_user_on(on, [](const place& here) {
        every_method targets(here);
        {
            const lowered limit(RLIMIT_NPROC, 0);
            BOOST_TEST(targets.raise_all());
            targets.let_run();
        }
        targets.check_that_nothing_was_lost();
    });
}

SIGEV_TEST_ON_BOTH(without_room_in_the_signal_queue_nothing_is_lost)
{
    as_another_user_on(on, [](const place& here) {
        every_method targets(here);
        {
            const lowered limit(RLIMIT_SIGPENDING, 0);
            BOOST_TEST(targets.raise_all());
            targets.let_run();
        }
        targets.check_that_nothing_was_lost(); // nobody is told that the limit is another now
    });
}

SIGEV_TEST_ON_BOTH(without_descriptors_nothing_is_lost)
{
    need_no_descriptors();
    every_method targets(on);
    {
        const lowered limit(RLIMIT_NOFILE, 0);
        BOOST_TEST(targets.raise_all());
        targets.let_run();
    }
    targets.check_that_nothing_was_lost();
}

SIGEV_TEST_ON_BOTH(without_memory_nothing_is_lost)
{
    if (!no_memory::works())
        skip("the sanitizer has the allocator");
    every_method targets(on);
    bool good;
    unsigned long refused;
    {
        const no_memory limit;
        good = targets.raise_all();
        targets.let_run();
        refused = no_memory::refusals();
    }
    BOOST_TEST_MESSAGE("memory was asked for " << refused << " times, and refused");
    BOOST_TEST(good);
    targets.check_that_nothing_was_lost();
}

SIGEV_TEST_ON_BOTH(without_anything_nothing_is_lost)
{
    if (!no_memory::works())
        skip("the sanitizer has the allocator");
    as_another_user_on(on, [](const place& here) {
        every_method targets(here);
        bool good;
        {
            const lowered threads(RLIMIT_NPROC, 0), signals(RLIMIT_SIGPENDING, 0), descriptors(RLIMIT_NOFILE, 0);
            const no_memory limit;
            good = targets.raise_all();
            targets.let_run();
        }
        BOOST_TEST(good);
        targets.check_that_nothing_was_lost();
    });
}

// E20: glibc's timer_create() with SIGEV_THREAD fails for ever once it has failed.
SIGEV_TEST_ON_BOTH(what_failed_at_subscription_for_want_of_something_works_once_it_is_there)
{
    as_another_user_on(on, [](const place& here) {
        const auto options = make_options(here);
        mailbox box;
        const auto event = make_event(SIGEV_THREAD, &mailbox::receive, &box);
        {
            const lowered limit(RLIMIT_NPROC, 0);
            for (int i = 0; i != 3; ++i)
                BOOST_TEST(open_error(event, 1, &options) == EAGAIN);
        }
        if (no_memory::works()) {
            int errors[3];
            {
                const no_memory limit;
                for (int& error : errors) {
                    sigev_t s;
                    error = sigev_open(&event, 1 << 20, &options, &s) == 0 ? 0 : errno;
                }
            }
            for (const int error : errors)
                BOOST_TEST((error == EAGAIN || error == ENOMEM));
        }
        const subscription s(here, event);
        s.submit();
        BOOST_TEST(here.until([&] { return s.delivered() == 1; }));
        BOOST_TEST(box.calls == 1);
    });
}

BOOST_AUTO_TEST_SUITE_END()
