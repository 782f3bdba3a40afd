// core/event_raw over both kinds of wakeup, step by step. Where a poster has to stop between two steps, the object gets a
// kind of its own, whose signal() does something on the way to the write.
#include "event_raw_fixture.hpp"

#include <string>
#include <thread>

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace sigev_tests;

sigev_event_raw* posted_by_handler;
void post_in_handler(int) { core::post(*posted_by_handler); }

/// Makes the descriptor as full as it can be.
void fill(const sigev_event_raw& event)
{
    const std::uint64_t most = ~std::uint64_t{0} - 1;
    if (event.pair.read == event.pair.write) {
        BOOST_REQUIRE(write(event.pair.write, &most, sizeof most) == sizeof most);
        return;
    }
    while (write(event.pair.write, &most, sizeof most) > 0)
        ;
    while (write(event.pair.write, &most, 1) > 0)
        ;
    BOOST_REQUIRE(errno == EAGAIN);
}

} // namespace

BOOST_AUTO_TEST_SUITE(event_raw)

BOOST_AUTO_TEST_CASE(kind_is_chosen_at_open)
{
    const bool forced = std::getenv("SIGEV_FORCE") && std::string(std::getenv("SIGEV_FORCE")) == "pipe";
    BOOST_TEST(object(SIGEV_EVENT_RAW_DEFAULT)->kind->name == (forced ? "pipe" : "eventfd"));
    BOOST_TEST(object(SIGEV_EVENT_RAW_EVENTFD)->kind->name == "eventfd");
    BOOST_TEST(object(SIGEV_EVENT_RAW_PIPE)->kind->name == "pipe");
    const auto end = child([] {
        setenv("SIGEV_FORCE", "pipe", 1);
        BOOST_TEST(object(SIGEV_EVENT_RAW_DEFAULT)->kind->name == "pipe");
        BOOST_TEST(object(SIGEV_EVENT_RAW_EVENTFD)->kind->name == "eventfd");
    });
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_CASE(descriptors_are_private_to_the_process_image_and_never_block)
{
    for (const int kind : kinds) {
        const object event(kind);
        for (const int fd : {event->pair.read, event->pair.write}) {
            BOOST_TEST((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
            BOOST_TEST((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(open_fails_with_the_reason_and_leaves_nothing)
{
    sigev_event_raw* event = nullptr;
    BOOST_TEST(core::open_event_raw(-1, event) == EINVAL);
    BOOST_TEST(core::open_event_raw(3, event) == EINVAL);
    const auto end = child([] {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_NOFILE, &none);
        for (const int kind : kinds) {
            sigev_event_raw* refused = nullptr;
            BOOST_TEST(core::open_event_raw(kind, refused) == EMFILE);
            BOOST_TEST(!refused);
        }
    });
    BOOST_TEST(end == exited_well);
}

BOOST_AUTO_TEST_CASE(posts_merge)
{
    for (const int kind : kinds) {
        const object event(kind);
        BOOST_TEST(!event.readable());
        BOOST_TEST(!event.consume());
        for (int i = 0; i != 5'000; ++i)
            event.post();
        BOOST_TEST(event.readable());
        BOOST_TEST(event.consume());
        BOOST_TEST(!event.readable());
        BOOST_TEST(!event.consume());
        event.post();
        BOOST_TEST(event.readable());
        BOOST_TEST(event.consume());
    }
}

BOOST_AUTO_TEST_CASE(full_descriptor_is_a_success)
{
    for (const int kind : kinds) {
        const object event(kind);
        fill(*event);
        errno = 4711;
        event.post();
        BOOST_TEST(errno == 4711);
        BOOST_TEST(event.consume());
        BOOST_TEST(!event.readable());
    }
}

BOOST_AUTO_TEST_CASE(full_descriptor_silences_nobody_who_waits_for_edges)
{
    for (const int kind : kinds) {
        const object event(kind);
        const int set = epoll_create1(EPOLL_CLOEXEC);
        epoll_event edge{.events = EPOLLIN | EPOLLET, .data = {}};
        BOOST_REQUIRE(epoll_ctl(set, EPOLL_CTL_ADD, core::descriptor_of(*event), &edge) == 0);
        fill(*event);
        for (int i = 0; i != 3; ++i) {
            errno = 4711;
            event.post();
            BOOST_TEST(errno == 4711);
            BOOST_TEST(epoll_wait(set, &edge, 1, 0) == 1);
            BOOST_TEST(core::take(*event)); // reads no eventfd
        }
        close(set);
    }
}

BOOST_AUTO_TEST_CASE(post_from_a_signal_handler_keeps_errno)
{
    const handled handler(SIGUSR1, post_in_handler);
    for (const int kind : kinds) {
        const object event(kind);
        posted_by_handler = &*event;
        for (const bool full : {false, true}) {
            if (full)
                fill(*event);
            for (int i = 0; i != 3; ++i) {
                errno = 4711;
                raise(SIGUSR1);
                BOOST_TEST(errno == 4711);
            }
            BOOST_TEST(event.consume());
        }
    }
}

BOOST_AUTO_TEST_CASE(posts_before_and_after_the_drain_silence_no_later_one)
{
    static const sigev_event_raw* posted;
    for (const int kind : kinds) {
        const object event(kind);
        posted = &*event;
        hooked::put_around_drain(*event, [] { core::post(*posted); });
        event.post();
        BOOST_TEST(event.consume());
        event.post();
        BOOST_TEST(event.readable());
    }
}

BOOST_AUTO_TEST_CASE(poster_that_is_late_after_its_write_silences_no_later_one)
{
    static sigev_event_raw* consumed;
    for (const int kind : kinds) {
        const object event(kind);
        consumed = &*event;
        hooked::put_into(*event, nullptr, [] { core::consume(*consumed); });
        event.post();
        BOOST_TEST(!event.readable());
        hooked::after = nullptr;
        event.post();
        BOOST_TEST(event.readable());
        BOOST_TEST(event.consume());
    }
}

BOOST_AUTO_TEST_CASE(forked_child_reaches_the_parent)
{
    for (const int kind : kinds) {
        const object event(kind);
        for (const bool set_at_fork : {false, true}) {
            if (set_at_fork) {
                // "told already" in the child's copy for ever, and nothing in the descriptor
                event.post();
                event->kind->drain(event->pair);
            }
            const auto end = child([&] {
                errno = 4711;
                event.post();
                event.post();
                BOOST_TEST(errno == 4711);
                const auto grandchild_end = child([&] { event.post(); });
                BOOST_TEST(grandchild_end == exited_well);
            });
            BOOST_TEST(end == exited_well);
            BOOST_TEST(event.readable());
            BOOST_TEST(event.consume());
            BOOST_TEST(!event.readable());
        }
    }
}

BOOST_AUTO_TEST_CASE(child_takes_nothing_from_the_parent)
{
    for (const int kind : kinds) {
        const object event(kind);
        event.post();
        const auto end = child([&] {
            BOOST_TEST(!event.consume());
            sigev_event_raw& inherited = *event;
            const wakeup_pair pair = inherited.pair;
            core::close(inherited);
            BOOST_TEST(!is_open(pair.read));
            BOOST_TEST(!is_open(pair.write));
            core::post(inherited); // refused
            const object own(kind);
            own.post();
            BOOST_TEST(own.consume());
        });
        BOOST_TEST(end == exited_well);
        BOOST_TEST(event.readable());
        BOOST_TEST(event.consume());
        event.post();
        BOOST_TEST(event.readable());
        BOOST_TEST(event.consume());
    }
}

BOOST_AUTO_TEST_CASE(fork_in_the_middle_of_a_post)
{
    // As when a signal handler forks: the child returns into the post as well, and owns nothing of it.
    static pid_t forked;
    for (const int kind : kinds) {
        forked = -1;
        object event(kind);
        hooked::put_into(*event, [] {
            if (forked == -1)
                forked = fork();
        });
        event.post();
        const wakeup_pair pair = event->pair;
        event.close();
        const bool closed = !is_open(pair.read) && !is_open(pair.write);
        if (forked == 0)
            _exit(closed ? 0 : 1);
        BOOST_TEST(closed);
        int status = 0;
        BOOST_TEST(waitpid(forked, &status, 0) == forked);
        BOOST_TEST(status == 0);
    }
}

BOOST_AUTO_TEST_CASE(close_waits_for_a_poster_but_not_for_long)
{
    static gate* inside;
    static gate* go_on;
    for (const int kind : kinds) {
        gate first, second;
        inside = &first;
        go_on = &second;
        object event(kind), other(kind);
        sigev_event_raw& memory = *event;
        const wakeup_pair pair = event->pair;
        hooked::put_into(*event, [] {
            inside->open();
            (void)go_on->wait();
        });
        std::atomic<bool> left{false};
        std::jthread poster([&] {
            core::post(memory);
            left = true;
        });
        BOOST_REQUIRE(first.wait());

        event.close();
        BOOST_TEST(!left); // else it has waited until the poster's own patience was over
        BOOST_TEST(is_open(pair.read)); // retired: the poster still holds the number
        BOOST_TEST(is_open(pair.write));
        object(kind).post();
        BOOST_TEST(is_open(pair.write)); // looked at again, and still not

        second.open();
        poster.join();
        other.close(); // looks again
        BOOST_TEST(!is_open(pair.read));
        BOOST_TEST(!is_open(pair.write));
    }
}

BOOST_AUTO_TEST_CASE(memory_of_a_closed_object_is_used_again_with_another_word)
{
    object event;
    sigev_event_raw* const memory = &*event;
    event.post();
    const word seq = core::wakeup::seq_of(event->word);
    event.close();
    core::post(*memory); // too late, and harmless
    core::close(*memory); // twice, and harmless
    const object next;
    BOOST_TEST(&*next == memory);
    BOOST_TEST(core::wakeup::seq_of(next->word) > seq);
    BOOST_TEST(!next.readable());
    const object other;
    BOOST_TEST(&*other != memory);
}

BOOST_AUTO_TEST_SUITE_END()
