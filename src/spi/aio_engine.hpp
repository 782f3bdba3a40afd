// The contract of an AIO engine: who performs the operations. backends/aio fills it. Order between requests (O_APPEND,
// fsync) is not the engine's business: sources/aio starts a request when nothing that it must follow is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <sys/types.h>

namespace sigev::spi {

enum class aio_operation : std::uint8_t { read, write, fsync, fdatasync };

struct aio_work;

/// Work in order, linked through it. One list at a time.
class aio_work_list {
public:
    bool empty() const noexcept { return !first_; }
    std::size_t size() const noexcept { return size_; }
    aio_work* first() const noexcept { return first_; }

    inline void push_back(aio_work& work) noexcept;
    inline void push_front(aio_work& work) noexcept;
    /// Out of it, wherever it stands.
    inline void take(aio_work& work) noexcept;

private:
    aio_work* first_ = nullptr;
    aio_work* last_ = nullptr;
    std::size_t size_ = 0;
};

/// A descriptor that the source has made for the engine, shared by all work on one open file.
struct aio_channel {
    int descriptor = -1;
    bool may_wait = false; ///< a pipe, socket, terminal: work on it may never end, so the engine must be able to break it off
    bool direct = false;   ///< O_DIRECT: every transfer waits for the device
    bool ask_first = false; ///< an eventfd or its like: may refuse a transfer at once that it is never ready for

    // The engine's, while it runs. [0]: reads, [1]: the rest.
    struct line : aio_work_list {
        bool busy = false; ///< somebody is in a call that blocks: whoever waits here waits for that
    } lines[2];
    std::uint32_t place = 0; ///< where it stands with the engine; 0: nowhere
};

/// One operation. Owned by the source; the engine may touch it from start() until it has called done.
struct aio_work {
    aio_operation operation = aio_operation::read;
    bool positioned = true; ///< false: not seekable, the offset is ignored
    bool queued = false;     ///< the engine's while it runs
    bool waiting = false;    ///< the engine's while it runs
    bool broken_off = false; ///< the engine's while it runs
    bool tried = false;      ///< the engine's while it runs
    int error = 0;                          ///< set before done
    std::uint32_t pieces = 0;  ///< 0: `buffer` is the data; else an array of so many iovec, which the engine may change
    aio_channel* channel = nullptr;
    ssize_t result = 0; ///< set before done; the bytes transferred so far, also by who has started it
    void* buffer = nullptr;
    std::size_t length = 0; ///< of all pieces
    off_t offset = 0;       ///< of the first byte of all
    aio_work* previous = nullptr; ///< the engine's while it runs
    aio_work* next = nullptr;     ///< the engine's while it runs; in what it hands to done()

    bool transfers() const noexcept { return operation == aio_operation::read || operation == aio_operation::write; }
    bool may_wait() const noexcept { return channel->may_wait && transfers(); }
};

inline void aio_work_list::push_back(aio_work& work) noexcept
{
    work.next = nullptr;
    work.previous = last_;
    (last_ ? last_->next : first_) = &work;
    last_ = &work;
    ++size_;
}

inline void aio_work_list::push_front(aio_work& work) noexcept
{
    work.previous = nullptr;
    work.next = first_;
    (first_ ? first_->previous : last_) = &work;
    first_ = &work;
    ++size_;
}

inline void aio_work_list::take(aio_work& work) noexcept
{
    (work.previous ? work.previous->next : first_) = work.next;
    (work.next ? work.next->previous : last_) = work.previous;
    work.previous = work.next = nullptr;
    --size_;
}

class aio_sink {
public:
    /// The work of this list (by `next`) has its result. On one of the engine's threads; must not block for long; may start
    /// other work.
    virtual void done(aio_work* list) noexcept = 0;

protected:
    ~aio_sink() = default;
};

/// What the program may choose (sigev_aio_init()). 0: the engine's own choice.
struct aio_limits {
    unsigned threads = 0;
    unsigned idle_milliseconds = 0;
};

class aio_engine {
public:
    virtual ~aio_engine() = default;

    /// From now on. Any thread.
    virtual void choose(const aio_limits& limits) noexcept = 0;

    /// Makes sure that what is started afterwards on this channel will be served; may find that nothing on it ever waits. 0,
    /// or EAGAIN when a thread, a descriptor or memory that it takes cannot be had. Before the first start() on it.
    virtual int open(aio_channel& channel) noexcept = 0;

    /// Nothing is started on it any more, and all work on it is over. Before its descriptor is closed.
    virtual void close(aio_channel& channel) noexcept = 0;

    /// Takes the work over. Cannot fail after open(). From any thread, done() included.
    virtual void start(aio_work& work) noexcept = 0;

    /// Takes started work back, unless somebody is at it, or it is over: then false. True: it is the caller's, there is no
    /// done() for it, and `result` tells how far it had come. The caller knows that done() of it has not returned.
    virtual bool withdraw(aio_work& work) noexcept = 0;

    /// Breaks off what may wait (ECANCELED, or what had been transferred), carries out the rest, and returns when done()
    /// of everything has returned and no thread is left. No start() comes any more but from done(). The destructor does
    /// the same where stop() was not called.
    virtual void stop() noexcept = 0;
};

/// Threads that call pread() and friends.
std::unique_ptr<aio_engine> make_thread_engine(aio_sink& sink);

} // namespace sigev::spi
