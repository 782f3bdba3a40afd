#include "tool/demo_targets.hpp"

#include "tool/system.hpp"

#include <sigev.h>

#include <array>
#include <cerrno>

#include <pthread.h>

namespace sigev::tool {

namespace {

// A number for each: signals to the process are seen by every thread, and may only be taken by the one that
// is meant.
enum signal_offset { process_timer, process_aio, thread_timer, thread_aio };

// How long stop() may have to wait. No signal tells the threads to end: where the user's queue of signals is
// full, as the demo shall show, that one could not be sent either.
constexpr timespec patience = to_timespec(second_ns / 20);

int number_of(int offset) noexcept {
    return SIGRTMIN + offset;
}

sigset_t set_of(std::initializer_list<int> offsets) noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int offset : offsets)
        sigaddset(&set, number_of(offset));
    return set;
}

std::uint64_t occurrences(std::int64_t overrun) noexcept {
    return 1 + static_cast<std::uint64_t>(overrun);
}

// SIGEV_THREAD. C linkage is what the member of struct sigevent has.
extern "C" void sigev_demo_on_thread(sigval value) {
    const auto now = now_ns();
    const auto* notification = sigev_current();
    inbox::of(value.sival_ptr).take(now, occurrences(notification ? notification->overrun : 0));
}

// The method of the demo's own.
extern "C" int sigev_demo_deliver(void*, void*, const sigev_notification* notification) {
    inbox::of(notification->value.sival_ptr).take(now_ns(), occurrences(notification->overrun));
    return SIGEV_DELIVERED;
}

int register_method() {
    sigev_method own{};
    own.size = sizeof own;
    own.name = "demo";
    own.deliver = sigev_demo_deliver;
    return checked(sigev_method_register(&own), "sigev_method_register");
}

} // namespace

targets::targets() {
    const auto all = set_of({process_timer, process_aio, thread_timer, thread_aio});
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    kqueue_ = checked(sigev_kqueue(), "sigev_kqueue");
    try {
        registered_ = register_method();
        process_signals_ = std::thread([this] { wait_for_signals(); });
        own_signals_ = std::thread([this] {
            thread_id_ = gettid();
            thread_id_.notify_one();
            wait_for_signals();
        });
        kevents_ = std::thread([this] { wait_for_kevents(); });
    } catch (...) {
        stop();
        throw;
    }
    thread_id_.wait(0);
}

int targets::number(method m) const noexcept {
    switch (m) {
    case method::none:
        return SIGEV_NONE;
    case method::signal:
        return SIGEV_SIGNAL;
    case method::thread:
        return SIGEV_THREAD;
    case method::kevent:
        return SIGEV_KEVENT;
    case method::thread_id:
        return SIGEV_THREAD_ID;
    case method::user:
        return registered_;
    }
    return -1;
}

sigevent targets::event(method m, source s, inbox& row) const noexcept {
    sigevent event{};
    event.sigev_notify = number(m);
    event.sigev_value = row.value();
    const bool timer = s == source::timer;
    switch (m) {
    case method::signal:
        event.sigev_signo = number_of(timer ? process_timer : process_aio);
        break;
    case method::thread:
        event.sigev_notify_function = sigev_demo_on_thread;
        break;
    case method::kevent:
        event.sigev_notify_kqueue = kqueue_;
        // Else a completed request would be reported again and again until the demo collects its result.
        event.sigev_notify_kevent_flags = timer ? 0 : EV_ONESHOT;
        break;
    case method::thread_id:
        event.sigev_signo = number_of(timer ? thread_timer : thread_aio);
        event.sigev_notify_thread_id = thread_id_;
        break;
    case method::none:
    case method::user:
        break;
    }
    return event;
}

// Both threads: that of SIGEV_SIGNAL takes what is sent to the process, that of SIGEV_THREAD_ID what is sent
// to it.
void targets::wait_for_signals() noexcept {
    const bool own = thread_id_ == gettid();
    const auto wanted = own ? set_of({thread_timer, thread_aio}) : set_of({process_timer, process_aio});
    while (!stopping_) {
        siginfo_t info;
        if (sigtimedwait(&wanted, &info, &patience) > 0) {
            const auto overrun = info.si_code == SI_TIMER ? info.si_overrun : 0;
            inbox::of(info.si_value.sival_ptr).take(now_ns(), occurrences(overrun));
        }
    }
}

void targets::wait_for_kevents() noexcept {
    std::array<sigev_kev, 16> events;
    while (!stopping_) {
        const int n = sigev_kevent(kqueue_, nullptr, 0, events.data(), int(events.size()), &patience);
        const auto now = now_ns();
        for (int i = 0; i < n; ++i) {
            const auto& event = events[static_cast<std::size_t>(i)];
            const auto count = event.filter == EVFILT_TIMER ? static_cast<std::uint64_t>(event.data) : 1;
            inbox::of(event.udata).take(now, count);
        }
    }
}

void targets::stop() noexcept {
    stopping_ = true;
    for (auto* thread : {&process_signals_, &own_signals_, &kevents_})
        if (thread->joinable())
            thread->join();
    if (kqueue_ != -1)
        sigev_kqueue_close(kqueue_);
    if (registered_ != -1)
        sigev_method_unregister(registered_);
    kqueue_ = registered_ = -1;
}

} // namespace sigev::tool
