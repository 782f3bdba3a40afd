// Every kind of file: what a request on it does, waits for, and answers.
#include "aio_fixture.hpp"

#include <vector>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

namespace {

ssize_t ends(aiocb& cb, int error = 0) {
    BOOST_TEST(finished(cb));
    BOOST_TEST(sigev_aio_error(&cb) == error);
    return sigev_aio_return(&cb);
}

ssize_t reads(int file, void* into, std::size_t length, off_t offset = 0, int error = 0) {
    aiocb cb = make(file, into, length, offset);
    BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
    return ends(cb, error);
}

ssize_t writes(int file, const void* from, std::size_t length, off_t offset = 0, int error = 0) {
    aiocb cb = make(file, const_cast<void*>(from), length, offset);
    BOOST_REQUIRE(sigev_aio_write(&cb) == 0);
    return ends(cb, error);
}

struct socket_pair {
    explicit socket_pair(int type) {
        BOOST_REQUIRE(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, both) == 0);
    }
    ~socket_pair() {
        close(both[0]);
        close(both[1]);
    }
    int both[2];
};

/// Once with what is in memory read inside the call, and once by the engine alone.
template <class F>
void either_way(F&& f) {
    f();
    choose(SIGEV_AIO_ALWAYS_QUEUE);
    f();
}

} // namespace

BOOST_AUTO_TEST_CASE(a_regular_file_is_read_to_its_end_and_no_further) {
    either_way([] {
        descriptor file(temporary_file());
        std::array<char, 8> in{};
        BOOST_TEST(reads(file, in.data(), 8) == 0);
        BOOST_TEST(writes(file, "0123456789", 10) == 10);
        BOOST_TEST(reads(file, in.data(), 8) == 8);
        BOOST_TEST(reads(file, in.data(), 8, 7) == 3);
        BOOST_TEST(std::string(in.data(), 3) == "789");
        BOOST_TEST(reads(file, in.data(), 8, 10) == 0);
        BOOST_TEST(reads(file, in.data(), 8, off_t{1} << 40) == 0);
        BOOST_TEST(reads(file, nullptr, 0) == 0);
        BOOST_TEST(writes(file, nullptr, 0) == 0);
        BOOST_TEST(reads(file, reinterpret_cast<void*>(8), 4, 0, EFAULT) == -1);
        const off_t far = (off_t{1} << 32) + 5;
        BOOST_TEST(writes(file, "far", 3, far) == 3);
        BOOST_TEST(reads(file, in.data(), 8, far - 1) == 4);
        BOOST_TEST(std::string(in.data(), 4) == std::string("\0far", 4));
    });
}

BOOST_AUTO_TEST_CASE(a_file_in_memory_is_as_any_other) {
    either_way([] {
        descriptor file(memfd_create("sigev", MFD_CLOEXEC));
        std::array<char, 8> in{};
        BOOST_TEST(writes(file, "0123456789", 10) == 10);
        BOOST_TEST(reads(file, in.data(), 8, 4) == 6);
        BOOST_TEST(std::string(in.data(), 6) == "456789");
    });
}

BOOST_AUTO_TEST_CASE(sixty_four_mebibytes_go_through_whole) {
    either_way([] {
        const std::size_t size = 64u << 20;
        descriptor file(temporary_file());
        std::vector<unsigned> out(size / sizeof(unsigned)), in(out.size());
        for (unsigned i = 0; i != out.size(); ++i)
            out[i] = i * 2654435761u;
        BOOST_TEST(writes(file, out.data(), size) == static_cast<ssize_t>(size));
        BOOST_TEST(reads(file, in.data(), size) == static_cast<ssize_t>(size));
        BOOST_TEST((in == out));
    });
}

// No system call transfers more than two gibibytes, so this is short again and again. The device looks at no byte of it.
BOOST_AUTO_TEST_CASE(what_is_transferred_in_parts_is_whole_at_the_end) {
    if (under_address_sanitizer || under_thread_sanitizer)
        skip("a sanitizer looks at all the memory that a call is given, and this is not there");
    descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
    static char here; // not on the stack: so much has to be left of the address space above it
    constexpr std::size_t size = std::size_t{5} << 30;
    BOOST_TEST(writes(null, &here, size) == static_cast<ssize_t>(size));
}

