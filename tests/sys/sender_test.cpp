// Who a signal says it comes from: asked for as seldom as can be, and never wrong.
#include "sys/sender.hpp"

#include "support/support.hpp"

#include <sys/wait.h>
#include <unistd.h>

using namespace sigev;
using sigev_tests::child;
using sigev_tests::exited_well;
using sigev_tests::skip;

namespace {

/// The body runs in a child that may give up its real user, and keeps its rights.
void run_as_root(const std::function<void()>& body)
{
    const auto end = child([&] {
        if (::getuid() != 0 || ::setreuid(1, 0) != 0 || ::setreuid(0, 0) != 0)
            _exit(77);
        body();
    });
    if (end.code == 77)
        skip("the user cannot be changed here");
    BOOST_TEST(end == exited_well);
}

} // namespace

BOOST_AUTO_TEST_SUITE(sender)

BOOST_AUTO_TEST_CASE(a_child_is_not_taken_for_its_parent)
{
    sys::ensure_epoch();
    const pid_t parent = ::getpid();
    BOOST_TEST(sys::this_process() == parent);
    BOOST_TEST(sys::this_process() == parent); // as it was kept
    const auto body = [parent] {
        BOOST_TEST(sys::this_process() != parent);
        BOOST_TEST(sys::this_process() == ::getpid());
        sys::ensure_epoch(); // the child begins to use the library
        BOOST_TEST(sys::this_process() == ::getpid());
        BOOST_TEST(sys::this_process() == ::getpid());
    };
    BOOST_TEST(child([&] {
                   body();
                   BOOST_TEST(child(body) == exited_well);
               }) == exited_well);
}

// No handler runs there; where a fork may go unnoticed (SIGEV_FORCE=nowipe) the number is not kept.
BOOST_AUTO_TEST_CASE(nor_is_one_that_no_fork_handler_saw)
{
    sys::ensure_epoch();
    const pid_t parent = sys::this_process();
    const pid_t forked = ::_Fork();
    if (forked == 0)
        _exit(sys::this_process() == parent || sys::this_process() != ::getpid());
    int status = -1;
    BOOST_REQUIRE(::waitpid(forked, &status, 0) == forked);
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(outside_of_a_batch_a_new_user_is_seen_at_once)
{
    run_as_root([] {
        BOOST_TEST(sys::this_user() == 0u);
        BOOST_REQUIRE(::setreuid(1, 0) == 0);
        BOOST_TEST(sys::this_user() == 1u);
    });
}

BOOST_AUTO_TEST_CASE(a_batch_keeps_its_user_and_the_next_one_asks_again)
{
    run_as_root([] {
        {
            const sys::one_user batch;
            BOOST_TEST(sys::this_user() == 0u);
            BOOST_REQUIRE(::setreuid(1, 0) == 0);
            BOOST_TEST(sys::this_user() == 0u);
            {
                const sys::one_user inner; // of what was raised meanwhile
                BOOST_TEST(sys::this_user() == 1u);
            }
            BOOST_TEST(sys::this_user() == 0u);
        }
        BOOST_TEST(sys::this_user() == 1u);
        BOOST_REQUIRE(::setreuid(2, 0) == 0);
        const sys::one_user next;
        BOOST_TEST(sys::this_user() == 2u);
    });
}

BOOST_AUTO_TEST_SUITE_END()
