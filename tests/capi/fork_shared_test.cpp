// Fork: what goes on in the child (registered methods), what is shared with it, and children that fork() did not make.
#include "fork_fixture.hpp"

#include <linux/sched.h>
#include <sys/wait.h>

using namespace sigev_tests;

BOOST_AUTO_TEST_SUITE(forks)

BOOST_AUTO_TEST_CASE(registered_methods_go_on_in_the_child_under_their_numbers) {
    need_threads_in_a_child();
    static std::atomic<int> calls, released;
    sigev_method m{};
    m.size = sizeof m;
    m.deliver = [](void*, void*, const sigev_notification*) {
        ++calls;
        return static_cast<int>(SIGEV_DELIVERED);
    };
    m.release = [](void*) { ++released; };
    const int number = sigev_method_register(&m);
    BOOST_REQUIRE(number > 0);
    const auto use = [&] {
        const place on(place::runtime);
        const int before = calls;
        const subscription s(on, make_event(number), 1);
        s.submit();
        BOOST_TEST(wait_until([&] { return calls == before + 1; }));
    };
    use();
    BOOST_TEST(child([&] {
                   use();
                   const int second = sigev_method_register(&m);
                   BOOST_TEST(second > number);
                   BOOST_TEST(sigev_method_unregister(number) == 0);
                   BOOST_TEST(wait_until([] { return released == 1; })); // when its last delivery is over
                   BOOST_TEST(sigev_shutdown() == 0);
                   BOOST_TEST(released == 2);
                   BOOST_TEST(open_error(make_event(number)) == EINVAL); // it does not come back
               }) == exited_well);
    use(); // the parent's is untouched
    BOOST_TEST(released == 0);
    BOOST_TEST(sigev_method_unregister(number) == 0);
}

// A borrowed reactor's descriptors are shared with the parent: the child must not take its wakeups.
BOOST_AUTO_TEST_CASE(a_borrowed_reactor_of_the_parents_is_not_the_childs) {
    const place on(place::borrowed);
    mailbox box;
    const subscription s(on, make_event(SIGEV_CALLBACK, mailbox::receive, &box), 4);
    BOOST_TEST(child([&] {
                   BOOST_TEST(sigev_reactor_ready(on.reactor(), 0) == -1);
                   BOOST_TEST(sigev_reactor_close(on.reactor()) == -1);
                   BOOST_TEST(sigev_submit(s.handle(), 0, 0) == -1);
                   const place own(place::borrowed);
                   mailbox letters;
                   const subscription mine(own, make_event(SIGEV_CALLBACK, mailbox::receive, &letters), 4);
                   mine.submit();
                   BOOST_TEST(own.until([&] { return letters.calls == 1; }));
               }) == exited_well);
    s.submit();
    BOOST_TEST(on.until([&] { return box.calls == 1; }));
}

// No fork handler runs there: only the page that the kernel wipes tells.
BOOST_AUTO_TEST_CASE(after_Fork_and_after_a_raw_clone_stale_handles_are_invalid) {
    if (epoch_page_is_forced_off())
        skip("without a wipe-on-fork page only fork() is seen");
    busy_parent parent;
    const auto stale = [&] { // nothing that allocates
        itimerspec value{};
        return sigev_submit(parent.user.handle(), 0, 0) == -1 && errno == EINVAL &&
               sigev_timer_settime(parent.thread.id(), 0, &value, nullptr) == -1 && errno == EINVAL &&
               sigev_timer_gettime(parent.thread.id(), &value) == -1 && sigev_timer_delete(parent.thread.id()) == -1 &&
               sigev_close(parent.user.handle()) == -1;
    };
    for (const bool raw : {false, true}) {
        const pid_t pid = raw ? static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)) : _Fork();
        BOOST_REQUIRE(pid >= 0);
        if (pid == 0)
            _exit(stale() ? 0 : 1);
        int status = -1;
        BOOST_REQUIRE(waitpid(pid, &status, 0) == pid);
        BOOST_TEST(status == 0);
    }
    parent.check();
}

BOOST_AUTO_TEST_SUITE_END()