BOOST_AUTO_TEST_CASE(direct_transfers_never_happen_inside_the_call) {
    const int number = temporary_file(O_DIRECT);
    if (number < 0)
        skip("no O_DIRECT on the file system of /tmp");
    descriptor file(number);
    const std::unique_ptr<char, decltype(&free)> memory(static_cast<char*>(aligned_alloc(4096, 8192)), free);
    std::memset(memory.get(), 'd', 8192);
    BOOST_TEST(writes(file, memory.get(), 8192) == 8192);
    std::memset(memory.get(), 0, 8192);
    BOOST_TEST(reads(file, memory.get(), 4096, 4096) == 4096);
    BOOST_TEST(memory.get()[4095] == 'd');
    BOOST_TEST(reads(file, memory.get(), 8192, 8192) == 0);
    BOOST_TEST(reads(file, memory.get(), 4096, 1, EINVAL) == -1);
    int pending = 0; // seen EINPROGRESS: some device always takes longer than the return of the call
    for (int i = 0; i != 200; ++i) {
        aiocb cb = make(file, memory.get(), 4096);
        BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
        pending += sigev_aio_error(&cb) == EINPROGRESS;
        BOOST_TEST_REQUIRE(ends(cb) == 4096);
    }
    BOOST_TEST(pending > 0);
}

// What is in memory up to there is read at once; that is not all of it.
BOOST_AUTO_TEST_CASE(a_read_of_which_the_first_half_is_in_memory_brings_the_second_too) {
    constexpr std::size_t half = 64 * 1024;
    constexpr off_t middle = 2 * 1024 * 1024; // where no page ends later, however large pages of files are
    descriptor file(temporary_file());
    const std::string written = std::string(half, 'a') + std::string(half, 'b');
    BOOST_REQUIRE(pwrite(file, written.data(), written.size(), middle - off_t(half)) == ssize_t(written.size()));
    BOOST_REQUIRE(fsync(file) == 0);
    std::string found(written.size(), '\0');
    int halves = 0;
    for (int i = 0; i != 20; ++i) {
        BOOST_REQUIRE(posix_fadvise(file, middle, half, POSIX_FADV_DONTNEED) == 0);
        iovec whole{found.data(), found.size()};
        const ssize_t in_memory = preadv2(file, &whole, 1, middle - off_t(half), RWF_NOWAIT);
        halves += in_memory > 0 && in_memory < ssize_t(found.size());
        found.assign(found.size(), '\0');
        BOOST_TEST_REQUIRE(reads(file, found.data(), found.size(), middle - off_t(half)) == ssize_t(found.size()));
        BOOST_TEST_REQUIRE((found == written));
    }
    if (halves == 0)
        skip("the file system of /tmp has all of a file in memory");
}

// What a number was is only a guess at what it is.
BOOST_AUTO_TEST_CASE(a_number_that_is_another_file_by_now_is_read_as_what_it_is) {
    const int direct = temporary_file(O_DIRECT);
    if (direct < 0)
        skip("no O_DIRECT on the file system of /tmp");
    descriptor disk(temporary_file()), memory(memfd_create("aio", MFD_CLOEXEC)), past_the_cache(direct);
    descriptor counter(eventfd(0, EFD_CLOEXEC));
    const std::unique_ptr<char, decltype(&free)> page(static_cast<char*>(aligned_alloc(4096, 4096)), free);
    const auto fill = [&](int file, char with) {
        std::memset(page.get(), with, 4096);
        BOOST_REQUIRE(writes(file, page.get(), 4096) == 4096);
    };
    fill(disk, 'd');
    fill(memory, 'm');
    fill(past_the_cache, 'p');
    descriptor number(dup(disk));
    const auto becomes = [&](int file, char with) {
        BOOST_REQUIRE(dup2(file, number) == number);
        for (int i = 0; i != 200; ++i) { // more than it takes to be sure
            aiocb cb = make(number, page.get(), 4096);
            errno = E2BIG;
            const int started = sigev_aio_read(&cb);
            const int left = errno;
            BOOST_TEST_REQUIRE(started == 0);
            BOOST_TEST_REQUIRE(left == E2BIG); // whatever had to be asked
            BOOST_TEST_REQUIRE(ends(cb) == 4096);
            BOOST_TEST_REQUIRE(page.get()[4095] == with);
        }
    };
    becomes(disk, 'd');
    becomes(memory, 'm');
    becomes(disk, 'd');
    becomes(past_the_cache, 'p');
    int pending = 0;
    for (int i = 0; i != 200; ++i) {
        aiocb cb = make(number, page.get(), 4096);
        BOOST_REQUIRE(sigev_aio_read(&cb) == 0);
        pending += sigev_aio_error(&cb) == EINPROGRESS;
        BOOST_TEST_REQUIRE(ends(cb) == 4096);
    }
    BOOST_TEST(pending > 0);
    becomes(memory, 'm');
    // What would be waited for for ever, by who read it at once.
    BOOST_REQUIRE(dup2(counter, number) == number);
    std::uint64_t count = 0;
    aiocb wait = make(number, &count, sizeof count);
    BOOST_REQUIRE(sigev_aio_read(&wait) == 0);
    BOOST_TEST(sigev_aio_error(&wait) == EINPROGRESS);
    BOOST_REQUIRE(eventfd_write(counter, 3) == 0);
    BOOST_TEST(ends(wait) == 8);
    BOOST_TEST(count == 3u);
}

