// A child that acts, tells of it, and then stays: it runs its loop whenever the parent asks it to, between a post and the
// parent's look. So what it can take of the parent's it takes, each time, and nobody waits by the clock.
#pragma once

#include "support/support.hpp"

#include <functional>

#include <sys/types.h>

namespace sigev_tests {

/// What the child tells.
struct child_report {
    unsigned turns = 0; ///< of its loop
    unsigned taken = 0; ///< calls of the parent's handlers in the child, for no post of the child's
    unsigned broken = 0; ///< of the child's own posts, those that it has not heard

    friend bool operator==(const child_report&, const child_report&) = default;
    friend std::ostream& operator<<(std::ostream&, const child_report&);
};

class companion {
public:
    /// The child's end of it.
    class link {
    public:
        explicit link(int socket) : socket_(socket) {}
        /// Says that it has acted; then runs the loop as often as it is asked, until the parent ends this or itself. (A child
        /// that ends or executes another program closes the link: the parent takes that for having acted.)
        [[noreturn]] void stay(const std::function<void(child_report&)>& turn);

    private:
        int socket_;
    };

    /// Forks. The child does what `life` says, and ends with its return.
    explicit companion(const std::function<void(link&)>& life);
    companion(const companion&) = delete;
    /// Kills what is left of it.
    ~companion();

    /// False when the child has neither acted nor ended in time.
    [[nodiscard]] bool has_acted();

    /// Two turns of the child's loop, if it is there. False when they did not end in time; then it is asked no more.
    bool turns();

    /// As of the last turns().
    const child_report& report() const noexcept { return report_; }

    /// Lets it go; how it has ended.
    child_end end();

private:
    bool hear();
    void hang_up();

    int socket_ = -1;
    pid_t pid_ = -1;
    bool in_time_ = true;
    child_report report_;
};

} // namespace sigev_tests
