// Memory that goes from who frees it to who needs some: each piece has one owner at a time, and none is lost.
#include "sources/aio_spares.hpp"

#include "support/many.hpp"
#include "support/stepping.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include <malloc.h>
#include <sched.h>

using sigev::sources::aio_spares;
using namespace sigev_tests;

namespace {

constexpr std::size_t size = 200;
constexpr std::size_t most = 256; // are kept
constexpr std::size_t more_than_there_is = std::size_t{1} << 62;

void need_spares() {
    if (under_address_sanitizer || under_thread_sanitizer)
        skip("under a sanitizer nothing is kept: it is to see who touches what is over");
}

/// Each mapped by itself, so that the allocator's count of mappings is that of pieces.
class mapped_pieces {
public:
    static constexpr std::size_t size = std::size_t{1} << 20;
    mapped_pieces() { BOOST_REQUIRE(mallopt(M_MMAP_THRESHOLD, size / 2) == 1); }
    long count() const { return static_cast<long>(mallinfo2().hblks - before_); }

private:
    const std::size_t before_ = mallinfo2().hblks;
};

} // namespace

BOOST_AUTO_TEST_SUITE(aio_spare_pieces)

BOOST_AUTO_TEST_CASE(what_was_given_last_is_taken_first) {
    need_spares();
    aio_spares spares;
    void* const a = spares.take(size);
    void* const b = spares.take(size);
    BOOST_REQUIRE((a && b && a != b));
    spares.give(a);
    spares.give(b);
    BOOST_TEST(spares.take(size) == b);
    BOOST_TEST(spares.take(size) == a);
    void* const c = spares.take(size);
    BOOST_TEST((c && c != a && c != b));
    for (void* p : {a, b, c})
        spares.give(p);
}

BOOST_AUTO_TEST_CASE(where_there_is_none_to_spare_it_is_fresh_and_may_be_deleted) {
    aio_spares spares;
    auto* const p = static_cast<unsigned char*>(spares.take(size));
    BOOST_REQUIRE(p);
    std::fill_n(p, size, 0xa5); // all of it is there
    ::operator delete(p);
    void* const own = ::operator new(size);
    spares.give(own); // nor does it matter where it comes from
    void* const next = spares.take(size);
    BOOST_TEST(next);
    ::operator delete(next);
}

BOOST_AUTO_TEST_CASE(without_memory_there_is_what_was_kept_and_then_nothing) {
    need_spares();
    aio_spares spares;
    void* const kept = spares.take(size);
    spares.give(kept);
    BOOST_TEST(spares.take(more_than_there_is) == kept); // nobody is asked for any
    BOOST_TEST(spares.take(more_than_there_is) == nullptr);
    BOOST_TEST(spares.take(more_than_there_is) == nullptr);
    spares.give(kept); // it goes on
    BOOST_TEST(spares.take(size) == kept);
    spares.give(kept);
}

BOOST_AUTO_TEST_CASE(so_many_are_kept_and_what_is_kept_goes_with_them) {
    need_spares();
    const mapped_pieces mapped;
    constexpr std::size_t given = most + 44;
    {
        aio_spares spares;
        std::vector<void*> pieces(given);
        for (auto& p : pieces)
            p = spares.take(mapped.size);
        BOOST_TEST(mapped.count() == static_cast<long>(given));
        for (void* p : pieces)
            spares.give(p);
        BOOST_TEST(mapped.count() == static_cast<long>(most));
        for (std::size_t i = 0; i != most; ++i)
            pieces[i] = spares.take(mapped.size);
        BOOST_TEST(mapped.count() == static_cast<long>(most)); // each of them was one that was kept
        BOOST_TEST(std::set<void*>(pieces.begin(), pieces.begin() + most).size() == most);
        for (std::size_t i = 0; i != most; ++i)
            spares.give(pieces[i]);
    }
    BOOST_TEST(mapped.count() == 0);
}

