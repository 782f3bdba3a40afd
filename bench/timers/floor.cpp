// The floor under a timer that any thread may arm: the clock, a compare-exchange of 16 bytes and two locked additions in a
// random one of as many slots of 32 bytes. It arms nothing.
#include "support/contestant.hpp"
#include "timers/cases.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <utility>

namespace {

using namespace sigev_bench;

class slots {
public:
    static constexpr bool slow = false;
    static constexpr bool defers = true; // nothing; but as often as who does
    static constexpr bool holds_what_is_scarce = false;

    slots(std::size_t n, void (*)())
        : n_(n)
    {
        constexpr std::size_t huge_page = std::size_t{2} << 20;
        const std::size_t size = (n * sizeof(slot) + huge_page - 1) / huge_page * huge_page;
        void* const memory = std::aligned_alloc(huge_page, size);
        unless(memory != nullptr, "no memory");
        ::madvise(memory, size, MADV_HUGEPAGE); // as who keeps many of them does
        all_ = static_cast<slot*>(memory);
        for (std::size_t i = 0; i != n; ++i)
            new (&all_[i]) slot{};
    }
    slots(const slots&) = delete;
    slots& operator=(const slots&) = delete;
    ~slots() { std::free(all_); }

    std::size_t size() const { return n_; }
    void begin() {}
    void end() {}
    void arm(std::size_t i, std::uint64_t ns)
    {
        slot& s = all_[i];
        const std::uint64_t due = nanoseconds(CLOCK_MONOTONIC) + ns;
        s.pins.fetch_add(1);
        wide old = s.value;
        for (wide seen; (seen = __sync_val_compare_and_swap(&s.value, old, wide{due})) != old;)
            old = seen;
        s.pins.fetch_sub(1);
    }
    std::uint64_t left(std::size_t i)
    {
        return static_cast<std::uint64_t>(all_[i].value) - nanoseconds(CLOCK_MONOTONIC);
    }

private:
    __extension__ using wide = unsigned __int128;
    struct slot {
        wide value;
        std::uint64_t key;
        std::atomic<std::uint64_t> pins;
    };
    static_assert(sizeof(slot) == 32);

    std::size_t n_;
    slot* all_ = nullptr;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(argc, argv, {{"rearm", rearm<slots>}});
}
