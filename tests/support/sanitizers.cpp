#include "sanitizers.hpp"

#include "support.hpp"

#include <memory>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sigev_tests {

namespace {

bool a_thread_starts_in_a_child() {
    gate there, over;
    bool in_time = true;
    std::thread other([&] { // the child's first thread is given what this one's number was
        there.open();
        in_time = over.wait();
    });
    BOOST_TEST(there.wait());
    const auto end = child([] {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO); // where a sanitizer would say that it cannot
        std::thread([] {}).join();
    });
    over.open();
    other.join();
    BOOST_TEST(in_time);
    return end == exited_well;
}

struct shape {
    virtual ~shape() = default;
    virtual int corners() const { return 0; }
};
struct square : shape {
    int corners() const override { return 4; }
};

bool code_runs_without_descriptors() {
    const std::unique_ptr<shape> some = std::make_unique<square>();
    const volatile auto* const unknown = &some; // so that the call is one
    const auto end = child([&] {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        const rlimit none{0, 0};
        setrlimit(RLIMIT_NOFILE, &none);
        return (*const_cast<const std::unique_ptr<shape>*>(unknown))->corners() == 4 ? 0 : 1;
    });
    return end == exited_well;
}

} // namespace

bool threads_start_in_a_child() {
    static const bool answer = a_thread_starts_in_a_child();
    return answer;
}

void need_threads_in_a_child() {
    if (!threads_start_in_a_child())
        skip("the sanitizer cannot start a thread in the child of a process with threads");
}

void need_no_descriptors() {
    static const bool answer = code_runs_without_descriptors();
    if (!answer)
        skip("the sanitizer needs descriptors of its own");
}

void need_the_allocator_in_a_child() {
    if (under_address_sanitizer)
        skip("AddressSanitizer's allocator may be locked in the child of a process with busy threads");
}

void settle_before_fork() {
    static bool one_never_sleeps = false; // then the next forks do not wait for it again
    if (under_address_sanitizer && !one_never_sleeps)
        one_never_sleeps = !wait_until(other_threads_sleep, seconds(1));
}

} // namespace sigev_tests
