// The pure parts of the timer engine: the heap against a multimap, the reload arithmetic against 128 bits, the packing.
#include "backends/timer/heap/deadline_heap.hpp"
#include "backends/timer/heap/reload.hpp"
#include "backends/timer/heap/timer_slot.hpp"

#include "support/support.hpp"

#include <map>
#include <random>
#include <vector>

namespace {

using namespace sigev::spi::heap;
using sigev::spi::timer_base;
using sigev::spi::timer_value;

struct positions {
    std::vector<std::uint32_t>* of;
    std::uint32_t& operator()(std::uint32_t slot) const { return (*of)[slot]; }
};

struct heap_of {
    explicit heap_of(std::size_t slots) : entries(slots + heap_offset), at(slots), heap(entries, positions{&at}) {}

    std::vector<heap_entry> entries;
    std::vector<std::uint32_t> at;
    deadline_heap<std::vector<heap_entry>, positions> heap;
};

/// The slow truth.
struct model {
    std::multimap<std::uint64_t, std::uint32_t> by_key;
    std::map<std::uint32_t, std::uint64_t> key_of;

    void insert(std::uint32_t slot, std::uint64_t key)
    {
        by_key.emplace(key, slot);
        key_of[slot] = key;
    }
    void remove(std::uint32_t slot)
    {
        const std::uint64_t key = key_of.at(slot);
        for (auto i = by_key.find(key);; ++i)
            if (i->second == slot) {
                by_key.erase(i);
                break;
            }
        key_of.erase(slot);
    }
};

void step(heap_of& h, model& m, std::mt19937& random, std::uint32_t slots, std::uint64_t keys)
{
    const std::uint32_t slot = static_cast<std::uint32_t>(random()) % slots;
    const std::uint64_t key = random() % keys;
    if (!m.key_of.contains(slot)) {
        h.heap.insert(slot, key);
        m.insert(slot, key);
    } else if (random() % 3 == 0) {
        h.heap.remove(slot);
        m.remove(slot);
    } else {
        h.heap.move(slot, key);
        m.remove(slot);
        m.insert(slot, key);
    }
}

void against_model(std::uint32_t slots, std::uint64_t keys, int steps)
{
    heap_of h(slots);
    model m;
    std::mt19937 random(slots);
    for (int i = 0; i < steps; ++i) {
        step(h, m, random, slots, keys);
        BOOST_REQUIRE_EQUAL(h.heap.size(), m.by_key.size());
        BOOST_REQUIRE_EQUAL(h.heap.empty(), m.by_key.empty());
        if (!h.heap.empty()) {
            BOOST_REQUIRE_EQUAL(h.heap.top().key, m.by_key.begin()->first);
            BOOST_REQUIRE_EQUAL(m.key_of.at(h.heap.top().slot), h.heap.top().key);
        }
    }
    while (!h.heap.empty()) {
        const heap_entry top = h.heap.top();
        BOOST_REQUIRE_EQUAL(top.key, m.by_key.begin()->first);
        h.heap.remove(top.slot);
        m.remove(top.slot);
    }
    BOOST_TEST(m.by_key.empty());
}

/// What is due is taken out together; of it some is inserted again, later, while the rest is looked at.
void take_all_against_model(std::uint32_t slots, std::uint64_t keys)
{
    heap_of h(slots);
    model m;
    std::mt19937_64 random(slots + keys);
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
        const std::uint64_t key = random() % keys;
        h.heap.insert(slot, key);
        m.insert(slot, key);
    }
    std::vector<heap_entry> aside(slots);
    for (std::uint64_t limit = keys / 7; !h.heap.empty(); limit += keys / 7 + 1) {
        if (h.heap.top().key > limit)
            continue;
        const std::size_t count = h.heap.take_until(limit, [&](std::size_t n) -> heap_entry& { return aside.at(n); });
        const std::size_t end = h.heap.size();
        BOOST_REQUIRE_EQUAL(end + count, m.by_key.size());
        for (std::size_t n = 0; n != count; ++n) {
            const heap_entry e = h.heap.taken(end, n);
            BOOST_REQUIRE_EQUAL(e.key, m.by_key.begin()->first);
            BOOST_REQUIRE_EQUAL(m.key_of.at(e.slot), e.key);
            m.remove(e.slot);
            if (random() % 3 == 0) {
                const std::uint64_t later = limit + 1 + random() % keys;
                h.heap.insert(e.slot, later);
                m.insert(e.slot, later);
            }
        }
        BOOST_REQUIRE(m.by_key.empty() || m.by_key.begin()->first > limit);
        for (std::uint32_t i = 0; i < slots / 4; ++i) // who is left can be moved and taken out
            if (const auto slot = static_cast<std::uint32_t>(random() % slots); m.key_of.contains(slot)) {
                h.heap.remove(slot);
                m.remove(slot);
            }
        BOOST_REQUIRE_EQUAL(h.heap.empty(), m.by_key.empty());
        if (!h.heap.empty())
            BOOST_REQUIRE_EQUAL(h.heap.top().key, m.by_key.begin()->first);
    }
    BOOST_TEST(m.by_key.empty());
}

