// lio_listio(): what is waited for, what is told and in which order, and what may be gone meanwhile.
#include "aio_fixture.hpp"

#include <thread>
#include <vector>

#include <sys/mman.h>

using namespace aio_tests;

BOOST_AUTO_TEST_SUITE(aio)

namespace {

/// Requests and the array that names them.
class requests {
public:
    aiocb& add(int opcode, const aiocb& cb) {
        owned_.push_back(std::make_unique<aiocb>(cb));
        owned_.back()->aio_lio_opcode = opcode;
        list_.push_back(owned_.back().get());
        return *owned_.back();
    }
    void add_null() { list_.push_back(nullptr); }
    aiocb** list() { return list_.data(); }
    int count() const { return static_cast<int>(list_.size()); }

private:
    std::vector<std::unique_ptr<aiocb>> owned_;
    std::vector<aiocb*> list_;
};

sigevent by_signal(int value) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN + 5;
    event.sigev_value.sival_int = value;
    return event;
}

sigev_ledger list_total() {
    sigev_ledger l{};
    BOOST_REQUIRE(sigev_ledger_total(SIGEV_SOURCE_AIO_LIST, -1, &l) == 0);
    return l;
}

bool list_told(std::uint64_t n) {
    return wait_until([&] { return list_total().raised == n && list_total().delivered == n; });
}

} // namespace

BOOST_AUTO_TEST_CASE(a_list_is_waited_for) {
    descriptor file(temporary_file());
    char text[] = "hello";
    std::array<char, 8> in{};
    requests r;
    r.add_null();
    const aiocb& write = r.add(LIO_WRITE, make(file, text, 5));
    aiocb& nop = r.add(LIO_NOP, make(-1, nullptr, 0));
    BOOST_TEST(sigev_lio_listio(LIO_WAIT, r.list(), r.count(), nullptr) == 0);
    BOOST_TEST(sigev_aio_error(&write) == 0);
    BOOST_TEST(sigev_aio_error(&nop) == EINVAL);
    BOOST_TEST(content_of(file) == "hello");
    requests s;
    aiocb& read = s.add(LIO_READ, make(file, in.data(), in.size()));
    BOOST_TEST(sigev_lio_listio(LIO_WAIT, s.list(), s.count(), nullptr) == 0);
    BOOST_TEST(sigev_aio_return(&read) == 5);
    BOOST_TEST(sigev_lio_listio(LIO_WAIT, nullptr, 0, nullptr) == 0);
}

BOOST_AUTO_TEST_CASE(a_list_in_which_one_fails_is_eio_and_the_others_succeed) {
    descriptor file(temporary_file());
    char text[] = "hello";
    requests r;
    const aiocb& bad = r.add(LIO_WRITE, make(-1, text, 5));
    const aiocb& good = r.add(LIO_WRITE, make(file, text, 5));
    BOOST_TEST(sigev_lio_listio(LIO_WAIT, r.list(), r.count(), nullptr) == -1);
    BOOST_TEST(errno == EIO);
    BOOST_TEST(sigev_aio_error(&bad) == EBADF);
    BOOST_TEST(sigev_aio_error(&good) == 0);
    BOOST_TEST(sigev_lio_listio(LIO_NOWAIT, r.list(), r.count(), nullptr) == 0);
    BOOST_TEST(finished(good));
    BOOST_TEST(all_delivered(4));
}

BOOST_AUTO_TEST_CASE(the_list_is_told_after_each_of_its_requests) {
    descriptor file(temporary_file());
    BOOST_REQUIRE(write(file, "x", 1) == 1);
    blocked_signal signal(SIGRTMIN + 5);
    for (int round = 0; round != 50; ++round) {
        pipe_pair pipe;
        std::array<char, 8> bytes{};
        {
            requests r;
            for (std::size_t i = 0; i != bytes.size(); ++i)
                r.add(LIO_READ, make(i % 2 ? int{file} : int{pipe.read}, &bytes[i], 1)).aio_sigevent =
                    by_signal(static_cast<int>(i));
            static std::vector<requests> kept; // an aiocb has to stay, the array and the event need not
            sigevent event = by_signal(100);
            std::vector<aiocb*> array(r.list(), r.list() + r.count());
            BOOST_REQUIRE(sigev_lio_listio(LIO_NOWAIT, array.data(), r.count(), &event) == 0);
            std::fill(array.begin(), array.end(), nullptr);
            std::memset(&event, 0xff, sizeof event);
            kept.push_back(std::move(r));
        }
        BOOST_REQUIRE(write(pipe.write, "abcd", 4) == 4);
        BOOST_TEST_REQUIRE(list_told(static_cast<std::uint64_t>(round) + 1));
        for (std::size_t i = 0; i != bytes.size() + 1; ++i) {
            siginfo_t info{};
            BOOST_TEST_REQUIRE(signal.take(info)); // of one number: in the order in which they were queued
            BOOST_TEST_REQUIRE((info.si_value.sival_int == 100) == (i == bytes.size()));
        }
    }
}

namespace {

requests* looked_at;
std::atomic<int> looks, not_there;

} // namespace

