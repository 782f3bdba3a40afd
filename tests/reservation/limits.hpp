// What may be used up, in tests: a limit that is lowered for a while, and a user for whom it counts.
#pragma once

#include "support/support.hpp"

#include <sigev.h>

#include <functional>

#include <sys/resource.h>
#include <unistd.h>

namespace sigev_tests {

/// A limit lowered to what a process of this user has already, for as long as it stands.
class lowered {
public:
    lowered(decltype(RLIMIT_NOFILE) which, rlim_t to) : which_(which)
    {
        BOOST_REQUIRE(getrlimit(which_, &before_) == 0);
        const rlimit low{to, before_.rlim_max};
        BOOST_REQUIRE(setrlimit(which_, &low) == 0);
    }
    lowered(const lowered&) = delete;
    lowered& operator=(const lowered&) = delete;
    ~lowered() { setrlimit(which_, &before_); }

private:
    decltype(RLIMIT_NOFILE) which_;
    rlimit before_{};
};

/// As a user whose limits count: in a child, since they do not for root. Skips the case where that cannot be done.
inline void as_another_user(const std::function<void()>& body)
{
    const auto end = child(
        [&] {
            if (!become_another_user())
                return 77;
            body();
            BOOST_TEST(sigev_shutdown() == 0);
            return 0;
        },
        seconds(60));
    if (end.code == 77)
        skip("the user cannot be changed here");
    BOOST_TEST(end == exited_well);
}

} // namespace sigev_tests
