// The traps of wakeups, each tried through iv_event_raw: t1 flags and processes, t2 drain, clear, run, t3 saturation, t4 errno,
// t5 recycled descriptors, t6 what a child shares with its parent, t9 vfork.
#include "fixture.hpp"

#include "support/sanitizers.hpp"

#include <cerrno>
#include <csetjmp>
#include <memory>

#include <spawn.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

using namespace sigev_tests;

namespace {

/// A loop in another thread with one object, until it is told to stop.
class recipient {
public:
    explicit recipient(std::function<void()> handler = [] {})
        : thread_([this, handler = std::move(handler)] {
              heard_ = std::make_unique<event>(handler);
              stop_ = std::make_unique<event>([this] { heard_.reset(), stop_.reset(); });
          })
    {}
    ~recipient()
    {
        stop_->post();
        BOOST_TEST(thread_.ended());
    }

    const iv_event_raw& object() const { return heard_->raw; }
    int calls() const { return heard_->calls; }

    /// A post of this thread is heard.
    bool hears() const
    {
        const int before = calls();
        heard_->post();
        return wait_until([&] { return calls() > before; });
    }

private:
    std::unique_ptr<event> heard_, stop_;
    loop_thread thread_; // last: it fills the others
};

thread_local sigjmp_buf way_out;
thread_local volatile sig_atomic_t may_leave = 0;
void leave(int)
{
    if (may_leave)
        siglongjmp(way_out, 1);
}

} // namespace

BOOST_AUTO_TEST_SUITE(traps)

BOOST_AUTO_TEST_CASE(t1_child_that_was_forked_while_a_post_was_pending_is_heard)
{
    // Its copy of "has been told already" is set for ever.
    const own_loop loop;
    event heard([] { iv_quit(); });
    for (const bool pending : {false, true}) {
        if (pending)
            heard.post();
        gate handled;
        const pid_t pid = fork();
        BOOST_REQUIRE(pid >= 0);
        if (pid == 0) {
            // Not before the parent has handled the post that was pending at the fork: stopped until then.
            raise(SIGSTOP);
            heard.post();
            heard.post();
            _exit(0);
        }
        int status = 0;
        BOOST_REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);
        BOOST_REQUIRE(WIFSTOPPED(status));
        if (pending)
            iv_main();
        settle();
        heard.calls = 0;
        kill(pid, SIGCONT);
        iv_main();
        BOOST_TEST(heard.calls == 1);
        BOOST_REQUIRE(waitpid(pid, &status, 0) == pid);
        BOOST_TEST(status == 0);
        settle();
    }
}

BOOST_AUTO_TEST_CASE(t1_posters_that_are_abandoned_on_the_way_silence_nobody)
{
    if (under_thread_sanitizer)
        skip("ThreadSanitizer defers signals, so none arrives in the middle of a post");
    const recipient to;
    const handled handler(SIGALRM, leave);
    volatile int abandoned = 0, lost = 0;
    const auto end = std::chrono::steady_clock::now() + stress_time();
    const itimerval storm{{0, 50}, {0, 50}}, calm{};
    // On a busy machine a round may take as long as it is until the loop has a processor.
    while ((std::chrono::steady_clock::now() < end || abandoned <= 10) && lost == 0) {
        setitimer(ITIMER_REAL, &storm, nullptr);
        if (sigsetjmp(way_out, 1) == 0) {
            may_leave = 1;
            for (;;)
                iv_event_raw_post(&to.object());
        }
        may_leave = 0;
        setitimer(ITIMER_REAL, &calm, nullptr);
        abandoned = abandoned + 1;
        if (!to.hears())
            lost = lost + 1;
    }
    BOOST_TEST(lost == 0);
    BOOST_TEST_MESSAGE(abandoned << " posters abandoned");
    BOOST_TEST(abandoned > 10);
}

