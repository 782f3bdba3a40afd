// aio_waitcomplete(): the oldest that is over, once, and never what aio_return() has taken.
#include "aio_fixture.hpp"

#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <sys/uio.h>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

namespace {

constexpr timespec at_once{0, 0};
constexpr timespec a_while{10, 0};

} // namespace

BOOST_AUTO_TEST_CASE(waitcomplete_returns_the_oldest_that_is_over) {
    choose(SIGEV_AIO_KEEP_COMPLETED);
    pipe_pair pipe;
    one_read r; // over inside the call
    char byte = 0;
    aiocb waits = make(pipe.read, &byte, 1);
    aiocb bad = make(-1, &byte, 1);
    BOOST_REQUIRE(sigev_aio_read(&waits) == 0);
    r.start();
    BOOST_REQUIRE(sigev_aio_read(&bad) == 0);
    aiocb* got = nullptr;
    errno = 77;
    BOOST_TEST(sigev_aio_waitcomplete(&got, &at_once) == 7);
    BOOST_TEST(errno == 77);
    BOOST_TEST(got == &r.cb);
    BOOST_TEST(sigev_aio_error(&r.cb) == EINVAL); // it has been returned
    BOOST_TEST(sigev_aio_return(&r.cb) == -1);
    BOOST_TEST(sigev_aio_waitcomplete(&got, nullptr) == -1);
    BOOST_TEST(errno == EBADF);
    BOOST_TEST(got == &bad);
    BOOST_TEST(sigev_aio_waitcomplete(&got, &at_once) == -1);
    BOOST_TEST(errno == EAGAIN);
    BOOST_TEST(got == nullptr);
    std::thread writes([&] { (void)!write(pipe.write, "x", 1); });
    BOOST_TEST(sigev_aio_waitcomplete(&got, &a_while) == 1);
    writes.join();
    BOOST_TEST(got == &waits);
    const timespec wrong{0, -1};
    BOOST_TEST(sigev_aio_waitcomplete(&got, &wrong) == -1);
    BOOST_TEST(errno == EINVAL);
}

BOOST_AUTO_TEST_CASE(what_aio_return_has_taken_waitcomplete_does_not_return) {
    choose(SIGEV_AIO_KEEP_COMPLETED);
    one_read r;
    for (int i = 0; i != 1000; ++i) { // nor does it pile up
        auto cb = std::make_unique<aiocb>(r.cb);
        BOOST_REQUIRE(sigev_aio_read(cb.get()) == 0);
        BOOST_REQUIRE(sigev_aio_return(cb.get()) == 7);
        BOOST_REQUIRE(sigev_aio_return(cb.get()) == -1);
        std::memset(static_cast<void*>(cb.get()), 0xff, sizeof *cb);
    }
    aiocb* got = nullptr;
    BOOST_TEST(sigev_aio_waitcomplete(&got, &at_once) == -1);
    BOOST_TEST(errno == EAGAIN);
    r.start(); // and again without having been returned: the first is given up
    r.start();
    BOOST_TEST(sigev_aio_waitcomplete(&got, &at_once) == 7);
    BOOST_TEST(got == &r.cb);
    BOOST_TEST(sigev_aio_waitcomplete(&got, &at_once) == -1);
}

BOOST_AUTO_TEST_CASE(of_threads_that_wait_each_request_reaches_one) {
    choose(SIGEV_AIO_KEEP_COMPLETED);
    const int count = 400;
    descriptor file(temporary_file());
    std::vector<char> bytes(count, 'x');
    std::vector<std::unique_ptr<aiocb>> all;
    for (char& b : bytes)
        all.push_back(std::make_unique<aiocb>(make(file, &b, 1)));
    std::mutex mutex;
    std::multiset<aiocb*> seen;
    std::vector<std::thread> threads;
    for (int i = 0; i != 3; ++i)
        threads.emplace_back([&] {
            for (;;) {
                {
                    const std::lock_guard lock(mutex);
                    if (seen.size() == count)
                        return;
                }
                aiocb* got = nullptr;
                const timespec brief{0, 1'000'000};
                if (sigev_aio_waitcomplete(&got, &brief) == 1) {
                    const std::lock_guard lock(mutex);
                    seen.insert(got);
                }
            }
        });
    for (auto& cb : all)
        BOOST_REQUIRE(sigev_aio_write(cb.get()) == 0);
    for (std::thread& t : threads)
        t.join();
    for (auto& cb : all)
        BOOST_TEST_REQUIRE(seen.count(cb.get()) == 1u);
}

BOOST_AUTO_TEST_CASE(a_vector_is_read_and_written) {
    descriptor file(temporary_file());
    char hello[] = "hello ", world[] = "world";
    aiocb cb{};
    {
        iovec pieces[] = {{hello, 6}, {nullptr, 0}, {world, 5}};
        cb = make(file, pieces, 3);
        BOOST_REQUIRE(sigev_aio_writev(&cb) == 0);
        std::memset(pieces, 0xff, sizeof pieces); // it has been copied
    }
    BOOST_TEST(finished(cb));
    BOOST_TEST(sigev_aio_return(&cb) == 11);
    BOOST_TEST(content_of(file) == "hello world");
    std::array<char, 4> first{};
    std::array<char, 20> second{};
    iovec pieces[] = {{first.data(), 4}, {second.data(), 20}};
    cb = make(file, pieces, 2, 1);
    BOOST_REQUIRE(sigev_aio_readv(&cb) == 0);
    BOOST_TEST(finished(cb));
    BOOST_TEST(sigev_aio_return(&cb) == 10);
    BOOST_TEST(std::string(first.data(), 4) == "ello");
    BOOST_TEST(std::string(second.data()) == " world");
    pipe_pair pipe;
    cb = make(pipe.read, pieces, 2);
    BOOST_REQUIRE(sigev_aio_readv(&cb) == 0);
    BOOST_TEST(sigev_aio_error(&cb) == EINPROGRESS);
    BOOST_REQUIRE(write(pipe.write, "abcdef", 6) == 6);
    BOOST_TEST(finished(cb));
    BOOST_TEST(sigev_aio_return(&cb) == 6);
    BOOST_TEST(second[1] == 'f');
    cb.aio_nbytes = 0;
    BOOST_TEST(sigev_aio_readv(&cb) == -1);
    BOOST_TEST(errno == EINVAL);
    cb.aio_nbytes = IOV_MAX + 1;
    BOOST_TEST(sigev_aio_readv(&cb) == -1);
    BOOST_TEST(errno == EINVAL);
}

BOOST_AUTO_TEST_CASE(what_init_refuses) {
    sigev_aio_options options{};
    BOOST_TEST(sigev_aio_init(nullptr) == -1);
    BOOST_TEST(errno == EINVAL);
    BOOST_TEST(sigev_aio_init(&options) == -1);
    options.size = sizeof options;
    options.flags = 0x80000000;
    BOOST_TEST(sigev_aio_init(&options) == -1);
    BOOST_TEST(errno == EINVAL);
    options.flags = SIGEV_AIO_ALWAYS_QUEUE;
    BOOST_TEST(sigev_aio_init(&options) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