/// The rule as it is written down, in 128 bits.
reloaded slow_reload(std::uint64_t deadline, std::uint64_t interval, std::uint64_t now)
{
    __extension__ using wide = unsigned __int128;
    const wide n = wide{now - deadline} / interval + 1;
    const wide next = wide{deadline} + n * interval;
    return {next < latest ? static_cast<std::uint64_t>(next) : latest, static_cast<std::uint64_t>(n - 1)};
}

} // namespace

BOOST_AUTO_TEST_SUITE(timer_heap_parts)

BOOST_AUTO_TEST_CASE(random_work_agrees_with_a_multimap)
{
    for (std::uint32_t slots : {1u, 2u, 5u, 6u, 21u, 22u, 500u})
        against_model(slots, slots < 50 ? 10 : 100'000, 20'000);
}

BOOST_AUTO_TEST_CASE(equal_keys_all_come_out)
{
    against_model(100, 1, 5'000);
}

BOOST_AUTO_TEST_CASE(what_is_taken_out_together_comes_in_order_and_leaves_a_heap)
{
    for (std::uint32_t slots : {1u, 2u, 5u, 21u, 22u, 256u, 257u, 3'000u})
        for (std::uint64_t keys : {std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1'000'000}, latest / 4})
            take_all_against_model(slots, keys);
}

BOOST_AUTO_TEST_CASE(clearing_visits_each_once)
{
    heap_of h(10);
    for (std::uint32_t s = 0; s < 10; ++s)
        h.heap.insert(s, 100 - s);
    std::vector<int> visits(10);
    h.heap.clear([&](std::uint32_t slot) { ++visits[slot]; });
    BOOST_TEST(h.heap.empty());
    for (int v : visits)
        BOOST_TEST(v == 1);
}

BOOST_AUTO_TEST_CASE(reload_counts_what_was_missed)
{
    static_assert(reload(1000, 10, 1000).deadline == 1010 && reload(1000, 10, 1000).missed == 0);
    static_assert(reload(1000, 10, 1009).deadline == 1010 && reload(1000, 10, 1009).missed == 0);
    static_assert(reload(1000, 10, 1010).deadline == 1020 && reload(1000, 10, 1010).missed == 1);
    static_assert(reload(1000, 10, 1995).deadline == 2000 && reload(1000, 10, 1995).missed == 99);
    static_assert(reload(1, 1, latest).deadline == latest && reload(1, 1, latest).missed == latest - 1);
    static_assert(reload(latest, latest, latest).deadline == latest);
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(reload_agrees_with_wide_arithmetic_at_all_sizes)
{
    std::mt19937_64 random(7);
    const auto any_size = [&] { return std::max<std::uint64_t>(1, std::min(random() >> random() % 64, latest)); };
    for (int i = 0; i < 200'000; ++i) {
        std::uint64_t deadline = any_size(), now = any_size();
        if (now < deadline)
            std::swap(now, deadline);
        const std::uint64_t interval = any_size();
        const reloaded fast = reload(deadline, interval, now), slow = slow_reload(deadline, interval, now);
        BOOST_REQUIRE_EQUAL(fast.deadline, slow.deadline);
        BOOST_REQUIRE_EQUAL(fast.missed, slow.missed);
        BOOST_REQUIRE(fast.deadline > now || fast.deadline == latest);
    }
}

BOOST_AUTO_TEST_CASE(a_million_periods_do_not_drift)
{
    std::mt19937_64 random(8);
    constexpr std::uint64_t first = 123'456'789, interval = 1'000'003;
    std::uint64_t deadline = first, expiries = 0;
    while (expiries < 1'000'000) {
        const reloaded r = reload(deadline, interval, deadline + random() % (3 * interval)); // looked at late
        expiries += 1 + r.missed;
        deadline = r.deadline;
    }
    BOOST_TEST(deadline == first + expiries * interval);
}

BOOST_AUTO_TEST_CASE(values_survive_packing)
{
    for (const std::uint32_t generation : {1u, 0x8001u, 0xffffu})
        for (const timer_value& v :
             {timer_value{1, 0, timer_base::steady}, timer_value{1, 1, timer_base::wall},
              timer_value{latest, interval_mask, timer_base::steady}, timer_value{latest, 5, timer_base::wall}}) {
            const sigev::sys::pair64 w = pack(v, generation);
            BOOST_TEST(!is_wide(w));
            BOOST_TEST(generation_of(w.hi) == generation);
            BOOST_TEST(w.lo != none);
            const timer_value back = unpack(w);
            BOOST_TEST(back.deadline == v.deadline);
            BOOST_TEST(back.interval == v.interval);
            BOOST_TEST((back.base == v.base));
        }
    BOOST_TEST(unpack(pack({~0ull, 0, timer_base::wall}, 1)).deadline == latest);
    for (const std::uint64_t interval : {interval_mask + 1, ~std::uint64_t{0}}) {
        const sigev::sys::pair64 w = pack({5, interval, timer_base::wall}, 3);
        BOOST_TEST(is_wide(w));
        BOOST_TEST(generation_of(w.hi) == 3u);
        BOOST_TEST(unpack(w).deadline == 5u);
    }
    BOOST_TEST((pack({0, 77, timer_base::wall}, 9) == pack({0, ~0ull, timer_base::steady}, 9)));
}

BOOST_AUTO_TEST_CASE(generations_live_and_die_by_turns)
{
    for (std::uint32_t g : {0u, 1u, 0xfffeu, 0xffffu}) {
        BOOST_TEST(lives(after(g)) != lives(g));
        BOOST_TEST(before(after(g)) == g);
        BOOST_TEST(is_of(high_of(g) | wide | 77, g));
        BOOST_TEST(!is_of(high_of(g), after(g)));
        BOOST_TEST(is_narrow_of(high_of(g, interval_mask), g));
        BOOST_TEST(!is_narrow_of(high_of(g, interval_mask + 1), g));
        BOOST_TEST(!is_narrow_of(high_of(g), after(g)));
    }
}

BOOST_AUTO_TEST_CASE(a_heap_key_covers_what_is_not_earlier_on_its_base)
{
    constexpr auto steady = [](std::uint64_t d) { return pack(d, timer_base::steady); };
    constexpr auto wall = [](std::uint64_t d) { return pack(d, timer_base::wall); };
    BOOST_TEST(covers(steady(5), steady(5)));
    BOOST_TEST(covers(steady(5), steady(6)));
    BOOST_TEST(!covers(steady(5), steady(4)));
    BOOST_TEST(!covers(steady(5), wall(6)));
    BOOST_TEST(!covers(wall(5), steady(6)));
    BOOST_TEST(!covers(none, wall(latest)));
    BOOST_TEST(!covers(none, steady(latest)));
}

BOOST_AUTO_TEST_SUITE_END()
