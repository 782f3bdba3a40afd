// The thread engine by itself: what may wait keeps nobody waiting and can be broken off, and threads come and go.
#include "aio_fixture.hpp"

#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <iterator>
#include <thread>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio_threads)

BOOST_AUTO_TEST_CASE(reads_that_wait_starve_nobody) {
    recorder sink;
    engine e(sink, {.most_threads = 2});
    const pair_of_fds pipe = make_pipe();
    const unique_fd file = make_file("x");
    std::array<char, 100> bytes{};
    std::deque<aio_work> waiting;
    std::vector<unique_fd> duplicates; // the engine is promised a descriptor for each work
    for (char& byte : bytes) {
        duplicates.emplace_back(fcntl(pipe.read.get(), F_DUPFD_CLOEXEC, 0));
        waiting.push_back(make_work(aio_operation::read, duplicates.back().get(), &byte, 1, true));
        start(e, waiting.back());
    }
    char byte = 0;
    aio_work read = make_work(aio_operation::read, file.get(), &byte, 1, false);
    start(e, read);
    BOOST_TEST(wait_until([&] { return sink.has(read); }));
    BOOST_TEST(byte == 'x');
    BOOST_TEST(e.threads() <= 2u);
    BOOST_TEST(sink.count() == 1u);

    const std::string text(bytes.size(), 'p');
    BOOST_REQUIRE(write(pipe.write.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    BOOST_TEST(wait_until([&] { return sink.count() == 1 + bytes.size(); }));
    BOOST_TEST(std::string(bytes.data(), bytes.size()) == text);
}

BOOST_AUTO_TEST_CASE(a_write_is_not_behind_the_read_that_waits_for_its_answer) {
    recorder sink;
    engine e(sink, {.most_threads = 1});
    const pair_of_fds ends = make_sockets(SOCK_STREAM);
    const unique_fd again(fcntl(ends.read.get(), F_DUPFD_CLOEXEC, 0));
    char answer = 0;
    char question = '?';
    aio_work read = make_work(aio_operation::read, ends.read.get(), &answer, 1, true);
    aio_work write_question = make_work(aio_operation::write, again.get(), &question, 1, true);
    start(e, read);
    start(e, write_question);
    char heard = 0;
    BOOST_TEST(::read(ends.write.get(), &heard, 1) == 1);
    BOOST_TEST(heard == '?');
    BOOST_TEST(!sink.has(read));
    BOOST_TEST(::write(ends.write.get(), "!", 1) == 1);
    BOOST_TEST(wait_until([&] { return sink.has(read); }));
    BOOST_TEST(answer == '!');
}

BOOST_AUTO_TEST_CASE(stop_breaks_off_what_waits_and_carries_out_the_rest) {
    recorder sink;
    engine e(sink, {.most_threads = 1});
    const pair_of_fds pipe = make_pipe();
    const pair_of_fds full = make_pipe();
    const unique_fd file = make_file("0123456789");
    std::string text(1 << 20, 'w');
    char byte = 0;
    aio_work read = make_work(aio_operation::read, pipe.read.get(), &byte, 1, true);
    aio_work write = make_work(aio_operation::write, full.write.get(), text.data(), text.size(), true);
    start(e, read);
    start(e, write);
    std::array<char, 100> bytes{};
    std::deque<aio_work> rest;
    for (char& b : bytes) {
        rest.push_back(make_work(aio_operation::read, file.get(), &b, 1, false));
        start(e, rest.back());
    }
    BOOST_TEST(wait_until([&] { return sink.count() == rest.size(); })); // so the two above have been tried
    e.stop();
    BOOST_TEST(sink.count() == rest.size() + 2);
    BOOST_TEST(read.error == ECANCELED);
    BOOST_TEST(write.error == 0); // some of it is in the pipe: that is its result
    BOOST_TEST((write.result > 0 && write.result < static_cast<ssize_t>(text.size())));
    BOOST_TEST(e.threads() == 0u);
}

BOOST_AUTO_TEST_CASE(stop_carries_out_what_has_not_begun) {
    recorder sink;
    gate allowed;
    sink.hold = &allowed;
    engine e(sink, {.most_threads = 1});
    const unique_fd file = make_file("0123456789");
    std::array<char, 10> bytes{};
    std::deque<aio_work> all;
    for (char& b : bytes) {
        all.push_back(make_work(aio_operation::read, file.get(), &b, 1, false));
        all.back().offset = static_cast<off_t>(all.size() - 1);
        start(e, all.back());
    }
    std::thread stopper([&] { e.stop(); });
    allowed.open();
    stopper.join();
    BOOST_TEST(sink.count() == all.size());
    BOOST_TEST(std::string(bytes.data(), bytes.size()) == "0123456789");
}

namespace {

auto threads_of_this_process() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
}

} // namespace

// Reads of pipes that the engine has been told are files: each takes a thread for as long as the test wants.
BOOST_AUTO_TEST_CASE(idle_threads_leave_but_for_one) {
    recorder sink;
    engine e(sink, {.most_threads = 4, .idle = milliseconds(1)});
    const pair_of_fds pipe = make_pipe();
    std::array<char, 8> bytes{};
    std::deque<aio_work> all;
    for (char& b : bytes) {
        all.push_back(make_work(aio_operation::read, pipe.read.get(), &b, 1, false));
        all.back().positioned = false;
        start(e, all.back());
    }
    BOOST_TEST(wait_until([&] { return e.threads() == 4; }));
    BOOST_REQUIRE(write(pipe.write.get(), "01234567", 8) == 8);
    BOOST_TEST(wait_until([&] { return sink.count() == all.size() && e.threads() == 1; }));
    const unique_fd file = make_file("0123456789");
    aio_work once_more = make_work(aio_operation::read, file.get(), bytes.data(), 1, false);
    start(e, once_more);
    BOOST_TEST(wait_until([&] { return sink.has(once_more); }));
    for (aio_work& work : all)
        e.close(*work.channel);
    e.close(*once_more.channel);
    BOOST_TEST(wait_until([&] { return e.threads() == 0; })); // nobody may start anything
    once_more.result = 0;
    start(e, once_more);
    BOOST_TEST(wait_until([&] { return sink.count() == all.size() + 2; }));
}

BOOST_AUTO_TEST_CASE(who_waits_for_readiness_leaves_too_when_there_is_no_channel) {
    recorder sink;
    engine e(sink, {.most_threads = 1, .idle = milliseconds(1)});
    const pair_of_fds pipe = make_pipe();
    const auto before = threads_of_this_process();
    for (std::size_t round = 1; round != 4; ++round) {
        char byte = 0;
        aio_work read = make_work(aio_operation::read, pipe.read.get(), &byte, 1, true);
        start(e, read);
        BOOST_TEST(threads_of_this_process() == before + 2);
        BOOST_REQUIRE(write(pipe.write.get(), "x", 1) == 1);
        BOOST_TEST(wait_until([&] { return sink.count() == round; }));
        e.close(*read.channel);
        BOOST_TEST(wait_until([&] { return threads_of_this_process() == before; }));
    }
}

BOOST_AUTO_TEST_CASE(a_thread_that_blocks_keeps_nothing_that_it_has_taken) {
    recorder sink;
    engine e(sink, {.most_threads = 2});
    const pair_of_fds pipe = make_pipe();
    const unique_fd file = make_file("0123456789");
    char answer = 0;
    aio_work blocks = make_work(aio_operation::read, pipe.read.get(), &answer, 1, false);
    blocks.positioned = false;
    start(e, blocks);
    std::array<char, 10> bytes{};
    std::deque<aio_work> rest;
    for (char& b : bytes) {
        rest.push_back(make_work(aio_operation::read, file.get(), &b, 1, false));
        rest.back().offset = static_cast<off_t>(rest.size() - 1);
        start(e, rest.back());
    }
    BOOST_TEST(wait_until([&] { return sink.count() == rest.size(); }));
    BOOST_TEST(std::string(bytes.data(), bytes.size()) == "0123456789");
    BOOST_TEST(!e.withdraw(blocks)); // somebody is at it
    BOOST_REQUIRE(write(pipe.write.get(), "!", 1) == 1);
    BOOST_TEST(wait_until([&] { return sink.has(blocks); }));
}

// A terminal may be ready and keep who reads it all the same: for its second byte here. That thread does not count against the bound.
BOOST_AUTO_TEST_CASE(a_thread_that_may_never_come_back_has_another_in_its_place) {
    recorder sink;
    engine e(sink, {.most_threads = 1});
    const pair_of_fds terminal = make_terminal();
    const unique_fd file = make_file("x");
    termios two;
    BOOST_REQUIRE(tcgetattr(terminal.read.get(), &two) == 0);
    two.c_cc[VMIN] = 2;
    two.c_cc[VTIME] = 255; // 25 seconds between the two
    BOOST_REQUIRE(tcsetattr(terminal.read.get(), TCSANOW, &two) == 0);
    const auto has_come = [&] {
        int n = 0;
        return ioctl(terminal.read.get(), FIONREAD, &n) == 0 && n != 0;
    };
    BOOST_REQUIRE(write(terminal.write.get(), "a", 1) == 1);
    BOOST_REQUIRE(wait_until(has_come));
    std::array<char, 2> keys{};
    aio_work read = make_work(aio_operation::read, terminal.read.get(), keys.data(), keys.size(), true);
    start(e, read);
    BOOST_REQUIRE(wait_until([&] { return !has_come(); })); // somebody reads
    char byte = 0;
    aio_work other = make_work(aio_operation::read, file.get(), &byte, 1, false);
    start(e, other);
    BOOST_TEST(wait_until([&] { return sink.has(other); }));
    BOOST_TEST(!sink.has(read));
    BOOST_TEST(!e.withdraw(read));
    BOOST_TEST(e.threads() == 2u);
    BOOST_REQUIRE(write(terminal.write.get(), "b", 1) == 1);
    BOOST_TEST(wait_until([&] { return sink.has(read); }));
    BOOST_TEST(std::string(keys.data(), keys.size()) == "ab");
}

BOOST_AUTO_TEST_CASE(work_on_one_channel_waits_in_two_lines_each_in_order) {
    recorder sink;
    engine e(sink, {.most_threads = 1});
    const pair_of_fds ends = make_sockets(SOCK_STREAM);
    auto& channel = make_channel(ends.read.get(), true);
    BOOST_REQUIRE(e.open(channel) == 0);
    std::array<char, 100> bytes{};
    std::deque<aio_work> reads;
    for (char& b : bytes)
        e.start(reads.emplace_back(make_work(aio_operation::read, channel, &b, 1)));
    char question = '?';
    aio_work write_question = make_work(aio_operation::write, channel, &question, 1);
    e.start(write_question);
    BOOST_TEST(wait_until([&] { return sink.has(write_question); }));
    BOOST_TEST(sink.count() == 1u);
    std::string text;
    for (std::size_t i = 0; i != bytes.size(); ++i)
        text += static_cast<char>(i);
    BOOST_REQUIRE(::write(ends.write.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    BOOST_TEST(wait_until([&] { return sink.count() == 1 + reads.size(); }));
    BOOST_TEST(std::string(bytes.data(), bytes.size()) == text);
    e.close(channel);
}

BOOST_AUTO_TEST_CASE(what_waits_can_be_withdrawn_and_the_rest_of_its_line_goes_on) {
    recorder sink;
    engine e(sink, {.most_threads = 1});
    const pair_of_fds pipe = make_pipe();
    auto& channel = make_channel(pipe.read.get(), true);
    BOOST_REQUIRE(e.open(channel) == 0);
    std::array<char, 3> bytes{};
    std::deque<aio_work> reads;
    for (char& b : bytes)
        e.start(reads.emplace_back(make_work(aio_operation::read, channel, &b, 1)));
    BOOST_TEST(e.withdraw(reads[0]));
    BOOST_TEST(!e.withdraw(reads[0]));
    BOOST_TEST(e.withdraw(reads[2]));
    BOOST_REQUIRE(::write(pipe.write.get(), "x", 1) == 1);
    BOOST_TEST(wait_until([&] { return sink.has(reads[1]); }));
    BOOST_TEST(bytes[1] == 'x');
    BOOST_TEST(!e.withdraw(reads[1]));
    BOOST_TEST(sink.count() == 1u);
    e.close(channel);
}

BOOST_AUTO_TEST_CASE(what_is_queued_can_be_withdrawn) {
    recorder sink;
    engine e(sink, {.most_threads = 1});
    const pair_of_fds pipe = make_pipe();
    const unique_fd file = make_file("0123456789");
    char answer = 0, byte = 0;
    aio_work blocks = make_work(aio_operation::read, pipe.read.get(), &answer, 1, false);
    blocks.positioned = false;
    start(e, blocks);
    aio_work queued = make_work(aio_operation::read, file.get(), &byte, 1, false);
    start(e, queued);
    // The one thread that there may be is in the pipe, or puts it back on its way there.
    BOOST_TEST(wait_until([&] { return e.withdraw(queued); }));
    BOOST_TEST(!e.withdraw(queued));
    BOOST_REQUIRE(write(pipe.write.get(), "!", 1) == 1);
    BOOST_TEST(wait_until([&] { return sink.has(blocks); }));
    e.stop();
    BOOST_TEST(sink.count() == 1u);
    BOOST_TEST(byte == 0);
}

BOOST_AUTO_TEST_SUITE_END()
