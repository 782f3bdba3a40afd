// No descriptor, no thread, no privilege: an error at subscription, nothing left behind, nothing printed.
#include "fixture.hpp"

#include <string>

#include <fcntl.h>
#include <sys/resource.h>

using namespace sigev_tests;

namespace {

void nothing(sigval) {}

int count_of(const char* folder) {
    int n = 0;
    for (int fd = 0; fd != 1024; ++fd)
        n += access((std::string(folder) + "/" + std::to_string(fd)).c_str(), F_OK) == 0;
    return n;
}

/// Runs the body in a child as another user, so that limits per user can be low; what the child prints is returned.
std::string printed_by(const std::function<void()>& body, bool as_nobody = false) {
    const int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    BOOST_REQUIRE(file >= 0);
    const auto end = child([&] {
        if (as_nobody && !become_another_user())
            _exit(77);
        const int out = dup(1), err = dup(2);
        dup2(file, 1);
        dup2(file, 2);
        body();
        dup2(out, 1);
        dup2(err, 2);
        BOOST_TEST(sigev_shutdown() == 0);
    });
    if (end.code == 77) {
        close(file);
        skip("the user cannot be changed here");
    }
    BOOST_TEST(end == exited_well);
    char text[4096] = "";
    const auto n = pread(file, text, sizeof text - 1, 0);
    close(file);
    return std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(resources)

// The first use fails as well as a later one; once the limit is lifted everything works.
BOOST_AUTO_TEST_CASE(without_descriptors_there_is_EAGAIN_and_nothing_is_left_or_printed) {
    need_no_descriptors();
    const auto output = printed_by([] {
        rlimit before{};
        getrlimit(RLIMIT_NOFILE, &before);
        const int open_now = count_of("/proc/self/fd");
        auto none = make_event(SIGEV_NONE);
        for (int room = 0; room != 12; ++room) {
            std::vector<int> fill;
            const rlimit low{static_cast<rlim_t>(64), before.rlim_max};
            setrlimit(RLIMIT_NOFILE, &low);
            for (int fd = 0; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
                fill.push_back(fd);
            for (int i = 0; i != room; ++i) {
                close(fill.back());
                fill.pop_back();
            }
            timer_t timer{};
            sigev_reactor_t reactor = 0;
            for (const auto& e :
                 {make_event(SIGEV_SIGNAL, SIGUSR1), make_event(SIGEV_THREAD, nothing, nullptr),
                  make_thread_id_event(this_thread(), SIGUSR1), make_event(SIGEV_CALLBACK, nothing, nullptr)}) {
                const int error = open_error(e);
                BOOST_TEST((error == 0 || error == EAGAIN), "sigev_open with room for " << room << ": " << error);
            }
            errno = 0;
            if (sigev_timer_create(CLOCK_REALTIME, &none, &timer) == 0)
                BOOST_TEST(sigev_timer_delete(timer) == 0);
            else
                BOOST_TEST(errno == EAGAIN);
            errno = 0;
            if (sigev_reactor_open(&reactor) == 0)
                BOOST_TEST(sigev_reactor_close(reactor) == 0);
            else
                BOOST_TEST((errno == EMFILE || errno == EAGAIN));
            for (const int fd : fill)
                close(fd);
            setrlimit(RLIMIT_NOFILE, &before);
            BOOST_TEST(sigev_shutdown() == 0);
            BOOST_TEST(count_of("/proc/self/fd") == open_now);
        }
        BOOST_TEST(open_error(make_event(SIGEV_THREAD, nothing, nullptr)) == 0);
        BOOST_TEST(sigev_shutdown() == 0);
        BOOST_TEST(count_of("/proc/self/fd") == open_now);
    });
    BOOST_TEST(output == "");
}

BOOST_AUTO_TEST_CASE(without_threads_there_is_EAGAIN_and_nothing_is_left_or_printed) {
    const auto output = printed_by(
        [] {
            rlimit before{};
            getrlimit(RLIMIT_NPROC, &before);
            const rlimit low{0, before.rlim_max};
            const int open_now = count_of("/proc/self/fd");
            auto e = make_event(SIGEV_THREAD, nothing, nullptr);
            timer_t timer{};
            for (int round = 0; round != 3; ++round) {
                BOOST_REQUIRE(setrlimit(RLIMIT_NPROC, &low) == 0);
                for (int i = 0; i != 5; ++i) {
                    BOOST_TEST(open_error(e) == EAGAIN);
                    BOOST_TEST(open_error(make_event(SIGEV_NONE)) == EAGAIN);
                    errno = 0;
                    BOOST_TEST(sigev_timer_create(CLOCK_MONOTONIC, &e, &timer) == -1);
                    BOOST_TEST(errno == EAGAIN);
                    BOOST_TEST(count_of("/proc/self/fd") == open_now);
                }
                const place on(place::borrowed); // needs no thread
                const auto o = make_options(on);
                BOOST_TEST(open_error(make_event(SIGEV_CALLBACK, nothing, nullptr), 1, &o) == 0);
                BOOST_TEST(open_error(e, 1, &o) == EAGAIN);
                BOOST_REQUIRE(setrlimit(RLIMIT_NPROC, &before) == 0);
                BOOST_TEST(open_error(e) == 0); // a transient failure stays transient [5.3]
                BOOST_TEST(sigev_shutdown() == 0);
            }
        },
        true);
    BOOST_TEST(output == "");
}

BOOST_AUTO_TEST_CASE(scheduling_without_the_privilege_is_EPERM_at_subscription) {
    const auto output = printed_by(
        [] {
            pthread_attr_t attributes;
            pthread_attr_init(&attributes);
            pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
            pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
            const sched_param priority{10};
            pthread_attr_setschedparam(&attributes, &priority);
            BOOST_TEST(open_error(make_event(SIGEV_THREAD, nothing, nullptr, &attributes)) == EPERM);
            pthread_attr_destroy(&attributes);
            BOOST_TEST(open_error(make_event(SIGEV_THREAD, nothing, nullptr)) == 0);
        },
        true);
    BOOST_TEST(output == "");
}

BOOST_AUTO_TEST_SUITE_END()
