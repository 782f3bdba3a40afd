#include "stress/teardown_books.hpp"

namespace sigev_tests::teardown {

namespace {

sigev_ledger total(int source, int method)
{
    sigev_ledger l{};
    BOOST_REQUIRE(sigev_ledger_total(source, method, &l) == 0);
    return l;
}

sigev_ledger operator-(const sigev_ledger& a, const sigev_ledger& b)
{
    return {a.raised - b.raised, a.delivered - b.delivered, a.merged - b.merged, a.pending - b.pending, a.discarded - b.discarded, 0, 0};
}

} // namespace

totals totals::read(int user_method)
{
    totals t;
    for (const int source : {SIGEV_SOURCE_USER, SIGEV_SOURCE_TIMER}) {
        for (std::size_t m = 0; m != methods.size(); ++m)
            t.of[static_cast<std::size_t>(source)][m] = total(source, methods[m]);
        t.users[static_cast<std::size_t>(source)] = total(source, user_method);
        t.all[static_cast<std::size_t>(source)] = total(source, -1);
    }
    return t;
}

std::string balance(const arena& a, const totals& before, const totals& after)
{
    std::string wrong;
    const auto equal = [&](const std::string& what, std::uint64_t left, std::uint64_t right) {
        if (left != right && wrong.empty())
            wrong = what + ": " + std::to_string(left) + " and " + std::to_string(right);
    };
    std::uint64_t told = 0;
    for (std::size_t source = 0; source != 2; ++source) {
        const auto name = std::string(source == SIGEV_SOURCE_TIMER ? "timer" : "user");
        const sigev_ledger all = after.all[source] - before.all[source];
        equal(name + ", pending", all.pending, 0);
        equal(name + ", raised and its parts", all.raised, all.delivered + all.merged + all.discarded);
        const auto of = [&](std::size_t m) { return after.of[source][m] - before.of[source][m]; };
        const auto& calls = a.calls[source];
        equal(name + ", SIGEV_THREAD", of(2).delivered, calls[thread] + calls[thread_of_its_own] + calls[fresh_thread]);
        equal(name + ", SIGEV_CALLBACK", of(5).delivered, calls[callback]);
        equal(name + ", SIGEV_KEVENT", of(4).delivered, calls[kevent]);
        const sigev_ledger own = after.users[source] - before.users[source];
        equal(name + ", a method of its own", own.delivered, calls[user]);
        if (source == SIGEV_SOURCE_TIMER)
            told = of(2).delivered + of(2).merged + of(4).delivered + of(4).merged + of(5).delivered + of(5).merged +
                   own.delivered + own.merged;
    }
    const auto both = [&](std::size_t m) {
        return (after.of[0][m] - before.of[0][m]).delivered + (after.of[1][m] - before.of[1][m]).delivered;
    };
    equal("signals", both(1), a.signals[0]);
    equal("signals to a thread", both(3), a.signals[1]);
    equal("expirations", told, a.told + a.told_by_events);
    equal("submits", (after.all[0] - before.all[0]).raised, a.submits);
    return a.first_note.empty() ? wrong : a.first_note;
}

} // namespace sigev_tests::teardown