// Programs whose handler looks which of their requests have ended, and takes what is not EINPROGRESS for ended.
BOOST_AUTO_TEST_CASE(who_hears_of_the_first_finds_the_others_in_progress) {
    if (under_thread_sanitizer)
        skip("the sanitizer keeps one signal of a number while it holds it back, so not all are heard");
    descriptor file(temporary_file());
    std::array<char, 64> bytes;
    struct sigaction action{};
    action.sa_handler = [](int) {
        for (int i = 0; i != looked_at->count(); ++i)
            not_there += sigev_aio_error(looked_at->list()[i]) == EINVAL;
        ++looks;
    };
    BOOST_REQUIRE(sigaction(SIGRTMIN + 5, &action, nullptr) == 0);
    int told = 0;
    for (int round = 1; round != 101; ++round) {
        requests r;
        looked_at = &r;
        for (std::size_t i = 0; i != bytes.size(); ++i) {
            aiocb& cb = r.add(i % 3 ? LIO_WRITE : LIO_READ, make(file, &bytes[i], 1, static_cast<off_t>(i)));
            if (i % 3 == 2)
                continue;
            cb.aio_sigevent = by_signal(0);
            ++told;
        }
        BOOST_TEST_REQUIRE(sigev_lio_listio(LIO_NOWAIT, r.list(), r.count(), nullptr) == 0);
        for (int i = 0; i != r.count(); ++i)
            BOOST_TEST_REQUIRE(finished(*r.list()[i]));
        BOOST_TEST_REQUIRE(wait_until([&] { return looks == told; }));
    }
    BOOST_TEST(not_there == 0);
}

// One that is over inside the call was in progress while those before it were carried out.
BOOST_AUTO_TEST_CASE(who_waits_for_the_last_of_a_list_that_is_read_inside_the_call_is_woken) {
    descriptor file(memfd_create("sigev", MFD_CLOEXEC));
    BOOST_REQUIRE(write(file, "x", 1) == 1);
    std::array<char, 2000> bytes;
    requests r;
    for (char& byte : bytes)
        r.add(LIO_READ, make(file, &byte, 1));
    const aiocb& last = *r.list()[r.count() - 1];
    std::atomic<bool> over{false};
    std::atomic<int> waits{0};
    std::thread waiter([&] {
        const aiocb* const list[] = {&last};
        while (!over)
            if (sigev_aio_error(&last) == EINPROGRESS) {
                sigev_aio_suspend(list, 1, nullptr);
                ++waits;
            }
    });
    while (waits < 100) // again and again, with what was never returned
        BOOST_TEST_REQUIRE(sigev_lio_listio(LIO_NOWAIT, r.list(), r.count(), nullptr) == 0);
    over = true;
    waiter.join();
}

BOOST_AUTO_TEST_CASE(an_empty_list_is_told_of_by_every_method) {
    blocked_signal signal(SIGRTMIN + 4);
    const int queue = sigev_kqueue();
    aiocb* const nobody[] = {nullptr};
    sigevent event{};
    event.sigev_value.sival_int = 5;
    event.sigev_notify = SIGEV_NONE;
    BOOST_TEST(sigev_lio_listio(LIO_NOWAIT, nobody, 1, &event) == 0);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN + 4;
    siginfo_t info{};
    BOOST_TEST(sigev_lio_listio(LIO_NOWAIT, nobody, 1, &event) == 0);
    BOOST_TEST(signal.take(info));
    BOOST_TEST(info.si_code == SI_ASYNCIO);
    BOOST_TEST(info.si_value.sival_int == 5);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_notify_thread_id = gettid();
    BOOST_TEST(sigev_lio_listio(LIO_NOWAIT, nobody, 0, &event) == 0);
    BOOST_TEST(signal.take(info));
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = hear;
    event.sigev_notify_attributes = nullptr;
    BOOST_TEST(sigev_lio_listio(LIO_NOWAIT, nobody, 1, &event) == 0);
    BOOST_TEST(wait_until([] { return heard.calls == 1; }));
    BOOST_TEST(heard.source == +SIGEV_SOURCE_AIO_LIST);
    BOOST_TEST(heard.ident == reinterpret_cast<std::uintptr_t>(nobody));
    event = {};
    event.sigev_notify = SIGEV_KEVENT;
    event.sigev_notify_kqueue = queue;
    event.sigev_value.sival_ptr = &event;
    BOOST_TEST(sigev_lio_listio(LIO_NOWAIT, nobody, 1, &event) == 0);
    sigev_kev kev{};
    const timespec limit{10, 0}, now{};
    BOOST_TEST(sigev_kevent(queue, nullptr, 0, &kev, 1, &limit) == 1);
    BOOST_TEST(kev.filter == EVFILT_LIO);
    BOOST_TEST(kev.ident == reinterpret_cast<std::uintptr_t>(nobody));
    BOOST_TEST(kev.udata == static_cast<void*>(&event));
    BOOST_TEST(kev.data == 0);
    BOOST_TEST(sigev_kevent(queue, nullptr, 0, &kev, 1, &now) == 0);
    BOOST_TEST(list_told(4)); // SIGEV_NONE has nobody to tell
    BOOST_TEST(sigev_kqueue_close(queue) == 0);
}

