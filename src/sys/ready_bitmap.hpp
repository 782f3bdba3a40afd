// A set of indices: any thread and any signal handler puts in, one thread takes all out.
//
// Bits and not a list, because setting a bit is idempotent: a setter that was interrupted or abandoned (siglongjmp)
// half way silences nobody, whoever sets the bit next does the rest.
//
// Levels. A leaf bit per index; 64 leaves and the word that says which of them are not empty make a group (4096
// indices); one root bit per group says which groups are not empty. Group 0 has no root bit, its word is looked at
// each time: so a small set costs two levels, not three. Bits are set from the leaf up and taken from the root down.
//
// Why nothing is missed. A setter's read-modify-write of a level may be skipped only if a seq_cst load of it, made
// after the one below was set (or seen set), shows the bit: then the taker has yet to exchange that word, and it
// exchanges the word below it afterwards. A bit that is set after the taker has passed stands in the levels above as
// well once its setter is through, so any() sees it: with seq_cst on both sides "set, then read the horizon" and
// "publish the horizon, then any()" cannot both miss the other.
#pragma once

#include "sys/segmented_array.hpp"

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sigev::sys {

class ready_bitmap {
public:
    static constexpr std::size_t group_size = std::size_t{64} * 64;
    static constexpr std::size_t root_words = 256;
    static constexpr std::size_t max_size = root_words * 64 * group_size;

    /// Makes room for indices below `size`; may allocate. One thread at a time; others may set and take meanwhile.
    /// False: no memory, or more than max_size.
    bool grow(std::size_t size) noexcept
    {
        if (size > max_size)
            return false;
        const std::size_t groups = (size + group_size - 1) / group_size;
        if (!groups_.reserve(groups))
            return false;
        const std::size_t used = (groups + 63) / 64;
        if (used > roots_used_.load(std::memory_order_relaxed))
            roots_used_.store(used, std::memory_order_seq_cst);
        return true;
    }

    /// The index must have been grown to. Lock-free, async-signal-safe.
    void set(std::size_t index) noexcept
    {
        const std::size_t g = index / group_size;
        const std::size_t l = index / 64 % 64;
        group& of = groups_[g];
        raise(of.leaf[l], index % 64);
        raise(of.summary, l);
        if (g != 0)
            raise(root_[g / 64], g % 64);
    }

    /// set() would change nothing: each level is looked at after the one below it, as there, but without a branch between them.
    std::uint64_t stands(std::size_t index) const noexcept
    {
        const std::size_t g = index / group_size;
        const std::size_t l = index / 64 % 64;
        const group& of = groups_[g];
        const std::uint64_t leaf = of.leaf[l].load(std::memory_order_seq_cst) >> index % 64;
        const std::uint64_t summary = of.summary.load(std::memory_order_seq_cst) >> l;
        const std::uint64_t root = root_[g / 64].load(std::memory_order_seq_cst) >> g % 64 | std::uint64_t{g == 0};
        return leaf & summary & root & 1;
    }

    /// Calls visit(index) for each that is set, and clears it before; and approaches(index) earlier than that. One thread at
    /// a time.
    template <class Visitor, class Forerunner>
    void take_all(Visitor&& visit, Forerunner&& approaches)
    {
        if (group* first = groups_.find(0))
            take_group(*first, 0, visit, approaches);
        const std::size_t roots = roots_used_.load(std::memory_order_seq_cst);
        for (std::size_t r = 0; r < roots; ++r)
            for_each_bit(take(root_[r]), [&](std::size_t bit) {
                const std::size_t g = r * 64 + bit;
                take_group(groups_[g], g * group_size, visit, approaches);
            });
    }

    template <class Visitor>
    void take_all(Visitor&& visit)
    {
        take_all(visit, [](std::size_t) {});
    }

    /// Is anything set? seq_cst: see above.
    bool any() const noexcept
    {
        const group* first = groups_.find(0);
        if (first && first->summary.load(std::memory_order_seq_cst) != 0)
            return true;
        const std::size_t roots = roots_used_.load(std::memory_order_seq_cst);
        for (std::size_t r = 0; r < roots; ++r)
            if (root_[r].load(std::memory_order_seq_cst) != 0)
                return true;
        return false;
    }

private:
    using word = std::atomic<std::uint64_t>;

    // Lines apart: posters of one group and of its neighbour do not disturb each other.
    struct alignas(64) group {
        word leaf[64];
        word summary;
    };

    static void raise(word& w, std::size_t bit) noexcept
    {
        const std::uint64_t mask = std::uint64_t{1} << bit;
        if (!(w.load(std::memory_order_seq_cst) & mask))
            w.fetch_or(mask, std::memory_order_seq_cst);
    }

    // Most words are empty most of the time; an exchange of an empty one would only take the line away.
    static std::uint64_t take(word& w) noexcept
    {
        return w.load(std::memory_order_seq_cst) == 0 ? 0 : w.exchange(0, std::memory_order_seq_cst);
    }

    template <class Function>
    static void for_each_bit(std::uint64_t bits, Function&& f)
    {
        for (; bits != 0; bits &= bits - 1)
            f(static_cast<std::size_t>(std::countr_zero(bits)));
    }

    template <class Visitor, class Forerunner>
    static void take_group(group& g, std::size_t base, Visitor& visit, Forerunner& approaches)
    {
        for_each_bit(take(g.summary), [&](std::size_t l) {
            const std::uint64_t leaves = take(g.leaf[l]);
            for_each_bit(leaves, [&](std::size_t bit) { approaches(base + l * 64 + bit); });
            for_each_bit(leaves, [&](std::size_t bit) { visit(base + l * 64 + bit); });
        });
    }

    segmented_array<group, 4> groups_;
    std::atomic<std::size_t> roots_used_{0};
    alignas(64) word root_[root_words] = {};
};

} // namespace sigev::sys
