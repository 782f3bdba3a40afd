// How much there may be at once, what it costs, and what is left behind.
#include "aio_fixture.hpp"

#include <algorithm>
#include <deque>
#include <vector>

#include <sys/mman.h>
#include <sys/resource.h>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

BOOST_AUTO_TEST_CASE(a_hundred_thousand_requests_on_ten_thousand_descriptors, *sigev_tests::deadline(120)) {
    need_libcs_heap();
    rlimit limit{};
    BOOST_REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    // Two for each pipe, and one duplicate; user's pipes beyond a limit of pages are smaller, not fewer.
    const std::size_t descriptors = std::min<std::size_t>(10'000, (limit.rlim_cur - 200) / 3);
    const std::size_t each = (100'000 + descriptors - 1) / descriptors;
    BOOST_TEST_MESSAGE(descriptors << " descriptors, " << each << " requests on each");
    std::vector<std::array<int, 2>> pipes(descriptors);
    for (auto& ends : pipes)
        if (pipe2(ends.data(), O_CLOEXEC) != 0)
            skip("the system has no room for so many pipes");
    const std::size_t count = descriptors * each;
    std::vector<char> bytes(count);
    const std::unique_ptr<aiocb[]> all(new aiocb[count]);
    for (std::size_t i = 0; i != count; ++i)
        all[i] = make(pipes[i % descriptors][0], &bytes[i], 1);
    const std::size_t before = in_use();
    for (std::size_t i = 0; i != count; ++i)
        BOOST_TEST_REQUIRE(sigev_aio_read(&all[i]) == 0);
    const std::size_t each_costs = (in_use() - before) / count;
    BOOST_TEST_MESSAGE(each_costs << " bytes for each request, its share of the descriptor's included");
    BOOST_TEST(each_costs <= 256u);
    for (std::size_t i = 0; i != count; ++i)
        BOOST_TEST_REQUIRE(sigev_aio_error(&all[i]) == EINPROGRESS);
    const std::string data(each, 'x');
    for (const auto& ends : pipes)
        BOOST_TEST_REQUIRE(write(ends[1], data.data(), data.size()) == static_cast<ssize_t>(data.size()));
    BOOST_TEST(wait_until([&] { return total().delivered == count; }, milliseconds(60'000)));
    for (std::size_t i = 0; i != count; ++i)
        BOOST_TEST_REQUIRE(sigev_aio_return(&all[i]) == 1);
    BOOST_TEST(std::count(bytes.begin(), bytes.end(), 'x') == static_cast<std::ptrdiff_t>(count));
    for (const auto& ends : pipes)
        for (const int end : ends)
            close(end);
}

BOOST_AUTO_TEST_CASE(requests_that_are_never_returned_do_not_pile_up) {
    need_libcs_heap();
    one_read r;
    descriptor out(temporary_file());
    char byte = 'x';
    std::size_t before = 0;
    for (int i = 0; i != 20'000; ++i) {
        if (i == 1000)
            before = in_use();
        r.start(); // over inside the call
        aiocb cb = make(out, &byte, 1);
        BOOST_TEST_REQUIRE(sigev_aio_write(&cb) == 0);
        const aiocb* const list[] = {&cb};
        BOOST_TEST_REQUIRE(sigev_aio_suspend(list, 1, nullptr) == 0);
    }
    BOOST_TEST(in_use() < before + 65536);
}

BOOST_AUTO_TEST_CASE(without_a_descriptor_to_spare_nothing_is_queued) {
    pipe_pair pipe;
    char byte = 0;
    one_read warm; // the threads are there
    warm.start();
    aiocb cb = make(pipe.read, &byte, 1);
    cb.aio_sigevent.sigev_notify = SIGEV_CALLBACK;
    cb.aio_sigevent.sigev_notify_function = hear;
    BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
    BOOST_TEST(sigev_aio_cancel(pipe.read, &cb) == AIO_CANCELED);
    BOOST_TEST(wait_until([] { return heard.calls == 1; }));
    BOOST_TEST(sigev_aio_return(&cb) == -1);
    rlimit usual{}, none{};
    BOOST_REQUIRE(getrlimit(RLIMIT_NOFILE, &usual) == 0);
    none = usual;
    none.rlim_cur = 3;
    BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    BOOST_TEST(sigev_aio_read(&cb) == -1);
    BOOST_TEST(errno == EAGAIN);
    BOOST_TEST(sigev_aio_error(&cb) == EINVAL); // as it was
    aiocb* const list[] = {&cb};
    cb.aio_lio_opcode = LIO_READ;
    BOOST_TEST(sigev_lio_listio(LIO_WAIT, list, 1, nullptr) == -1);
    BOOST_TEST(errno == EAGAIN);
    BOOST_TEST(sigev_aio_error(&cb) == EAGAIN); // of a list each status says it
    warm.start(); // what needs none goes on
    BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
    BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
    BOOST_REQUIRE(write(pipe.write, "x", 1) == 1);
    BOOST_TEST(finished(cb));
    BOOST_TEST(wait_until([] { return heard.calls == 2; }));
    BOOST_TEST(all_delivered(4));
}

// Where there is no descriptor to spare, only what is over inside the call goes through.
BOOST_AUTO_TEST_CASE(a_read_that_is_longer_than_the_limit_is_not_made_inside_the_call) {
    descriptor disk(temporary_file()), memory(memfd_create("sigev", MFD_CLOEXEC));
    const std::string content(300'000, 'c');
    for (const int file : {int{disk}, int{memory}})
        BOOST_REQUIRE(write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    std::vector<char> into(content.size());
    rlimit usual{}, none{};
    BOOST_REQUIRE(getrlimit(RLIMIT_NOFILE, &usual) == 0);
    none = usual;
    none.rlim_cur = 3;
    for (const std::size_t limit : {0, 4096, 1}) { // 0: the usual one
        sigev_aio_options options{};
        options.size = sizeof options;
        options.inline_limit = limit;
        BOOST_REQUIRE(sigev_aio_init(&options) == 0);
        const std::size_t most = limit ? limit : 262'144;
        for (const int file : {int{disk}, int{memory}}) {
            one_read warm; // the reactor is there, and nothing of an engine is needed
            warm.start();
            aiocb cb = make(file, into.data(), most);
            aiocb longer = make(file, into.data(), most + 1);
            BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
            const int inside = sigev_aio_read(&cb);
            const int not_inside = sigev_aio_read(&longer) == -1 ? errno : 0;
            BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
            BOOST_TEST(inside == 0);
            BOOST_TEST(sigev_aio_error(&cb) == 0);
            BOOST_TEST(sigev_aio_return(&cb) == static_cast<ssize_t>(most));
            BOOST_TEST(not_inside == EAGAIN);
            BOOST_REQUIRE(sigev_aio_read(&longer) == 0);
            BOOST_TEST(waited_for(longer));
            BOOST_TEST(sigev_aio_return(&longer) == static_cast<ssize_t>(most + 1));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
