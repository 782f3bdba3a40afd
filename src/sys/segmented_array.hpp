// An array that grows and never moves: an element, once there, stays where it is until the array is destroyed.
// Finding one is a load and a few bits of arithmetic, from any thread and in a signal handler, while another thread
// grows it.
//
// Segments double: the first holds `First` elements, each next one twice as many, so the table of segments is a few
// words however large the array gets, and the bits of index + First say where: the highest the segment, the others
// the place in it. Segments come zeroed from the kernel and count only where they have been touched. Whoever grows it
// must exclude others who grow it.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <sys/mman.h>
#include <type_traits>

namespace sigev::sys {

/// T: zero bytes are a valid object of it, and it needs no destructor.
template <class T, std::size_t First>
class segmented_array {
    static_assert(std::has_single_bit(First) && std::is_trivially_destructible_v<T>);

public:
    static constexpr std::size_t max_segments = 32;
    static constexpr std::size_t max_size = First << (max_segments - 1);

    segmented_array() noexcept = default;
    segmented_array(const segmented_array&) = delete;
    segmented_array& operator=(const segmented_array&) = delete;
    ~segmented_array()
    {
        for (std::size_t s = 0; s < max_segments; ++s)
            if (T* memory = segments_[s].load(std::memory_order_relaxed))
                ::munmap(memory, bytes(s));
    }

    /// Makes elements up to `size` - 1 exist. False: no memory, or too many; what was there stays.
    bool reserve(std::size_t size) noexcept
    {
        if (size > max_size)
            return false;
        while (capacity_ < size) {
            const std::size_t s = place(capacity_).segment;
            void* memory = ::mmap(nullptr, bytes(s), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (memory == MAP_FAILED)
                return false;
            // Random access to many elements otherwise pays for the page tables as well.
            if (bytes(s) >= huge_page)
                ::madvise(memory, bytes(s), MADV_HUGEPAGE);
            segments_[s].store(static_cast<T*>(memory), std::memory_order_release);
            capacity_ += count(s);
        }
        return true;
    }

    /// Null when it does not exist.
    T* find(std::size_t index) const noexcept
    {
        if (index >= max_size)
            return nullptr;
        const auto [segment, offset] = place(index);
        T* memory = segments_[segment].load(std::memory_order_acquire);
        return memory ? memory + offset : nullptr;
    }

    /// The caller knows that it exists.
    T& operator[](std::size_t index) const noexcept
    {
        const auto [segment, offset] = place(index);
        return segments_[segment].load(std::memory_order_acquire)[offset];
    }

private:
    static constexpr std::size_t first_bit = std::bit_width(First) - 1;
    static constexpr std::size_t huge_page = std::size_t{2} << 20;

    struct location {
        std::size_t segment;
        std::size_t offset;
    };

    static constexpr location place(std::size_t index) noexcept
    {
        const std::size_t biased = index + First;
        const auto top = static_cast<std::size_t>(63 - __builtin_clzll(biased)); // one instruction: it is never 0
        return {top - first_bit, biased - (std::size_t{1} << top)};
    }
    static constexpr std::size_t count(std::size_t s) noexcept { return First << s; }
    static constexpr std::size_t bytes(std::size_t s) noexcept { return count(s) * sizeof(T); }

    std::atomic<T*> segments_[max_segments] = {};
    std::size_t capacity_ = 0;
};

} // namespace sigev::sys
