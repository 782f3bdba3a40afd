// What a forked child may do, and what the parent hears afterwards: of 200 posts all 200, by everything that is ours.
//
// A forked child shares its parent's epoll set. With Asio alone four things that a child does make the parent deaf, or take
// from it what it was to hear; `to_asio` is what was seen of each row with Boost 1.81, and that suite fails when another
// release does otherwise. Each kind of subject.hpp is a suite, each row is a case in it. The rows of "main() returns" stand in
// main_returns.cpp: there main() is the test's own.
#include "companion.hpp"
#include "subject.hpp"

#include <sigev.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace sigev_tests {

namespace {

constexpr unsigned posts = 200;

// Static, so that exit() destroys it. In the child, it is the copy of the parent's.
std::unique_ptr<subject> at;

/// The child's side of a case.
class scene {
public:
    scene(const kind& k, companion::link& parent) : kind_(k), parent_(parent), heard_by_parent_(at->heard()) {}

    [[noreturn]] void stay() const
    {
        parent_.stay([](child_report&) {});
    }
    /// Runs what it has inherited.
    [[noreturn]] void run() const
    {
        parent_.stay([this](child_report& r) {
            at->turn();
            r.taken = at->heard() - heard_by_parent_;
        });
    }
    /// The same, and posts to itself. (To an eventfd of the parent's it would be the parent that it posts to.)
    [[noreturn]] void run_as_its_own() const
    {
        unsigned own = 0;
        parent_.stay([&](child_report& r) {
            at->turn();
            r.taken = at->heard() - heard_by_parent_ - own;
            if (kind_.is_ours() && !at->hears([] {}))
                ++r.broken;
            else
                own += kind_.is_ours();
        });
    }
    [[noreturn]] void use_another() const
    {
        const auto other = kind_.make();
        parent_.stay([&](child_report& r) { r.broken += !other->hears([] {}); });
    }

private:
    const kind& kind_;
    companion::link& parent_;
    unsigned heard_by_parent_;
};

enum class parent {
    hears,
    is_deaf,   ///< its registration is gone
    is_robbed, ///< the child has had it all
    is_promised_nothing,
};

enum row_traits : unsigned {
    notifies = 1,           ///< the parent, too: Asio's sequence around the fork
    uses_the_library = 2,   ///< in the child
    posts_to_itself = 4,    ///< and does that
    breaks_asios_rule = 8,  ///< then what is on a context of the program's is not promised to hear
};

struct row {
    const char* child;
    parent to_asio;
    void (*act)(scene&);
    unsigned traits = 0;
};

void shut_down()
{
    if (sigev_shutdown() != 0)
        throw std::runtime_error("sigev_shutdown");
}

constexpr auto forked = boost::asio::execution_context::fork_child;

const row table[] = {
    // the four
    {"exits_with_it_in_a_static", parent::is_deaf, [](scene&) { std::exit(0); }},
    {"closes_it", parent::is_deaf, [](scene& s) { at->close(), s.stay(); }},
    {"releases_it", parent::is_deaf, [](scene& s) { at->release(), s.stay(); }},
    {"notifies_the_context_and_runs_it", parent::is_robbed, [](scene& s) { at->notify(forked), s.run_as_its_own(); },
     notifies | uses_the_library | posts_to_itself},
    // and as bad
    {"destroys_it_and_its_context", parent::is_deaf, [](scene& s) { at.reset(), s.stay(); }},
    {"closes_it_and_then_exits", parent::is_deaf, [](scene&) { at->close(), std::exit(0); }},
    // harmless, also with Asio alone
    {"does_nothing_and_ends", parent::hears, [](scene&) { _exit(0); }},
    {"does_nothing_and_lives_on", parent::hears, [](scene& s) { s.stay(); }},
    {"executes_another_program", parent::hears, [](scene&) { execl("/bin/true", "true", nullptr), _exit(2); }},
    {"cancels", parent::hears, [](scene& s) { at->cancel(), s.stay(); }},
    {"starts_an_operation", parent::hears, [](scene& s) { at->start(), s.stay(); }},
    {"notifies_the_context", parent::hears, [](scene& s) { at->notify(forked), s.stay(); }, notifies | uses_the_library},
    {"notifies_the_context_and_closes", parent::hears, [](scene& s) { at->notify(forked), at->close(), s.stay(); },
     notifies | uses_the_library},
    {"notifies_the_context_and_destroys_it", parent::hears, [](scene& s) { at->notify(forked), at.reset(), s.stay(); },
     notifies | uses_the_library},
    {"uses_another_of_the_kind", parent::hears, [](scene& s) { s.use_another(); }, uses_the_library | posts_to_itself},
    {"shuts_the_library_down", parent::hears, [](scene& s) { shut_down(), s.stay(); }},
    // The child's Asio takes the parent's events out of the shared epoll set: fork.hpp tells the program not to.
    {"runs_the_context_without_notifying_it", parent::is_robbed, [](scene& s) { s.run(); }, breaks_asios_rule},
};

void skip_what_cannot_be_seen(const kind& k, const row& r)
{
    if (((r.traits & uses_the_library) && (k.traits & has_threads)) ||
        ((r.traits & posts_to_itself) && (k.traits & posts_from_a_thread)))
        need_threads_in_a_child();
}

parent expected_of(const kind& k, const row& r)
{
    if (!k.is_ours())
        return r.to_asio;
    return (r.traits & breaks_asios_rule) && (k.traits & on_a_context) ? parent::is_promised_nothing : parent::hears;
}

/// Of `posts`; may stop at the first that was missed.
unsigned heard_of(companion& child, bool stop)
{
    unsigned heard = 0;
    for (unsigned i = 0; i != posts; ++i) {
        bool in_time = true;
        if (at->hears([&] { in_time = child.turns() && in_time; }))
            ++heard;
        else if (stop)
            break;
        BOOST_REQUIRE_MESSAGE(in_time, "the child does not turn");
    }
    return heard;
}

void run(const kind& k, const row& r)
{
    skip_what_cannot_be_seen(k, r);
    const std::unique_ptr<void, void (*)(void*)> at_end(&at, [](void*) { at.reset(); });
    at = k.make();
    BOOST_REQUIRE(at->hears([] {}));
    if (r.traits & notifies)
        at->notify(boost::asio::execution_context::fork_prepare);
    companion child([&](companion::link& to_parent) {
        scene here(k, to_parent);
        r.act(here);
    });
    if (r.traits & notifies)
        at->notify(boost::asio::execution_context::fork_parent);
    BOOST_REQUIRE(child.has_acted());

    const parent expected = expected_of(k, r);
    const unsigned before = at->heard();
    const unsigned heard = heard_of(child, k.is_ours());
    BOOST_TEST_MESSAGE("the parent has heard " << heard << " of " << posts << " posts; the child: " << child.report());
    if (expected != parent::is_promised_nothing)
        BOOST_TEST(heard == (expected == parent::hears ? posts : 0));
    BOOST_TEST(at->heard() - before == heard); // and nothing else
    BOOST_TEST(child.report().taken == (expected == parent::is_robbed ? posts : 0));
    BOOST_TEST(child.report().broken == 0u);
    BOOST_TEST(child.end() == exited_well);
}

const bool added = [] {
    for (const kind& k : kinds_of_subject) {
        auto* const suite = BOOST_TEST_SUITE(k.name);
        for (const row& r : table)
            suite->add(boost::unit_test::make_test_case(
                [&k, &r] { run(k, r); }, std::string("child_") + r.child, __FILE__, __LINE__));
        boost::unit_test::framework::current_auto_test_suite().add(suite);
    }
    return true;
}();

} // namespace

} // namespace sigev_tests
