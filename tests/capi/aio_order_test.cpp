// What is ordered: appends and syncs, by file; and which file a request is on, whatever becomes of its number.
#include "aio_fixture.hpp"

#include <deque>
#include <functional>

#include <sys/socket.h>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

namespace {

constexpr std::size_t much = 32u << 20; // takes a while: what is ordered behind it is pending meanwhile

/// A file that is appended to, by two open files of one inode.
struct appended {
    descriptor file{temporary_file(O_APPEND)};
    descriptor other{open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDWR | O_APPEND | O_CLOEXEC)};
};

} // namespace

BOOST_AUTO_TEST_CASE(a_sync_reports_the_failure_of_what_it_covers_and_of_nothing_else) {
    void* const nowhere = reinterpret_cast<void*>(8);
    std::string text(much, 'a');
    const auto was_pending = [&] { // else the failure was over when the sync was called: done again
        appended f;
        aiocb first = make(f.file, text.data(), text.size());
        aiocb fails = make(f.other, nowhere, 1); // stands behind the first: by inode
        aiocb covers = make(f.file, nullptr, 0);
        aiocb fails_later = make(f.other, nowhere, 1);
        aiocb alone = make(f.file, nullptr, 0);
        BOOST_REQUIRE(sigev_aio_write(&first) == 0);
        BOOST_REQUIRE(sigev_aio_write(&fails) == 0);
        BOOST_REQUIRE(sigev_aio_fsync(O_DSYNC, &covers) == 0);
        BOOST_REQUIRE(sigev_aio_write(&fails_later) == 0);
        const bool were_pending = sigev_aio_error(&fails) == EINPROGRESS;
        BOOST_TEST(finished(covers));
        BOOST_TEST(finished(fails_later));
        BOOST_TEST(sigev_aio_error(&first) == 0); // what a sync covers is over before it
        BOOST_TEST(sigev_aio_error(&fails) == EFAULT);
        BOOST_TEST(sigev_aio_error(&fails_later) == EFAULT);
        if (were_pending)
            BOOST_TEST(sigev_aio_error(&covers) == EFAULT);
        BOOST_REQUIRE(sigev_aio_fsync(O_SYNC, &alone) == 0);
        BOOST_TEST(finished(alone));
        BOOST_TEST(sigev_aio_error(&alone) == 0); // that failure was over when it was called
        return were_pending;
    };
    BOOST_TEST(wait_until(was_pending));
}

BOOST_AUTO_TEST_CASE(followers_that_are_cancelled_strand_nobody) {
    std::string text(much, 'a');
    std::uint64_t rounds = 0;
    const auto some_were_cancelled = [&] { // else the write was over before they were asked for: done again
        ++rounds;
        appended f;
        std::array<char, 20> bytes;
        std::deque<aiocb> followers;
        aiocb first = make(f.file, text.data(), text.size());
        BOOST_REQUIRE(sigev_aio_write(&first) == 0);
        for (std::size_t i = 0; i != bytes.size(); ++i) {
            bytes[i] = static_cast<char>('A' + i);
            followers.push_back(make(f.file, &bytes[i], 1));
            BOOST_REQUIRE(sigev_aio_write(&followers.back()) == 0);
        }
        aiocb sync = make(f.file, nullptr, 0);
        BOOST_REQUIRE(sigev_aio_fsync(O_SYNC, &sync) == 0);
        int cancelled = 0;
        for (std::size_t i = 0; i < bytes.size(); i += 2)
            cancelled += sigev_aio_cancel(f.file, &followers[i]) == AIO_CANCELED;
        BOOST_TEST(finished(sync));
        BOOST_TEST(sigev_aio_error(&sync) == 0); // what was cancelled has not failed
        std::string expected;
        for (std::size_t i = 0; i != bytes.size(); ++i) {
            const int error = sigev_aio_error(&followers[i]);
            BOOST_TEST((error == 0 || (error == ECANCELED && i % 2 == 0)));
            if (error == 0)
                expected += bytes[i];
        }
        BOOST_TEST(content_of(f.file).substr(much) == expected);
        return cancelled > 0;
    };
    BOOST_TEST(wait_until(some_were_cancelled));
    BOOST_TEST(all_delivered(22 * rounds));
}

