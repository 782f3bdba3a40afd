// Memory of requests and files that are over, for those that come.
//
// The program's threads allocate them, an engine's thread frees them. To an allocator that is the worst there is: every piece goes
// back to the other thread's heap, under its lock, on which both then sleep. Here both take a lock that is held for two stores.
//
// A piece is memory of operator new of that size: where there is none to spare it is fresh, and may as well be deleted. Destroyed
// objects only. Any thread.
#pragma once

#include "sys/brief_mutex.hpp"

#include <cstddef>
#include <mutex>
#include <new>
#include <utility>

namespace sigev::sources {

class aio_spares {
public:
    aio_spares() = default;
    aio_spares(const aio_spares&) = delete;
    aio_spares& operator=(const aio_spares&) = delete;
    ~aio_spares()
    {
        while (first_)
            ::operator delete(std::exchange(first_, first_->next));
    }

    /// Null: no memory.
    void* take(std::size_t size) noexcept
    {
        {
            const std::lock_guard lock(mutex_);
            if (first_) {
                --count_;
                return std::exchange(first_, first_->next);
            }
        }
        return ::operator new(size, std::nothrow);
    }

    void give(void* memory) noexcept
    {
        {
            const std::lock_guard lock(mutex_);
            if (count_ < most) {
                ++count_;
                first_ = new (memory) piece{first_};
                return;
            }
        }
        ::operator delete(memory);
    }

private:
    struct piece {
        piece* next;
    };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    static constexpr std::size_t most = 0; // they are to see who touches what is over
#else
    static constexpr std::size_t most = 256;
#endif

    alignas(64) sys::brief_mutex mutex_;
    piece* first_ = nullptr;
    std::size_t count_ = 0;
};

} // namespace sigev::sources
