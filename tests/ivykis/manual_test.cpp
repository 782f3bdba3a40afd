// iv_event_raw(3), sentence by sentence; a01 to a18 are the promises of the manual page in its own order, with the two that
// it does not say and every implementation keeps (a17, a18):
//
//   "provides a way for delivering events ... across thread and process boundaries"              a01
//   "calls IV_EVENT_RAW_INIT ..., fills in ->cookie and ->handler, and then calls ... register"  a02, a03
//   "cause the callback ... to be called in the thread ... registered in, ... cookie"            a04
//   "unregister from the same thread"                                                            a05
//   "permitted to unregister ... from any ivykis callback function in the thread"                a06
//   "permitted to free the memory ... from its own callback function"                            a07
//   "from the same thread", "a different thread", "a different process", "signal handlers"       a08 a09 a10 a11
//   "within the same process ... a lighter-weight alternative"                                   a12
//   "registering a file descriptor ... to become readable upon a call to iv_event_raw_post"      a13
//   "If eventfd(2) is available", "fall back to pipe(2)", "only one file descriptor"             a14 a15 a16
#include "fixture.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

using namespace sigev_tests;

namespace {

const iv_event_raw* posted_by_handler;
void post_in_handler(int) { iv_event_raw_post(posted_by_handler); }

/// What one object opens, in a loop that has opened its own already.
descriptor_table descriptors_of_one_object()
{
    const own_loop loop;
    const event first([] {});
    std::unique_ptr<event> second;
    return opened_by([&] { second = std::make_unique<event>([] {}); });
}

/// From here on there is no eventfd(2) for this process.
void forbid_eventfd()
{
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_eventfd2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{std::size(program), program};
    BOOST_REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        skip("no seccomp filters on this kernel");
}

/// Makes the descriptor as full as it can be.
void fill(const descriptor_table& of)
{
    const int fd = of.rbegin()->first; // of a pipe's two the writing end
    const std::uint64_t most = ~std::uint64_t{0} - 1;
    if (of.size() == 1) {
        std::uint64_t count = 0;
        (void)!read(fd, &count, sizeof count);
        must(write(fd, &most, sizeof most) == sizeof most, "write");
        return;
    }
    while (write(fd, &most, sizeof most) > 0)
        ;
    while (write(fd, &most, 1) > 0)
        ;
    must(errno == EAGAIN, "a full pipe");
}

/// How many writes the descriptor holds that were not read yet.
unsigned long writes_in(const descriptor_table& of)
{
    const int fd = of.begin()->first; // of a pipe's two the reading end
    if (of.size() == 2) {
        int bytes = -1;
        BOOST_REQUIRE(ioctl(fd, FIONREAD, &bytes) == 0);
        return static_cast<unsigned long>(bytes);
    }
    char text[512] = {};
    const int info = open(("/proc/self/fdinfo/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC);
    BOOST_REQUIRE(read(info, text, sizeof text - 1) > 0);
    close(info);
    const std::string all = text, label = "eventfd-count:";
    return std::stoul(all.substr(all.find(label) + label.size()), nullptr, 16);
}

} // namespace

BOOST_AUTO_TEST_SUITE(manual)

BOOST_AUTO_TEST_CASE(a01_events_cross_threads_and_processes)
{
    const own_loop loop;
    event heard([] { iv_quit(); });
    std::thread([&] { heard.post(); }).join();
    iv_main();
    BOOST_TEST(heard.calls == 1);
    BOOST_TEST(child([&] { heard.post(); }) == exited_well);
    iv_main();
    BOOST_TEST(heard.calls == 2);
}

BOOST_AUTO_TEST_CASE(a02_init_then_cookie_and_handler_then_register)
{
    const own_loop loop;
    iv_event_raw object;
    std::fill_n(reinterpret_cast<unsigned char*>(&object), sizeof object, static_cast<unsigned char>(0xa5));
    IV_EVENT_RAW_INIT(&object);
    int calls = 0;
    object.cookie = &calls;
    object.handler = [](void* cookie) {
        ++*static_cast<int*>(cookie);
        iv_quit();
    };
    iv_event_raw_post(&object); // not registered yet: nothing
    BOOST_REQUIRE(iv_event_raw_register(&object) == 0);
    BOOST_TEST(calls == 0);
    iv_event_raw_post(&object);
    iv_main();
    BOOST_TEST(calls == 1);

    // Both are read when the handler is called, as ivykis does it.
    static int others = 0;
    object.cookie = &others;
    iv_event_raw_post(&object);
    object.handler = [](void* cookie) {
        *static_cast<int*>(cookie) += 10;
        iv_quit();
    };
    iv_main();
    BOOST_TEST(others == 10);
    BOOST_TEST(calls == 1);
    iv_event_raw_unregister(&object);
}

BOOST_AUTO_TEST_CASE(a03_register_says_whether_it_failed_and_post_takes_a_const_object)
{
    static_assert(std::is_same_v<decltype(IV_EVENT_RAW_INIT(nullptr)), void>);
    static_assert(std::is_same_v<decltype(iv_event_raw_register(nullptr)), int>);
    static_assert(std::is_same_v<decltype(iv_event_raw_unregister(nullptr)), void>);
    static_assert(std::is_same_v<decltype(iv_event_raw_post(static_cast<const iv_event_raw*>(nullptr))), void>);

    iv_event_raw object;
    IV_EVENT_RAW_INIT(&object);
    errno = 4711;
    BOOST_TEST(iv_event_raw_register(&object) == -1);
    BOOST_TEST(errno == EINVAL); // no loop in this thread
    const own_loop loop;
    errno = 4711;
    BOOST_TEST(iv_event_raw_register(&object) == 0);
    BOOST_TEST(errno == 4711);
    iv_event_raw_unregister(&object);
    BOOST_TEST(errno == 4711);
}

BOOST_AUTO_TEST_CASE(a04_handler_runs_in_the_thread_that_registered_with_the_cookie)
{
    // Two loops, and each is posted to by everybody.
    struct recipient {
        iv_event_raw object;
        std::thread::id registered, called;
        int calls = 0;
    };
    std::array<recipient, 2> all;
    {
        std::vector<std::unique_ptr<loop_thread>> threads;
        for (auto& r : all)
            threads.push_back(std::make_unique<loop_thread>([&r] {
                r.registered = std::this_thread::get_id();
                IV_EVENT_RAW_INIT(&r.object);
                r.object.cookie = &r;
                r.object.handler = [](void* cookie) {
                    auto& self = *static_cast<recipient*>(cookie);
                    self.called = std::this_thread::get_id();
                    ++self.calls;
                    iv_event_raw_unregister(&self.object);
                };
                must(iv_event_raw_register(&r.object) == 0, "iv_event_raw_register");
            }));
        for (auto& r : all)
            iv_event_raw_post(&r.object);
        for (auto& t : threads)
            BOOST_TEST(t->ended());
    }
    for (auto& r : all) {
        BOOST_TEST(r.calls == 1);
        BOOST_TEST((r.called == r.registered));
        BOOST_TEST((r.called != std::this_thread::get_id()));
    }
}

BOOST_AUTO_TEST_CASE(a05_unregister_by_the_thread_that_registered_and_by_no_other)
{
    const own_loop loop;
    event heard([] { iv_quit(); });
    std::thread([&] {
        iv_event_raw_unregister(&heard.raw); // no loop here
        const own_loop other;
        iv_event_raw_unregister(&heard.raw); // not its loop
    }).join();
    heard.post();
    iv_main();
    BOOST_TEST(heard.calls == 1); // it is registered still
    heard.leave();
    heard.post();
    iv_main(); // returns: nothing is registered
    iv_event_raw_unregister(&heard.raw); // twice is once
    BOOST_TEST(heard.calls == 1);
}

BOOST_AUTO_TEST_CASE(a06_any_callback_may_unregister_any_object)
{
    // Whoever is called first unregisters all three, though all three have been posted to.
    for (const std::size_t first : {0u, 1u, 2u}) {
        const own_loop loop;
        std::vector<std::unique_ptr<event>> all;
        int calls = 0;
        for (int i = 0; i != 3; ++i)
            all.push_back(std::make_unique<event>([&] {
                ++calls;
                for (auto& e : all)
                    e->leave();
            }));
        for (std::size_t i = 0; i != 3; ++i)
            all[(first + i) % 3]->post();
        iv_main(); // returns: nothing is registered any more
        BOOST_TEST(calls == 1);
    }
}

BOOST_AUTO_TEST_CASE(a06_an_object_that_is_awake_can_be_unregistered_by_another)
{
    const own_loop loop;
    std::unique_ptr<event> victim;
    event killer([&] {
        victim->post(); // awake since its own call just now: this post writes nothing
        victim.reset();
        iv_quit();
    });
    int calls = 0;
    victim = std::make_unique<event>([&] {
        ++calls;
        killer.post();
    });
    victim->post();
    iv_main();
    BOOST_TEST(calls == 1);
    settle();
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a07_memory_may_be_freed_in_its_own_callback)
{
    const own_loop loop;
    constexpr int objects = 10;
    static int calls;
    calls = 0;
    for (int i = 0; i != objects; ++i) {
        auto* const object = new iv_event_raw;
        IV_EVENT_RAW_INIT(object);
        object->cookie = object;
        object->handler = [](void* cookie) {
            ++calls;
            auto* const self = static_cast<iv_event_raw*>(cookie);
            iv_event_raw_unregister(self);
            std::fill_n(reinterpret_cast<unsigned char*>(self), sizeof *self, static_cast<unsigned char>(0xa5));
            delete self;
        };
        BOOST_REQUIRE(iv_event_raw_register(object) == 0);
        iv_event_raw_post(object);
    }
    iv_main();
    BOOST_TEST(calls == objects);
}

BOOST_AUTO_TEST_CASE(a08_post_by_the_same_thread_never_calls_the_handler_itself)
{
    const own_loop loop;
    bool inside = false;
    int rounds = 0;
    event* self = nullptr;
    event heard([&] {
        BOOST_TEST(!inside);
        inside = true;
        if (++rounds == 100)
            iv_quit();
        else
            self->post();
        inside = false;
    });
    self = &heard;
    heard.post();
    BOOST_TEST(heard.calls == 0);
    iv_main();
    BOOST_TEST(heard.calls == 100); // one for each post
}

BOOST_AUTO_TEST_CASE(a09_post_by_another_thread_wakes_a_loop_that_sleeps)
{
    std::unique_ptr<event> heard;
    std::atomic<int> handled{0};
    loop_thread thread([&] {
        heard = std::make_unique<event>([&] {
            if (++handled == 1'000)
                heard.reset();
        });
    });
    for (int i = 1; i <= 1'000; ++i) {
        iv_event_raw_post(&heard->raw);
        BOOST_REQUIRE(wait_until([&] { return handled >= i; }));
    }
    BOOST_TEST(thread.ended());
}

BOOST_AUTO_TEST_CASE(a10_post_by_another_process)
{
    const own_loop loop;
    event heard([] { iv_quit(); });
    for (int i = 1; i <= 20; ++i) {
        BOOST_TEST(child([&] {
                       heard.post();
                       heard.post();
                       BOOST_TEST(child([&] { heard.post(); }) == exited_well);
                   }) == exited_well);
        iv_main();
        BOOST_TEST(heard.calls == i);
    }
}

BOOST_AUTO_TEST_CASE(a10_child_posts_to_a_parent_that_sleeps)
{
    const own_loop loop;
    event heard([] { iv_quit(); });
    child_end end;
    std::thread parent_of_the_child([&] { end = child([&] { heard.post(); }); });
    iv_main();
    parent_of_the_child.join();
    BOOST_TEST(end == exited_well);
    BOOST_TEST(heard.calls == 1);
}

BOOST_AUTO_TEST_CASE(a11_post_by_a_signal_handler_keeps_errno)
{
    const own_loop loop;
    event heard([] {
        raise(SIGUSR2); // on the loop's own thread, which is awake
        iv_quit();
    });
    posted_by_handler = &heard.raw;
    const handled first(SIGUSR1, post_in_handler), second(SIGUSR2, post_in_handler);
    for (int i = 1; i <= 10; ++i) {
        for (int n = 0; n != 3; ++n) {
            errno = 4711;
            raise(SIGUSR1);
            BOOST_TEST(errno == 4711);
        }
        iv_main();
        BOOST_TEST(heard.calls == i);
    }
}

BOOST_AUTO_TEST_CASE(a11_signal_interrupts_a_loop_that_sleeps)
{
    std::unique_ptr<event> heard;
    loop_thread thread([&] { heard = std::make_unique<event>([&] { heard.reset(); }); });
    posted_by_handler = &heard->raw;
    const handled handler(SIGUSR1, post_in_handler);
    pthread_kill(thread.native_handle(), SIGUSR1);
    BOOST_TEST(thread.ended());
}

BOOST_AUTO_TEST_CASE(a12_posts_within_one_process_write_once_until_they_are_handled)
{
    // What ivykis has iv_event(3) for: one write for all posts until the handler runs, and none while it runs.
    const own_loop loop;
    const event first([] {}); // with it the loop opens its own
    event* self = nullptr;
    std::unique_ptr<event> heard;
    const auto of_heard = opened_by([&] {
        heard = std::make_unique<event>([&] {
            for (int i = 0; self->calls < 5 && i != 100; ++i)
                self->post();
            if (self->calls == 5)
                iv_quit();
        });
    });
    self = heard.get();
    const auto count = [&] { return writes_in(of_heard); };
    for (int i = 0; i != 100; ++i)
        heard->post();
    BOOST_TEST(count() == 1u);
    iv_main();
    BOOST_TEST(heard->calls == 5);
    BOOST_TEST(count() <= 1u);
}

BOOST_AUTO_TEST_CASE(a13_post_makes_a_descriptor_readable_that_the_loop_waits_for)
{
    const own_loop loop;
    const event first([] {});
    std::unique_ptr<event> heard;
    const auto fds = opened_by([&] { heard = std::make_unique<event>([] { iv_quit(); }); });
    BOOST_REQUIRE(!fds.empty());
    const int fd = fds.begin()->first; // of a pipe's two the reading end
    BOOST_TEST(!is_readable(fd));
    heard->post();
    BOOST_TEST(is_readable(fd));
    iv_main();
    BOOST_TEST(heard->calls == 1);
}

BOOST_AUTO_TEST_CASE(a14_eventfd_where_there_is_one)
{
    const auto fds = descriptors_of_one_object();
    for (const auto& [fd, what] : fds)
        BOOST_TEST((is_forced("pipe") ? is_pipe(what) : is_eventfd(what)), what);
}

BOOST_AUTO_TEST_CASE(a15_a_pipe_where_there_is_no_eventfd)
{
    BOOST_TEST(child([] {
                   forbid_eventfd();
                   for (const auto& [fd, what] : descriptors_of_one_object())
                       BOOST_TEST(is_pipe(what), what);
                   const own_loop loop;
                   event heard([] { iv_quit(); });
                   for (int i = 1; i <= 3; ++i) {
                       heard.post();
                       iv_main();
                       BOOST_TEST(heard.calls == i);
                   }
               }) == exited_well);
}

BOOST_AUTO_TEST_CASE(a16_an_eventfd_takes_one_descriptor_and_a_pipe_two)
{
    BOOST_TEST(descriptors_of_one_object().size() == (is_forced("pipe") ? 2u : 1u));
    BOOST_TEST(child([] {
                   setenv("SIGEV_FORCE", "pipe", 1);
                   BOOST_TEST(descriptors_of_one_object().size() == 2u);
               }) == exited_well);
}

BOOST_AUTO_TEST_CASE(a17_posts_merge_into_one_call_at_least_and_no_more_calls_than_posts)
{
    const own_loop loop;
    event heard([] { iv_quit(); });
    for (const int posts : {1, 2, 5'000}) {
        heard.calls = 0;
        for (int i = 0; i != posts; ++i)
            heard.post();
        iv_main();
        settle();
        BOOST_TEST(heard.calls >= 1);
        BOOST_TEST(heard.calls <= posts);
        heard.calls = 0;
        settle();
        BOOST_TEST(heard.calls == 0); // nothing is left over
    }
}

BOOST_AUTO_TEST_CASE(a18_post_to_a_full_descriptor_is_heard_and_the_next_ones_are)
{
    constexpr int rounds = 20;
    std::unique_ptr<event> first, heard, stop;
    std::atomic<int> handled{0};
    loop_thread thread([&] {
        first = std::make_unique<event>([] {});
        const auto fds = opened_by([&] { heard = std::make_unique<event>([&] { ++handled; }); });
        stop = std::make_unique<event>([&] { first.reset(), heard.reset(), stop.reset(); });
        fill(fds);
        errno = 4711;
        heard->post();
        must(errno == 4711, "post keeps errno");
    });
    bool lost = false;
    for (int i = 1; i <= rounds && !lost; ++i) {
        lost = !wait_until([&] { return handled >= i; });
        heard->post();
    }
    BOOST_TEST(!lost);
    stop->post();
    BOOST_TEST(thread.ended());
}

BOOST_AUTO_TEST_SUITE_END()