BOOST_AUTO_TEST_CASE(what_a_list_refuses_starts_nothing) {
    descriptor file(temporary_file());
    char text[] = "hello";
    const auto refused = [&](int mode, int error, auto change) {
        requests r;
        r.add(LIO_WRITE, make(file, text, 5));
        aiocb& second = r.add(LIO_WRITE, make(file, text, 5));
        sigevent event = by_signal(1);
        change(second, event);
        BOOST_TEST(sigev_lio_listio(mode, r.list(), r.count(), &event) == -1);
        BOOST_TEST(errno == error);
        BOOST_TEST(sigev_aio_error(r.list()[0]) == EINVAL);
    };
    refused(7, EINVAL, [](aiocb&, sigevent&) {});
    refused(LIO_NOWAIT, EINVAL, [](aiocb& cb, sigevent&) { cb.aio_lio_opcode = 99; });
    refused(LIO_NOWAIT, EINVAL, [](aiocb& cb, sigevent&) { cb.aio_reqprio = -1; });
    refused(LIO_WAIT, EINVAL, [](aiocb& cb, sigevent&) { cb.aio_sigevent.sigev_notify = 4711; });
    refused(LIO_NOWAIT, EINVAL, [](aiocb&, sigevent& event) { event.sigev_notify = 4711; });
    refused(LIO_NOWAIT, EBADF, [](aiocb&, sigevent& event) {
        event.sigev_notify = SIGEV_KEVENT;
        event.sigev_notify_kqueue = 0;
        event.sigev_notify_kevent_flags = 0;
    });
    BOOST_TEST(sigev_lio_listio(LIO_NOWAIT, nullptr, -1, nullptr) == -1);
    BOOST_TEST(errno == EINVAL);
    BOOST_TEST(content_of(file) == "");
    BOOST_TEST(total().raised == 0u);
    BOOST_TEST(list_total().raised == 0u);
}

BOOST_AUTO_TEST_CASE(a_handler_takes_the_waiter_away_and_the_requests_go_on) {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    BOOST_REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
    for (int round = 0; round != 20; ++round) {
        pipe_pair pipe;
        char byte = 0;
        requests r;
        aiocb& cb = r.add(LIO_READ, make(pipe.read, &byte, 1));
        std::atomic<int> error = 0;
        std::thread waits([&] {
            aiocb* const on_the_stack[] = {&cb};
            if (sigev_lio_listio(LIO_WAIT, on_the_stack, 1, nullptr) == -1)
                error = errno;
        });
        BOOST_TEST(wait_until([&] {
            pthread_kill(waits.native_handle(), SIGUSR1);
            return error != 0;
        }));
        waits.join();
        BOOST_TEST(error == EINTR);
        BOOST_TEST(sigev_aio_error(&cb) == EINPROGRESS);
        BOOST_REQUIRE(write(pipe.write, "x", 1) == 1);
        BOOST_TEST(finished(cb));
        BOOST_TEST(sigev_aio_return(&cb) == 1);
    }
}

// They go different ways: a kevent could be there at once.
BOOST_AUTO_TEST_CASE(the_list_is_told_of_after_its_requests_whatever_the_methods) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 5);
    BOOST_REQUIRE(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
    descriptor file(temporary_file());
    BOOST_REQUIRE(pwrite(file, "0123456789", 10, 0) == 10);
    const int queue = sigev_kqueue();
    BOOST_REQUIRE(queue >= 0);
    std::array<char, 8> in{};
    std::array<aiocb, 8> requests;
    std::array<aiocb*, 8> list;
    sigevent whole{};
    whole.sigev_notify = SIGEV_KEVENT;
    whole.sigev_notify_kqueue = queue;
    for (int round = 0; round != 300; ++round) {
        for (std::size_t i = 0; i != list.size(); ++i) {
            requests[i] = make(file, &in[i], 1, static_cast<off_t>(i));
            requests[i].aio_lio_opcode = LIO_READ;
            requests[i].aio_sigevent.sigev_notify = SIGEV_SIGNAL;
            requests[i].aio_sigevent.sigev_signo = SIGRTMIN + 5;
            list[i] = &requests[i];
        }
        BOOST_REQUIRE(sigev_lio_listio(LIO_NOWAIT, list.data(), static_cast<int>(list.size()), &whole) == 0);
        sigev_kev event;
        BOOST_TEST_REQUIRE(sigev_kevent(queue, nullptr, 0, &event, 1, nullptr) == 1);
        BOOST_TEST_REQUIRE(event.filter == EVFILT_LIO);
        constexpr timespec at_once{0, 0};
        for (std::size_t i = 0; i != list.size(); ++i)
            BOOST_TEST_REQUIRE(sigtimedwait(&set, nullptr, &at_once) == SIGRTMIN + 5);
        for (aiocb& r : requests)
            BOOST_TEST_REQUIRE(sigev_aio_return(&r) == 1);
    }
    BOOST_TEST(sigev_kqueue_close(queue) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