BOOST_AUTO_TEST_CASE(t2_what_is_posted_before_and_during_a_call_is_seen_by_a_call)
{
    // A value that was stored before a post that merged is seen; a post during the call makes another call.
    const own_loop loop;
    int stored = 0, seen = -1, posted_inside = 0;
    event* self = nullptr;
    event heard([&] {
        seen = stored;
        if (posted_inside < 50) {
            ++posted_inside;
            stored = 1'000 + posted_inside;
            self->post();
        } else {
            iv_quit();
        }
    });
    self = &heard;
    for (stored = 1; stored != 10; ++stored)
        heard.post();
    iv_main();
    BOOST_TEST(heard.calls == 51);
    BOOST_TEST(seen == 1'050);
}

BOOST_AUTO_TEST_CASE(t2_posts_that_race_with_the_handler_are_never_lost)
{
    // The handler reads what the poster has stored; once the poster is quiet, its last value has been seen.
    std::atomic<int> stored{0}, seen{0};
    const recipient to([&] { seen.store(stored.load(std::memory_order_relaxed), std::memory_order_relaxed); });
    const auto end = std::chrono::steady_clock::now() + stress_time();
    bool lost = false;
    for (int round = 0; std::chrono::steady_clock::now() < end && !lost; ++round) {
        for (int n = 0; n <= round % 4; ++n) {
            stored.fetch_add(1, std::memory_order_relaxed);
            iv_event_raw_post(&to.object());
        }
        lost = !wait_until([&] { return seen.load(std::memory_order_relaxed) == stored.load(std::memory_order_relaxed); });
    }
    BOOST_TEST(!lost);
}

BOOST_AUTO_TEST_CASE(t3_post_never_blocks_also_in_a_handler_and_with_nobody_reading)
{
    // More posts than a pipe has room for, from a child, where each of them writes, and in a signal handler.
    const own_loop loop;
    event heard([] { iv_quit(); });
    static const iv_event_raw* posted;
    posted = &heard.raw;
    const handled handler(SIGUSR1, [](int) {
        for (int i = 0; i != 100'000; ++i)
            iv_event_raw_post(posted);
    });
    BOOST_TEST(child([] { raise(SIGUSR1); }) == exited_well);
    raise(SIGUSR1);
    iv_main();
    BOOST_TEST(heard.calls == 1);
}

BOOST_AUTO_TEST_CASE(t4_errno_is_kept_by_every_post)
{
    const own_loop loop;
    event heard([] { iv_quit(); });
    const auto keeps_errno = [&] {
        errno = 4711;
        heard.post();
        return errno == 4711;
    };
    for (int i = 0; i != 3; ++i)
        BOOST_TEST(keeps_errno()); // writes, merges
    BOOST_TEST(child([&] {
                   for (int i = 0; i != 100'000; ++i) // full, where it is a pipe
                       BOOST_REQUIRE(keeps_errno());
               }) == exited_well);
    iv_main();
    for (int i = 0; i != 3; ++i)
        BOOST_TEST(keeps_errno());
    heard.leave();
    BOOST_TEST(keeps_errno()); // not registered
}

BOOST_AUTO_TEST_CASE(t5_post_that_races_with_unregister_never_reaches_a_recycled_descriptor)
{
    // As soon as an object's descriptor is closed its number is a file's; nobody writes to that.
    const own_loop loop;
    event heard([] {});
    std::atomic<bool> stop{false};
    std::vector<std::jthread> posters;
    for (int i = 0; i != 2; ++i)
        posters.emplace_back([&] {
            while (!stop)
                iv_event_raw_post(&heard.raw);
        });
    const auto end = std::chrono::steady_clock::now() + stress_time();
    int rounds = 0;
    bool written = false;
    for (; std::chrono::steady_clock::now() < end && !written; ++rounds) {
        heard.leave();
        const int victims[] = {memfd_create("victim", MFD_CLOEXEC), memfd_create("victim", MFD_CLOEXEC)};
        sched_yield(); // to a poster
        for (const int fd : victims) {
            written = written || lseek(fd, 0, SEEK_END) != 0;
            close(fd);
        }
        heard.enter();
    }
    stop = true;
    posters.clear();
    BOOST_TEST(!written);
    BOOST_TEST(rounds > 0);
}

BOOST_AUTO_TEST_CASE(t6_nothing_that_a_child_does_takes_a_wakeup_from_the_parent)
{
    struct action {
        const char* name;
        std::function<void(event&)> act;
    };
    const action actions[] = {
        {"iv_main", [](event&) { iv_main(); }},
        {"iv_quit", [](event&) { iv_quit(); }},
        {"unregister", [](event& e) { iv_event_raw_unregister(&e.raw); }},
        {"unregister twice", [](event& e) { iv_event_raw_unregister(&e.raw), iv_event_raw_unregister(&e.raw); }},
        {"iv_deinit", [](event&) { iv_deinit(); }},
        {"iv_deinit, unregister", [](event& e) { iv_deinit(), iv_event_raw_unregister(&e.raw); }},
        {"unregister, iv_deinit", [](event& e) { iv_event_raw_unregister(&e.raw), iv_deinit(); }},
        {"exit", [](event&) { std::exit(0); }},
        {"a loop of its own", [](event& e) {
             BOOST_TEST(iv_inited() == 0);
             const own_loop loop;
             event own([] { iv_quit(); });
             own.post();
             iv_main();
             BOOST_TEST(own.calls == 1);
             iv_event_raw_unregister(&e.raw);
             own.post();
             iv_main();
             BOOST_TEST(own.calls == 2);
         }},
        {"register", [](event& e) {
             BOOST_TEST(iv_event_raw_register(&e.raw) == -1);
             BOOST_TEST(errno == EINVAL);
         }},
        {"register with a loop of its own", [](event& e) {
             const own_loop loop;
             BOOST_TEST(iv_event_raw_register(&e.raw) == 0);
             e.post();
             iv_main();
             iv_event_raw_unregister(&e.raw);
         }},
    };
    for (const auto& [name, act] : actions)
        BOOST_TEST_CONTEXT(name) {
            const own_loop loop;
            event heard([] { iv_quit(); }), other([] { iv_quit(); });
            heard.post();
            BOOST_TEST(child([&, run = &act] { (*run)(heard); }) == exited_well);
            iv_main();
            BOOST_TEST(heard.calls == 1); // not read by the child
            for (int i = 1; i <= 3; ++i) {
                std::thread([&] { heard.post(); }).join();
                iv_main();
                other.post();
                iv_main();
                BOOST_TEST(heard.calls == 1 + i);
                BOOST_TEST(other.calls == i);
            }
        }
}

BOOST_AUTO_TEST_CASE(t9_child_of_vfork_that_posts_leaves_the_parent_in_order)
{
    // It shares the parent's memory, word and epoch page included; its post is one of the parent's own.
    const own_loop loop;
    event heard([] { iv_quit(); });
    for (int i = 1; i <= 10; ++i) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        const pid_t pid = vfork();
#pragma GCC diagnostic pop
        if (pid == 0) {
            iv_event_raw_post(&heard.raw);
            _exit(0);
        }
        BOOST_REQUIRE(pid > 0);
        int status = -1;
        BOOST_REQUIRE(waitpid(pid, &status, 0) == pid);
        BOOST_TEST(status == 0);
        iv_main();
        BOOST_TEST(heard.calls == i);
    }
    settle();
    BOOST_TEST(heard.calls == 10);
}

BOOST_AUTO_TEST_CASE(t9_program_that_is_spawned_inherits_no_descriptor)
{
    const own_loop loop;
    const event first([] {});
    event heard([] { iv_quit(); });
    // Lists its descriptors: the three standard ones, and the folder itself.
    int ends[2];
    BOOST_REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    char sh[] = "/bin/sh", c[] = "-c", script[] = "ls -l /proc/self/fd";
    char* const arguments[] = {sh, c, script, nullptr};
    pid_t pid = -1;
    BOOST_REQUIRE(posix_spawn(&pid, sh, &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    std::string listed;
    char text[4096];
    for (ssize_t n; (n = read(ends[0], text, sizeof text)) > 0;)
        listed.append(text, static_cast<std::size_t>(n));
    close(ends[0]);
    int status = -1;
    BOOST_REQUIRE(waitpid(pid, &status, 0) == pid);
    BOOST_TEST(status == 0);
    BOOST_TEST(listed.find("-> /proc/") != std::string::npos, listed); // it has listed something
    BOOST_TEST(listed.find("event") == std::string::npos, listed);
    heard.post();
    iv_main();
    BOOST_TEST(heard.calls == 1);
}

BOOST_AUTO_TEST_SUITE_END()
