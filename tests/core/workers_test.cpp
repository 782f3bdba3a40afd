// Workers come when calls wait and leave when they have had none for a while; those that are reserved stay.
#include "core/registry.hpp"
#include "core/runtime.hpp"

#include "capi/fixture.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

using namespace sigev_tests;

namespace {

std::set<pid_t> workers() {
    std::set<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        if (std::ifstream(entry.path() / "comm") >> name && name == "sigev-worker")
            found.insert(std::stoi(entry.path().filename()));
    }
    return found;
}

/// Idle workers leave soon.
class impatient {
public:
    explicit impatient(milliseconds limit = milliseconds(20)) : before_(sigev::core::runtime::idle_time.exchange(slowness * limit)) {}
    impatient(const impatient&) = delete;
    impatient& operator=(const impatient&) = delete;
    ~impatient() { sigev::core::runtime::idle_time = before_; }

private:
    std::chrono::nanoseconds before_;
};

struct own_attributes {
    pthread_attr_t raw;
    own_attributes() {
        pthread_attr_init(&raw);
        pthread_attr_setstacksize(&raw, 256 << 10);
    }
    ~own_attributes() { pthread_attr_destroy(&raw); }
};

/// Subscriptions whose calls all run at once, each on a worker of its own, and are over.
class crowd {
public:
    crowd(const place& on, pthread_attr_t* attributes, unsigned n) : on_(on) {
        std::atomic<unsigned> inside{0};
        gate go;
        box_.inside = [&] {
            ++inside;
            (void)go.wait();
        };
        for (unsigned i = 0; i != n; ++i)
            all_.push_back(std::make_unique<subscription>(on, make_event(SIGEV_THREAD, mailbox::receive, &box_, attributes)));
        for (const auto& s : all_)
            s->submit();
        BOOST_REQUIRE(on.until([&] { return inside == n; }));
        BOOST_TEST(workers().size() >= n);
        go.open();
        BOOST_REQUIRE(on.until([&] { return std::all_of(all_.begin(), all_.end(), [](auto& s) { return s->delivered() == 1; }); }));
        box_.inside = nullptr;
    }

    /// One call, of one of them; the worker that ran it.
    pid_t call() {
        const auto before = all_[0]->delivered();
        all_[0]->submit();
        BOOST_REQUIRE(on_.until([&] { return all_[0]->delivered() == before + 1; }));
        return box_.thread;
    }
    void close() { all_.clear(); }

private:
    const place& on_;
    mailbox box_;
    std::vector<std::unique_ptr<subscription>> all_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(workers_come_and_go)

SIGEV_TEST_ON_BOTH(those_with_attributes_leave_and_the_reserved_one_stays_and_serves) {
    const impatient soon;
    own_attributes own;
    crowd all(on, &own.raw, 8);
    BOOST_TEST(wait_until([] { return workers().size() == 1; }));
    const auto last = workers();
    BOOST_TEST(!wait_until([] { return workers().empty(); }, slowness * milliseconds(100))); // five times as long
    for (int i = 0; i != 10; ++i)
        BOOST_TEST(last.count(all.call()) == 1u);
    BOOST_TEST(workers() == last);
    all.close();
    BOOST_TEST(wait_until([] { return workers().empty(); }));
}

SIGEV_TEST_ON_BOTH(those_of_the_default_attributes_leave_but_for_two) {
    const impatient soon;
    crowd all(on, nullptr, 8);
    BOOST_TEST(wait_until([] { return workers().size() == 2; }));
    const auto last = workers();
    BOOST_TEST(!wait_until([] { return workers().size() < 2; }, slowness * milliseconds(100)));
    for (int i = 0; i != 10; ++i)
        BOOST_TEST(last.count(all.call()) == 1u);
    BOOST_TEST(workers() == last);
}

// Who takes turns is never idle for long: so the one that came last is called first.
SIGEV_TEST_ON_BOTH(those_that_are_not_needed_leave_also_while_others_are) {
    const impatient soon(milliseconds(200));
    own_attributes own;
    for (pthread_attr_t* const with : {&own.raw, static_cast<pthread_attr_t*>(nullptr)}) {
        const auto before = workers().size();
        crowd all(on, with, 24);
        BOOST_TEST(wait_until([&] {
            for (int i = 0; i != 24; ++i) {
                all.call();
                wait_until([] { return false; }, milliseconds(1)); // its worker rests again
            }
            return workers().size() <= before + 3;
        }));
    }
}

// When a worker is needed again it is made again.
SIGEV_TEST_ON_BOTH(they_come_again) {
    const impatient soon;
    for (int i = 0; i != 5; ++i) {
        crowd all(on, nullptr, 6);
        BOOST_TEST(wait_until([] { return workers().size() == 2; }));
    }
}

BOOST_AUTO_TEST_SUITE_END()
