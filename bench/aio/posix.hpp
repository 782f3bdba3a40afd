// The calls of POSIX, ours or the host's, in all ways of waiting. An Api supplies them, and ways of its own.
#pragma once

#include "aio/cases.hpp"

#include <aio.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <array>
#include <atomic>
#include <cerrno>

namespace sigev_bench {

enum class told { suspend, list, signal, thread, kevent };

/// How many requests were over when their call came back, and how many there were.
struct inside {
    static inline std::uint64_t over = 0;
    static inline std::uint64_t all = 0;
};

template <class Api, told How>
class posix {
public:
    explicit posix(std::size_t depth)
        : requests_(depth)
    {
        Api::prepare();
        ::sem_init(&all_called_, 0, 0);
        if (How == told::signal) {
            sigset_t set;
            ::sigemptyset(&set);
            ::sigaddset(&set, SIGRTMIN + 4);
            ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
            signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
            unless(signals_ >= 0, "signalfd");
        }
        if (How == told::kevent)
            queue_ = Api::open_queue();
        for (aiocb& r : requests_) {
            r = {};
            sigevent& event = r.aio_sigevent;
            event.sigev_notify = SIGEV_NONE;
            if (How == told::signal) {
                event.sigev_notify = SIGEV_SIGNAL;
                event.sigev_signo = SIGRTMIN + 4;
            } else if (How == told::thread) {
                event.sigev_notify = SIGEV_THREAD;
                event.sigev_value.sival_ptr = this;
                event.sigev_notify_function = [](sigval value) {
                    auto& self = *static_cast<posix*>(value.sival_ptr);
                    if (self.to_be_called_.fetch_sub(1, std::memory_order_acq_rel) == 1)
                        ::sem_post(&self.all_called_);
                };
            } else if (How == told::kevent) {
                Api::tell(event, queue_);
            }
        }
        to_be_called_ = static_cast<std::int64_t>(depth);
    }
    posix(const posix&) = delete;
    posix& operator=(const posix&) = delete;
    ~posix()
    {
        if (signals_ >= 0)
            ::close(signals_);
        if (How == told::kevent)
            Api::close_queue(queue_);
    }

    void read(std::size_t i, int fd, char* page, std::size_t at)
    {
        aiocb& r = fill(i, fd, page, at, LIO_READ);
        if (How == told::list)
            return;
        unless(Api::read(&r) == 0, "aio_read");
        inside::over += Api::error(&r) != EINPROGRESS;
        ++inside::all;
    }

    void write(std::size_t i, int fd, const char* page, std::size_t at)
    {
        aiocb& r = fill(i, fd, const_cast<char*>(page), at, LIO_WRITE);
        unless(Api::write(&r) == 0, "aio_write");
        inside::over += Api::error(&r) != EINPROGRESS;
        ++inside::all;
    }

    void sync(int fd)
    {
        aiocb r{};
        r.aio_fildes = fd;
        r.aio_sigevent.sigev_notify = SIGEV_NONE;
        unless(Api::fsync(O_SYNC, &r) == 0, "aio_fsync");
        const aiocb* const one = &r;
        while (Api::error(&r) == EINPROGRESS)
            Api::suspend(&one, 1);
        unless(Api::result(&r) == 0, "aio_fsync");
    }

    void wait(std::size_t n)
    {
        switch (How) {
        case told::list: {
            pointers_.clear();
            for (std::size_t i = 0; i != n; ++i)
                pointers_.push_back(&requests_[i]);
            unless(Api::list(pointers_.data(), static_cast<int>(n)) == 0, "lio_listio");
            break;
        }
        case told::suspend: suspend(n); break;
        case told::signal: take_signals(n); break;
        case told::thread:
            while (::sem_wait(&all_called_) != 0) {
            }
            to_be_called_ = static_cast<std::int64_t>(n);
            break;
        case told::kevent: Api::take_events(queue_, n); break;
        }
        for (std::size_t i = 0; i != n; ++i)
            unless(Api::error(&requests_[i]) == 0 && Api::result(&requests_[i]) == page_size, "a request has failed");
    }

private:
    aiocb& fill(std::size_t i, int fd, char* page, std::size_t at, int opcode)
    {
        aiocb& r = requests_[i];
        r.aio_fildes = fd;
        r.aio_buf = page;
        r.aio_nbytes = page_size;
        r.aio_offset = static_cast<off_t>(at);
        r.aio_lio_opcode = opcode;
        return r;
    }

    // As programs do: wait for any of those that go on, and look through them.
    void suspend(std::size_t n)
    {
        waited_for_.clear();
        for (std::size_t i = 0; i != n; ++i)
            if (Api::error(&requests_[i]) == EINPROGRESS)
                waited_for_.push_back(&requests_[i]);
        while (!waited_for_.empty()) {
            Api::suspend(waited_for_.data(), static_cast<int>(waited_for_.size()));
            std::erase_if(waited_for_, [](const aiocb* r) { return Api::error(r) != EINPROGRESS; });
        }
    }

    void take_signals(std::size_t n)
    {
        std::array<signalfd_siginfo, 128> batch;
        for (std::size_t taken = 0; taken < n;) {
            pollfd readable{signals_, POLLIN, 0};
            unless(::poll(&readable, 1, 5000) == 1, "signals have got lost");
            const ssize_t got = ::read(signals_, batch.data(), sizeof batch);
            unless(got > 0, "signalfd");
            taken += static_cast<std::size_t>(got) / sizeof batch[0];
        }
    }

    std::vector<aiocb> requests_;
    std::vector<const aiocb*> waited_for_;
    std::vector<aiocb*> pointers_;
    std::atomic<std::int64_t> to_be_called_{0};
    sem_t all_called_;
    int signals_ = -1;
    int queue_ = -1;
};

/// Of 100 requests, how many were over when their call came back.
template <double (*Measure)(std::uint64_t)>
double share_inside(std::uint64_t n)
{
    inside::over = inside::all = 0;
    Measure(n);
    unless(inside::all != 0, "nothing was counted");
    return 100.0 * static_cast<double>(inside::over) / static_cast<double>(inside::all);
}

} // namespace sigev_bench