BOOST_AUTO_TEST_CASE(all_that_is_ordered_behind_a_write_is_cancelled_at_once) {
    appended f;
    std::string text(much, 'a');
    char byte = 'b';
    // The write may be over before all that stands behind it has been queued and cancelled: then it is done again.
    const auto was_pending = [&] {
        std::deque<aiocb> followers;
        aiocb first = make(f.file, text.data(), text.size());
        BOOST_REQUIRE(sigev_aio_write(&first) == 0);
        for (int i = 0; i != 100; ++i) {
            followers.push_back(make(f.file, &byte, 1));
            BOOST_REQUIRE(
                (i % 10 == 9 ? sigev_aio_fsync(O_SYNC, &followers.back()) : sigev_aio_write(&followers.back())) == 0);
        }
        const int answer = sigev_aio_cancel(f.file, nullptr);
        const bool pending = sigev_aio_error(&first) == EINPROGRESS;
        if (pending)
            BOOST_TEST(answer != AIO_ALLDONE);
        for (aiocb& cb : followers)
            if (pending)
                BOOST_TEST(sigev_aio_error(&cb) == ECANCELED);
            else
                BOOST_TEST(finished(cb));
        BOOST_TEST(finished(first));
        BOOST_REQUIRE(ftruncate(f.file, 0) == 0);
        return pending;
    };
    BOOST_TEST(wait_until(was_pending));
    aiocb more = make(f.file, &byte, 1);
    BOOST_REQUIRE(sigev_aio_write(&more) == 0);
    BOOST_TEST(finished(more));
    BOOST_TEST(sigev_aio_return(&more) == 1);
}

