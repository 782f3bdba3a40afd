// What the thread engine does with each kind of file.
#include "aio_fixture.hpp"

#include "backends/aio/threads/transfer.hpp"

#include <array>
#include <cerrno>
#include <climits>

#include <sys/eventfd.h>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio_threads)

BOOST_AUTO_TEST_CASE(a_file_is_read_written_and_synced) {
    recorder sink;
    engine e(sink, {});
    const unique_fd file = make_file("0123456789");
    std::array<char, 32> buffer{};
    aio_work read = make_work(aio_operation::read, file.get(), buffer.data(), buffer.size(), false);
    read.offset = 4;
    start(e, read);
    BOOST_TEST(wait_until([&] { return sink.has(read); }));
    BOOST_TEST((read.error == 0 && read.result == 6));
    BOOST_TEST(std::string(buffer.data()) == "456789");

    char text[] = "abc";
    aio_work write = make_work(aio_operation::write, file.get(), text, 3, false);
    write.offset = 20;
    start(e, write);
    aio_work sync = make_work(aio_operation::fdatasync, file.get(), nullptr, 0, false);
    start(e, sync);
    BOOST_TEST(wait_until([&] { return sink.count() == 3; }));
    BOOST_TEST((write.error == 0 && write.result == 3 && sync.error == 0));
    BOOST_TEST(lseek(file.get(), 0, SEEK_END) == 23);
}

BOOST_AUTO_TEST_CASE(an_error_is_the_operations) {
    recorder sink;
    engine e(sink, {});
    const unique_fd folder(open("/tmp", O_RDONLY | O_CLOEXEC));
    char byte = 0;
    aio_work read = make_work(aio_operation::read, folder.get(), &byte, 1, false);
    start(e, read);
    aio_work write = make_work(aio_operation::write, folder.get(), &byte, 0, false); // also of no bytes
    start(e, write);
    BOOST_TEST(wait_until([&] { return sink.count() == 2; }));
    BOOST_TEST(read.error == EISDIR);
    BOOST_TEST(write.error == EBADF);
}

BOOST_AUTO_TEST_CASE(a_write_larger_than_the_pipe_is_written_whole) {
    recorder sink;
    engine e(sink, {});
    const pair_of_fds pipe = make_pipe();
    std::string text(1 << 20, 'w');
    aio_work all = make_work(aio_operation::write, pipe.write.get(), text.data(), text.size(), true);
    start(e, all);
    std::string heard;
    std::array<char, 4096> part;
    while (heard.size() != text.size()) {
        const ssize_t n = read(pipe.read.get(), part.data(), part.size());
        BOOST_REQUIRE(n > 0);
        heard.append(part.data(), static_cast<std::size_t>(n));
    }
    BOOST_TEST(wait_until([&] { return sink.has(all); }));
    BOOST_TEST((all.error == 0 && all.result == static_cast<ssize_t>(text.size())));
}

BOOST_AUTO_TEST_CASE(a_datagram_stays_one) {
    recorder sink;
    engine e(sink, {});
    const pair_of_fds ends = make_sockets(SOCK_SEQPACKET);
    std::array<char, 16> buffer{};
    aio_work read = make_work(aio_operation::read, ends.read.get(), buffer.data(), buffer.size(), true);
    start(e, read);
    BOOST_TEST(write(ends.write.get(), "abc", 3) == 3);
    BOOST_TEST(write(ends.write.get(), "def", 3) == 3);
    BOOST_TEST(wait_until([&] { return sink.has(read); }));
    BOOST_TEST(read.result == 3);
}

BOOST_AUTO_TEST_CASE(a_terminal_is_read_when_it_is_ready) {
    recorder sink;
    engine e(sink, {.most_threads = 1});
    const pair_of_fds terminal = make_terminal();
    const unique_fd file = make_file("x");
    char key = 0, byte = 0;
    aio_work read = make_work(aio_operation::read, terminal.read.get(), &key, 1, true);
    start(e, read);
    aio_work other = make_work(aio_operation::read, file.get(), &byte, 1, false);
    start(e, other);
    BOOST_TEST(wait_until([&] { return sink.has(other); }));
    BOOST_TEST(!sink.has(read));
    BOOST_TEST(write(terminal.write.get(), "k", 1) == 1);
    BOOST_TEST(wait_until([&] { return sink.has(read); }));
    BOOST_TEST(key == 'k');
}

// What Linux before 6.5 does for every pipe.
BOOST_AUTO_TEST_CASE(a_ready_pipe_is_never_asked_for_more_than_it_takes_at_once) {
    using sigev::aio_threads::progress;
    const pair_of_fds pipe = make_pipe();
    std::string text(3 * PIPE_BUF / 2, 'w');
    aio_work write = make_work(aio_operation::write, pipe.write.get(), text.data(), text.size(), true);
    BOOST_TEST((sigev::aio_threads::transfer_blocking(write) == progress::would_wait));
    BOOST_TEST(write.result == PIPE_BUF);
    BOOST_TEST((sigev::aio_threads::transfer_blocking(write) == progress::finished));
    BOOST_TEST(write.result == static_cast<ssize_t>(text.size()));
    std::string heard(text.size() * 2, '\0');
    aio_work read = make_work(aio_operation::read, pipe.read.get(), heard.data(), heard.size(), true);
    BOOST_TEST((sigev::aio_threads::transfer_blocking(read) == progress::finished));
    BOOST_TEST(read.result == static_cast<ssize_t>(text.size())); // a read is not resumed
}

BOOST_AUTO_TEST_CASE(what_has_no_readiness_is_just_done) {
    recorder sink;
    engine e(sink, {});
    const unique_fd full(open("/dev/full", O_RDWR | O_CLOEXEC));
    const unique_fd event(eventfd(3, EFD_CLOEXEC));
    std::string text(100000, 'x');
    std::uint64_t count = 0;
    aio_work write = make_work(aio_operation::write, full.get(), text.data(), text.size(), true);
    aio_work read = make_work(aio_operation::read, event.get(), &count, sizeof count, true);
    start(e, write);
    start(e, read);
    BOOST_TEST(wait_until([&] { return sink.count() == 2; }));
    BOOST_TEST(write.error == ENOSPC);
    BOOST_TEST((read.error == 0 && count == 3));
}

BOOST_AUTO_TEST_SUITE_END()
