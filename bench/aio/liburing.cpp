// Peer: io_uring, through liburing: submitted one at a time, or in a batch; and `hop`: by another thread, which is handed each
// request and hands back that it is over, as whoever may be asked by any thread must.
#include "aio/cases.hpp"
#include "support/contestant.hpp"

#include <liburing.h>
#include <semaphore.h>

#include <atomic>
#include <thread>

namespace {

using namespace sigev_bench;

template <bool Batch>
class engine {
public:
    explicit engine(std::size_t depth) { unless(::io_uring_queue_init(static_cast<unsigned>(depth), &ring_, 0) == 0, "io_uring_queue_init"); }
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() { ::io_uring_queue_exit(&ring_); }

    void read(std::size_t, int fd, char* page, std::size_t at)
    {
        ::io_uring_prep_read(next(), fd, page, page_size, at);
        submit();
    }
    void write(std::size_t, int fd, char* page, std::size_t at)
    {
        ::io_uring_prep_write(next(), fd, page, page_size, at);
        submit();
    }
    void sync(int fd)
    {
        ::io_uring_prep_fsync(next(), fd, 0);
        unless(::io_uring_submit(&ring_) == 1, "io_uring_submit");
        take(1, 0);
    }
    void wait(std::size_t n)
    {
        if (Batch)
            unless(::io_uring_submit(&ring_) == static_cast<int>(n), "io_uring_submit");
        take(n, page_size);
    }

private:
    io_uring_sqe* next()
    {
        io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
        unless(entry != nullptr, "io_uring_get_sqe");
        return entry;
    }
    void submit()
    {
        if (!Batch)
            unless(::io_uring_submit(&ring_) == 1, "io_uring_submit");
    }
    void take(std::size_t n, int result)
    {
        for (std::size_t i = 0; i != n; ++i) {
            io_uring_cqe* done = nullptr;
            unless(::io_uring_wait_cqe(&ring_, &done) == 0 && done->res == result, "a request has failed");
            ::io_uring_cqe_seen(&ring_, done);
        }
    }

    io_uring ring_;
};

/// Depth 1.
class behind_a_thread {
public:
    explicit behind_a_thread(std::size_t depth)
        : ring_(depth)
    {
        ::sem_init(&asked_, 0, 0);
        ::sem_init(&done_, 0, 0);
        thread_ = std::thread([this] {
            for (;;) {
                while (::sem_wait(&asked_) != 0) {
                }
                if (fd_ < 0)
                    return;
                try {
                    ring_.read(0, fd_, page_, at_);
                    ring_.wait(1);
                } catch (const std::exception&) {
                    failed_ = true;
                }
                ::sem_post(&done_);
            }
        });
    }
    behind_a_thread(const behind_a_thread&) = delete;
    behind_a_thread& operator=(const behind_a_thread&) = delete;
    ~behind_a_thread()
    {
        fd_ = -1;
        ::sem_post(&asked_);
        thread_.join();
    }

    void read(std::size_t, int fd, char* page, std::size_t at)
    {
        fd_ = fd;
        page_ = page;
        at_ = at;
        ::sem_post(&asked_);
    }
    void wait(std::size_t)
    {
        while (::sem_wait(&done_) != 0) {
        }
        unless(!failed_, "a request has failed");
    }

private:
    engine<false> ring_;
    sem_t asked_;
    sem_t done_;
    int fd_ = -1;
    char* page_ = nullptr;
    std::size_t at_ = 0;
    bool failed_ = false;
    std::thread thread_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"suspend", rounds_of<engine<false>, cached_reads>},
         {"list", rounds_of<engine<true>, cached_reads>},
         {"direct", rounds_of<engine<false>, direct_reads>},
         {"direct.hop", rounds_of<behind_a_thread, direct_reads>},
         {"tmpfs", rounds_of<engine<false>, memory_reads>},
         {"write", rounds_of<engine<false>, synced_writes>}});
}