namespace {

void open_files(int& mine, int& wrong, int flags) {
    mine = temporary_file(flags);
    wrong = temporary_file(flags);
    if (mine < 0 || wrong < 0)
        return;
    const std::unique_ptr<char, decltype(&free)> memory(static_cast<char*>(aligned_alloc(4096, 4096)), free);
    std::memset(memory.get(), 'm', 4096);
    BOOST_REQUIRE(pwrite(mine, memory.get(), 4096, 0) == 4096);
    std::memset(memory.get(), 'w', 4096);
    BOOST_REQUIRE(pwrite(wrong, memory.get(), 4096, 0) == 4096);
}

void read_what_is_closed_at_once(int mine, int wrong, void* into, std::size_t length, const std::function<void()>& feed) {
    for (int i = 0; i != 2000; ++i) {
        const int number = fcntl(mine, F_DUPFD_CLOEXEC, 0);
        BOOST_TEST_REQUIRE(number >= 0);
        aiocb cb = make(number, into, length);
        BOOST_TEST_REQUIRE(sigev_aio_read(&cb) == 0);
        BOOST_TEST_REQUIRE(dup3(wrong, number, O_CLOEXEC) == number);
        feed();
        BOOST_TEST_REQUIRE(waited_for(cb));
        BOOST_TEST_REQUIRE(sigev_aio_return(&cb) == static_cast<ssize_t>(length));
        BOOST_TEST_REQUIRE(static_cast<char*>(into)[0] == 'm');
        close(number);
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(a_number_that_is_another_file_by_now_is_not_taken_for_the_first_one) {
    pipe_pair mine, other;
    char first = 0, second = 0;
    aiocb on_mine = make(mine.read, &first, 1);
    BOOST_REQUIRE(sigev_aio_read(&on_mine) == 0);
    BOOST_REQUIRE(dup3(other.read, mine.read, O_CLOEXEC) == mine.read);
    aiocb on_other = make(mine.read, &second, 1); // while the first is under way
    BOOST_REQUIRE(sigev_aio_read(&on_other) == 0);
    BOOST_REQUIRE(write(other.write, "o", 1) == 1);
    BOOST_TEST(finished(on_other));
    BOOST_TEST(sigev_aio_error(&on_mine) == EINPROGRESS);
    BOOST_REQUIRE(write(mine.write, "m", 1) == 1);
    BOOST_TEST(finished(on_mine));
    BOOST_TEST((first == 'm' && second == 'o'));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_closed_at_once_is_read_all_the_same, *sigev_tests::deadline(60)) {
    choose(SIGEV_AIO_ALWAYS_QUEUE);
    const std::unique_ptr<char, decltype(&free)> memory(static_cast<char*>(aligned_alloc(4096, 4096)), free);
    for (const int flags : {0, O_DIRECT}) {
        int mine, wrong;
        open_files(mine, wrong, flags);
        if (mine < 0)
            continue; // no O_DIRECT here
        read_what_is_closed_at_once(mine, wrong, memory.get(), 4096, [] {});
        close(mine);
        close(wrong);
    }
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_closed_at_once_is_read_all_the_same, *sigev_tests::deadline(60)) {
    char byte = 0;
    for (const bool sockets : {false, true}) {
        std::array<int, 2> mine, wrong;
        for (auto* ends : {&mine, &wrong})
            BOOST_REQUIRE((sockets ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->data())
                                   : pipe2(ends->data(), O_CLOEXEC)) == 0);
        BOOST_REQUIRE(write(wrong[1], "w", 1) == 1);
        read_what_is_closed_at_once(mine[0], wrong[0], &byte, 1, [&] { BOOST_REQUIRE(write(mine[1], "m", 1) == 1); });
        BOOST_TEST(read(wrong[0], &byte, 1) == 1); // nobody has touched the wrong one
        for (const int end : {mine[0], mine[1], wrong[0], wrong[1]})
            close(end);
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_closed_at_once_is_written_all_the_same, *sigev_tests::deadline(60)) {
    for (const int flags : {0, O_APPEND}) {
        descriptor mine(temporary_file(flags)), wrong(temporary_file(flags));
        char text[] = "m";
        for (int i = 0; i != 2000; ++i) {
            const int number = fcntl(mine, F_DUPFD_CLOEXEC, 0);
            aiocb cb = make(number, text, 1, i);
            BOOST_TEST_REQUIRE(sigev_aio_write(&cb) == 0);
            BOOST_TEST_REQUIRE(dup3(wrong, number, O_CLOEXEC) == number);
            BOOST_TEST_REQUIRE(waited_for(cb));
            BOOST_TEST_REQUIRE(sigev_aio_return(&cb) == 1);
            close(number);
        }
        BOOST_TEST(content_of(wrong) == "");
        BOOST_TEST(content_of(mine) == std::string(2000, 'm'));
    }
}

namespace {

/// What another process sees.
bool is_locked(int file) {
    return run_child(
               [&] {
                   struct flock l{};
                   l.l_type = F_WRLCK;
                   l.l_whence = SEEK_SET;
                   return fcntl(file, F_GETLK, &l) == 0 && l.l_type != F_UNLCK ? 0 : 1;
               },
               patience) == exited_well;
}

} // namespace

// The manual's words on fcntl() locks, as they are.
BOOST_AUTO_TEST_CASE(record_locks_survive_a_read_inside_the_call_and_no_other) {
    one_read r;
    struct flock l{};
    l.l_type = F_WRLCK;
    l.l_whence = SEEK_SET;
    BOOST_REQUIRE(fcntl(r.file, F_SETLK, &l) == 0);
    BOOST_TEST(is_locked(r.file));
    r.start();
    BOOST_TEST(sigev_aio_error(&r.cb) == 0); // inside the call
    BOOST_TEST(is_locked(r.file));
    choose(SIGEV_AIO_ALWAYS_QUEUE);
    r.start();
    BOOST_TEST(finished(r.cb));
    BOOST_TEST(!is_locked(r.file));
    BOOST_REQUIRE(fcntl(r.file, F_OFD_SETLK, &l) == 0);
    r.start();
    BOOST_TEST(finished(r.cb));
    BOOST_TEST(is_locked(r.file)); // locks of the open file stay
    BOOST_TEST(all_delivered(3));
}

BOOST_AUTO_TEST_SUITE_END()
