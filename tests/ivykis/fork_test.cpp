// A child, and the copies of its parent's loop and objects that it has.
#include "fixture.hpp"

#include "support/sanitizers.hpp"

#include <cerrno>
#include <memory>

#include <sys/wait.h>

using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(forks)

BOOST_AUTO_TEST_CASE(child_has_no_loop_until_it_makes_one)
{
    const own_loop loop;
    event heard([] { BOOST_ERROR("called"); });
    BOOST_TEST(child([&] {
                   BOOST_TEST(iv_inited() == 0);
                   iv_init();
                   BOOST_TEST(iv_inited() == 1);
                   iv_main(); // nothing is registered with this one
                   iv_deinit();
               }) == exited_well);
    BOOST_TEST(iv_inited() == 1);
}

BOOST_AUTO_TEST_CASE(child_with_a_loop_of_its_own_posts_to_inherited_objects)
{
    const own_loop loop;
    event heard([] { iv_quit(); });
    BOOST_TEST(child([&] {
                   const own_loop own;
                   event its_own([&] {
                       heard.post();
                       iv_quit();
                   });
                   its_own.post();
                   iv_main();
                   BOOST_TEST(its_own.calls == 1);
                   BOOST_TEST(heard.calls == 0);
               }) == exited_well);
    iv_main();
    BOOST_TEST(heard.calls == 1);
}

BOOST_AUTO_TEST_CASE(child_and_parent_post_to_each_other)
{
    // The child registers objects before it forks in turn: each generation posts to the one above it.
    const own_loop loop;
    event heard([] { iv_quit(); });
    BOOST_TEST(child([&] {
                   const own_loop own;
                   event in_child([] { iv_quit(); });
                   BOOST_TEST(child([&] {
                                  in_child.post();
                                  heard.post();
                              }) == exited_well);
                   iv_main();
                   BOOST_TEST(in_child.calls == 1);
               }) == exited_well);
    iv_main();
    BOOST_TEST(heard.calls == 1);
}

BOOST_AUTO_TEST_CASE(child_that_is_forked_in_a_handler_comes_out_of_main)
{
    const own_loop loop;
    static pid_t forked;
    forked = -1;
    event other([] { iv_quit(); });
    event heard([&] {
        other.post();
        forked = fork();
    });
    heard.post();
    iv_main();
    if (forked == 0) {
        // The handler has returned in the child as well: the loop is the parent's, so nothing more was called.
        const bool well = heard.calls == 1 && other.calls == 0 && iv_inited() == 0;
        iv_deinit();
        iv_init();
        iv_main();
        _exit(well && iv_inited() == 1 ? 0 : 1);
    }
    BOOST_TEST(other.calls == 1);
    int status = -1;
    BOOST_REQUIRE(waitpid(forked, &status, 0) == forked);
    BOOST_TEST(status == 0);
    heard.leave();
    other.post();
    iv_main();
    BOOST_TEST(other.calls == 2);
}

BOOST_AUTO_TEST_CASE(thread_of_a_child_that_ends_leaves_the_parents_loop_alone)
{
    if (under_thread_sanitizer)
        skip("ThreadSanitizer does not know the thread that a child of several threads has");
    std::thread([] {
        // No destructors: nothing but the end of the thread gives the child's copy of the loop up.
        iv_init();
        auto* const heard = new event([] { iv_quit(); });
        const auto end = child([] { pthread_exit(nullptr); });
        BOOST_TEST(end == exited_well);
        for (int i = 1; i <= 3; ++i) {
            std::thread([&] { heard->post(); }).join();
            iv_main();
            BOOST_TEST(heard->calls == i);
        }
        delete heard;
        iv_deinit();
    }).join();
}

BOOST_AUTO_TEST_CASE(what_a_child_unregisters_is_closed_in_the_child_alone)
{
    const own_loop loop;
    const event first([] {});
    std::unique_ptr<event> heard;
    const auto fds = opened_by([&] { heard = std::make_unique<event>([] { iv_quit(); }); });
    BOOST_TEST(child([&] {
                   for (const auto& [fd, what] : fds)
                       BOOST_TEST(fcntl(fd, F_GETFD) != -1);
                   errno = 4711;
                   heard->leave();
                   BOOST_TEST(errno == 4711);
                   for (const auto& [fd, what] : fds)
                       BOOST_TEST(fcntl(fd, F_GETFD) == -1);
                   heard->post(); // to nobody
               }) == exited_well);
    heard->post();
    iv_main();
    BOOST_TEST(heard->calls == 1);
}

BOOST_AUTO_TEST_CASE(child_keeps_a_descriptor_open_that_the_parent_unregisters)
{
    // The epoll set knows files, not numbers: one that lives on in a child must have been taken out of it.
    const own_loop loop;
    event other([] { iv_quit(); });
    auto heard = std::make_unique<event>([] { BOOST_ERROR("called"); });
    int ends[2];
    BOOST_REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const pid_t pid = fork();
    BOOST_REQUIRE(pid >= 0);
    if (pid == 0) {
        char byte;
        close(ends[1]);
        (void)!read(ends[0], &byte, 1); // until the parent has unregistered
        heard->post();
        other.post();
        _exit(0);
    }
    heard.reset();
    close(ends[0]);
    close(ends[1]);
    iv_main();
    int status = -1;
    BOOST_REQUIRE(waitpid(pid, &status, 0) == pid);
    BOOST_TEST(status == 0);
    BOOST_TEST(other.calls == 1);
}

BOOST_AUTO_TEST_SUITE_END()