// The log of the kernel has positional reads, and waits in them for ever.
BOOST_AUTO_TEST_CASE(a_number_that_was_memory_and_is_a_device_that_waits_is_not_waited_for_in_the_call) {
    const int log = open("/dev/kmsg", O_RDONLY | O_CLOEXEC);
    if (log < 0)
        skip("no right to read /dev/kmsg");
    descriptor device(log), number(memfd_create("aio", MFD_CLOEXEC));
    BOOST_REQUIRE(lseek(device, 0, SEEK_END) == 0);
    std::array<char, 4096> page{};
    BOOST_REQUIRE(writes(number, page.data(), page.size()) == 4096);
    for (int i = 0; i != 200; ++i)
        BOOST_TEST_REQUIRE(reads(number, page.data(), page.size()) == 4096);
    BOOST_REQUIRE(dup2(device, number) == number);
    for (int i = 0; i != 40; ++i) {
        aiocb wait = make(number, page.data(), page.size());
        BOOST_REQUIRE(sigev_aio_read(&wait) == 0);
        BOOST_TEST(sigev_aio_cancel(number, &wait) != -1); // or it has brought a message
        BOOST_TEST(finished(wait));
        sigev_aio_return(&wait);
    }
}

BOOST_AUTO_TEST_CASE(a_directory_is_refused_by_the_operation) {
    descriptor folder(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    char byte = 0;
    BOOST_TEST(reads(folder, &byte, 1, 0, EISDIR) == -1);
    BOOST_TEST(writes(folder, &byte, 1, 0, EBADF) == -1);
    aiocb sync = make(folder, nullptr, 0);
    BOOST_REQUIRE(sigev_aio_fsync(O_SYNC, &sync) == 0);
    BOOST_TEST(ends(sync) == 0);
}

BOOST_AUTO_TEST_CASE(a_pipe_is_read_as_far_as_there_is_data_and_written_whole) {
    pipe_pair pipe;
    std::array<char, 64> in{};
    aiocb read = make(pipe.read, in.data(), in.size(), -1); // where there are no offsets it does not matter
    BOOST_REQUIRE(sigev_aio_read(&read) == 0);
    BOOST_TEST(sigev_aio_error(&read) == EINPROGRESS);
    BOOST_TEST(writes(pipe.write, "abc", 3, 77) == 3);
    BOOST_TEST(ends(read) == 3);
    std::string much(300'000, 'm'), heard;
    aiocb write = make(pipe.write, much.data(), much.size());
    BOOST_REQUIRE(sigev_aio_write(&write) == 0);
    while (heard.size() != much.size()) {
        const ssize_t n = reads(pipe.read, in.data(), in.size());
        BOOST_REQUIRE(n > 0);
        heard.append(in.data(), static_cast<std::size_t>(n));
    }
    BOOST_TEST(ends(write) == static_cast<ssize_t>(much.size()));
    BOOST_TEST((heard == much));
    pipe.write.close_now();
    BOOST_TEST(reads(pipe.read, in.data(), in.size()) == 0);
}

BOOST_AUTO_TEST_CASE(a_write_that_nobody_will_read_is_an_error_and_no_signal) {
    pipe_pair pipe;
    socket_pair sockets(SOCK_STREAM);
    pipe.read.close_now();
    BOOST_TEST(writes(pipe.write, "x", 1, 0, EPIPE) == -1);
    shutdown(sockets.both[1], SHUT_RD);
    BOOST_TEST(writes(sockets.both[0], "x", 1, 0, EPIPE) == -1);
}

BOOST_AUTO_TEST_CASE(a_write_to_a_socket_is_not_behind_the_read_that_waits_for_its_answer) {
    socket_pair sockets(SOCK_STREAM);
    char answer = 0, question = 0;
    aiocb read = make(sockets.both[0], &answer, 1);
    BOOST_REQUIRE(sigev_aio_read(&read) == 0);
    BOOST_TEST(writes(sockets.both[0], "?", 1) == 1);
    BOOST_TEST(sigev_aio_error(&read) == EINPROGRESS);
    BOOST_TEST(::read(sockets.both[1], &question, 1) == 1);
    BOOST_TEST(question == '?');
    BOOST_TEST(::write(sockets.both[1], "!", 1) == 1);
    BOOST_TEST(ends(read) == 1);
    BOOST_TEST(answer == '!');
    aiocb sync = make(sockets.both[0], nullptr, 0);
    BOOST_REQUIRE(sigev_aio_fsync(O_SYNC, &sync) == 0);
    BOOST_TEST(ends(sync, EINVAL) == -1);
}

BOOST_AUTO_TEST_CASE(a_datagram_stays_one) {
    socket_pair sockets(SOCK_DGRAM);
    std::array<char, 8> in{};
    aiocb read = make(sockets.both[0], in.data(), in.size());
    BOOST_REQUIRE(sigev_aio_read(&read) == 0);
    BOOST_TEST(writes(sockets.both[1], "one", 3) == 3);
    BOOST_TEST(ends(read) == 3);
}

BOOST_AUTO_TEST_CASE(a_terminal_is_read_when_there_is_input_and_can_be_cancelled) {
    const int number = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (number < 0 || grantpt(number) != 0 || unlockpt(number) != 0)
        skip("no pseudo terminals here");
    descriptor master(number);
    descriptor slave(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC));
    termios raw;
    BOOST_REQUIRE(tcgetattr(slave, &raw) == 0);
    cfmakeraw(&raw);
    BOOST_REQUIRE(tcsetattr(slave, TCSANOW, &raw) == 0);
    std::array<char, 8> in{};
    aiocb read = make(slave, in.data(), in.size());
    BOOST_REQUIRE(sigev_aio_read(&read) == 0);
    BOOST_TEST(sigev_aio_error(&read) == EINPROGRESS);
    BOOST_TEST(write(master, "abc", 3) == 3);
    BOOST_TEST(ends(read) > 0);
    BOOST_TEST(in[0] == 'a');
    BOOST_TEST(writes(slave, "out", 3) == 3);
    tcflush(slave, TCIFLUSH);
    BOOST_REQUIRE(sigev_aio_read(&read) == 0);
    BOOST_TEST(sigev_aio_cancel(slave, &read) == AIO_CANCELED);
    BOOST_TEST(ends(read, ECANCELED) == -1);
}

// As read() and write() of no bytes.
BOOST_AUTO_TEST_CASE(what_transfers_nothing_waits_for_nothing) {
    pipe_pair pipe;
    socket_pair stream(SOCK_STREAM), datagrams(SOCK_DGRAM);
    descriptor event(eventfd(0, EFD_CLOEXEC)), folder(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    char byte = 'x';
    aiocb waits = make(pipe.read, &byte, 1);
    BOOST_REQUIRE(sigev_aio_read(&waits) == 0);
    BOOST_TEST(reads(pipe.read, nullptr, 0) == 0); // not behind the one that waits
    BOOST_TEST(sigev_aio_error(&waits) == EINPROGRESS);
    BOOST_TEST(sigev_aio_cancel(pipe.read, &waits) == AIO_CANCELED);
    BOOST_TEST(reads(stream.both[0], nullptr, 0) == 0);
    BOOST_TEST(reads(event, nullptr, 0) == 0);
    BOOST_TEST(reads(folder, nullptr, 0, 0, EISDIR) == -1);
    BOOST_REQUIRE(fcntl(pipe.write, F_SETFL, O_NONBLOCK) == 0);
    while (write(pipe.write, &byte, 1) == 1)
        ;
    BOOST_TEST(writes(pipe.write, nullptr, 0) == 0);
    BOOST_TEST(writes(stream.both[0], nullptr, 0) == 0);
    iovec nothing[2] = {};
    aiocb vector = make(stream.both[0], nothing, 2);
    BOOST_REQUIRE(sigev_aio_readv(&vector) == 0);
    BOOST_TEST(ends(vector) == 0);
    if (const int number = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC); number >= 0) {
        descriptor master(number);
        BOOST_TEST(reads(master, nullptr, 0) == 0);
        BOOST_TEST(writes(master, nullptr, 0) == 0);
    }
    // An empty datagram is one, and needs room.
    BOOST_REQUIRE(fcntl(datagrams.both[0], F_SETFL, O_NONBLOCK) == 0);
    int sent = 0, received = 0;
    while (send(datagrams.both[0], nullptr, 0, 0) == 0)
        ++sent;
    aiocb empty = make(datagrams.both[0], nullptr, 0);
    for (const bool cancelled : {true, false}) {
        BOOST_REQUIRE(sigev_aio_write(&empty) == 0);
        BOOST_TEST(writes(stream.both[0], nullptr, 0) == 0); // by then that one has been tried
        BOOST_TEST(sigev_aio_error(&empty) == EINPROGRESS);
        if (cancelled) {
            BOOST_TEST(wait_until([&] { return sigev_aio_cancel(datagrams.both[0], &empty) == AIO_CANCELED; }));
            BOOST_TEST(ends(empty, ECANCELED) == -1);
        }
    }
    const auto take_all = [&] {
        while (recv(datagrams.both[1], &byte, 1, MSG_DONTWAIT) == 0)
            ++received;
    };
    take_all();
    BOOST_TEST(ends(empty) == 0);
    take_all();
    BOOST_TEST(received == sent + 1);
}

BOOST_AUTO_TEST_CASE(an_eventfd_is_waited_for) {
    descriptor event(eventfd(0, EFD_CLOEXEC));
    std::uint64_t value = 0;
    aiocb read = make(event, &value, sizeof value);
    BOOST_REQUIRE(sigev_aio_read(&read) == 0);
    BOOST_TEST(sigev_aio_error(&read) == EINPROGRESS);
    const std::uint64_t five = 5;
    BOOST_TEST(writes(event, &five, sizeof five) == 8);
    BOOST_TEST(ends(read) == 8);
    BOOST_TEST(value == 5u);
}

// It is never ready for them.
BOOST_AUTO_TEST_CASE(what_a_descriptor_refuses_at_once_is_not_waited_for) {
    descriptor event(eventfd(0, EFD_CLOEXEC)), set(epoll_create1(EPOLL_CLOEXEC)), timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    std::uint64_t value = 0;
    BOOST_TEST(reads(event, &value, 4, 0, EINVAL) == -1);
    BOOST_TEST(writes(event, &value, 4, 0, EINVAL) == -1);
    BOOST_TEST(reads(set, &value, sizeof value, 0, EINVAL) == -1);
    BOOST_TEST(writes(timer, &value, sizeof value, 0, EINVAL) == -1);
    aiocb read = make(timer, &value, sizeof value);
    for (const bool cancelled : {true, false}) {
        BOOST_REQUIRE(sigev_aio_read(&read) == 0);
        if (cancelled) {
            BOOST_TEST(wait_until([&] { return sigev_aio_cancel(timer, &read) == AIO_CANCELED; }));
            BOOST_TEST(ends(read, ECANCELED) == -1);
        }
    }
    const itimerspec soon{{0, 0}, {0, 1}};
    BOOST_REQUIRE(timerfd_settime(timer, 0, &soon, nullptr) == 0);
    BOOST_TEST(ends(read) == 8);
    BOOST_TEST(value == 1u);
}

BOOST_AUTO_TEST_CASE(devices_and_files_of_the_kernel_are_read_and_written) {
    descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC)), zero(open("/dev/zero", O_RDWR | O_CLOEXEC));
    descriptor proc(open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> in;
    in.fill('x');
    BOOST_TEST(reads(null, in.data(), in.size()) == 0);
    BOOST_TEST(writes(null, in.data(), in.size()) == 4096);
    BOOST_TEST(reads(zero, in.data(), in.size()) == 4096);
    BOOST_TEST(in[4095] == 0);
    BOOST_TEST(reads(proc, in.data(), in.size()) > 0);
    BOOST_TEST(std::stol(in.data()) == getpid());
}

BOOST_AUTO_TEST_SUITE_END()
