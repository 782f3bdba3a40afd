// Room for the one wait that a descriptor has at a time. A wait that is started anew where the last one has ended, in a handler,
// has nobody to tell that there is no memory; so it must not need any.
#pragma once

#include <cstddef>
#include <new>

namespace sigev::detail {

/// One taker at a time: the next wait is started when the last one has given its memory back, as Asio does before it calls the
/// handler.
class wait_memory {
public:
    wait_memory() = default;
    wait_memory(const wait_memory&) = delete;
    wait_memory& operator=(const wait_memory&) = delete;

    void* take(std::size_t size)
    {
        if (taken_ || size > sizeof room_)
            return ::operator new(size);
        taken_ = true;
        return room_;
    }
    void give_back(void* memory) noexcept
    {
        if (memory == room_)
            taken_ = false;
        else
            ::operator delete(memory);
    }

private:
    alignas(std::max_align_t) std::byte room_[320];
    bool taken_ = false;
};

/// The allocator of a wait's handler.
template <class T = void>
struct wait_allocator {
    using value_type = T;

    explicit wait_allocator(wait_memory& of) noexcept : memory(&of) {}
    template <class U>
    wait_allocator(const wait_allocator<U>& other) noexcept : memory(other.memory)
    {}

    T* allocate(std::size_t n) { return static_cast<T*>(memory->take(n * sizeof(T))); }
    void deallocate(T* p, std::size_t) noexcept { memory->give_back(p); }

    friend bool operator==(const wait_allocator& a, const wait_allocator& b) noexcept { return a.memory == b.memory; }

    wait_memory* memory;
};

} // namespace sigev::detail