// Whatever instruction one stands at: another takes a piece meanwhile, or sleeps until this one is through.
BOOST_AUTO_TEST_CASE(who_takes_or_gives_shares_no_piece_with_who_comes_in_between, *deadline(120)) {
    need_spares();
    aio_spares spares;
    std::atomic<bool> is_over{false}, asked{false};
    std::atomic<void*> got{nullptr};
    std::thread other([&] {
        while (!is_over) {
            if (asked.exchange(false))
                got = spares.take(size);
            sched_yield();
        }
    });
    const auto comes_by = [&] {
        asked = true;
        BOOST_TEST(wait_until([&] { return got != nullptr || (!asked && other_threads_sleep()); }));
    };
    void* const a = spares.take(size);
    void* const b = spares.take(size);
    const std::set<void*> both{a, b};
    {
        stepping steps;
        for (const bool gives : {false, true})
            steps.each([&](unsigned k) {
                spares.give(b);
                if (!gives)
                    spares.give(a);
                void* mine = nullptr;
                const auto operation = [&] { gives ? spares.give(a) : void(mine = spares.take(size)); };
                const bool was_interrupted = steps.interrupted(k, operation, comes_by);
                if (!was_interrupted)
                    comes_by();
                BOOST_TEST(wait_until([&] { return got != nullptr; }));
                if (gives)
                    mine = spares.take(size);
                const std::set<void*> found{mine, got.exchange(nullptr)};
                BOOST_TEST((found == both));
                return was_interrupted && found == both;
            });
    }
    is_over = true;
    other.join();
    spares.give(a);
    spares.give(b);
}

// As with requests: some take, others give what those have taken; and each does both.
BOOST_AUTO_TEST_CASE(a_piece_has_one_owner_at_a_time) {
    struct piece {
        void* next; // of the spares, while they have it
        std::atomic<int> owners;
    };
    constexpr int threads = 4;
    aio_spares spares;
    std::array<std::atomic<piece*>, 16> table{}; // where they pass them on
    std::atomic<long> taken{0}, given{0};
    std::atomic<int> met{0};
    std::vector<piece*> known(most / 2);
    for (auto& p : known) // all are made before, and so `owners` of each is a number
        p = new (spares.take(sizeof(piece))) piece{};
    for (piece* p : known)
        spares.give(p);
    std::vector<std::thread> users;
    std::atomic<int> here{0};
    for (int t = 0; t != threads; ++t)
        users.emplace_back([&, t] {
            for (++here; here != threads;)
                sched_yield();
            for (many rounds(50'000); rounds.go_on();) {
                void* const memory = spares.take(sizeof(piece));
                if (under_address_sanitizer || under_thread_sanitizer)
                    new (memory) piece{};
                auto* const mine = static_cast<piece*>(memory);
                ++taken;
                met += mine->owners.fetch_add(1) != 0;
                auto& place = table[static_cast<std::size_t>(rounds.number() + t) % table.size()];
                if (piece* const others = place.exchange(mine)) {
                    met += others->owners.fetch_sub(1) != 1;
                    ++given;
                    spares.give(others);
                }
            }
        });
    for (auto& user : users)
        user.join();
    for (auto& place : table)
        if (piece* const last = place) {
            met += last->owners.fetch_sub(1) != 1;
            ++given;
            spares.give(last);
        }
    BOOST_TEST(met == 0);
    BOOST_TEST(taken == given);
    if (under_address_sanitizer || under_thread_sanitizer)
        return; // a leak, or a piece that was freed twice, is theirs to see
    std::set<void*> all;
    for (std::size_t i = 0; i != known.size(); ++i)
        all.insert(spares.take(sizeof(piece)));
    BOOST_TEST(all == std::set<void*>(known.begin(), known.end())); // none was lost, and none came
    for (void* p : all)
        spares.give(p);
}

BOOST_AUTO_TEST_SUITE_END()
