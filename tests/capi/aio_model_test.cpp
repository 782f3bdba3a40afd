// Random sequences of calls from four threads, against a model: what each byte of the file is, how each request may have ended,
// and that each was told of once.
//
// A program is a list of steps for each thread, made from a seed. Threads share the file and its inode's order, and each works
// on a part of its own, where at most one request is under way on each region; so the model of a region is exact: a write has
// happened, whole, or was cancelled and has not. A program that fails is made smaller, by leaving steps out as long as it fails
// (each try several times, since threads are in it), and what is left is printed.
#include "aio_fixture.hpp"
#include "support/sanitizers.hpp"

#include <array>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

#include <sys/mman.h>

using namespace aio_tests;

namespace {

constexpr unsigned threads = 4, slots = 6, region = 4096;

enum class act { read, write, sync, cancel, cancel_all, wait, reopen, list, fork, count };

struct step {
    act what;
    unsigned slot, offset, size, flavour;
};

std::ostream& operator<<(std::ostream& out, const step& s) {
    static constexpr const char* names[] = {"read", "write", "sync", "cancel", "cancel_all", "wait", "reopen", "list", "fork"};
    return out << names[static_cast<int>(s.what)] << '(' << s.slot << ", " << s.offset << ", " << s.size << ", " << s.flavour
               << ')';
}

using program = std::array<std::vector<step>, threads>;

program make_program(unsigned seed, unsigned length, bool forks) {
    std::mt19937 random(seed);
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    program p;
    for (auto& steps : p)
        for (unsigned i = 0; i != length; ++i) {
            act what = static_cast<act>(below(static_cast<unsigned>(act::count)));
            if (what == act::fork && (!forks || below(8) != 0))
                what = act::write;
            const unsigned offset = below(region);
            steps.push_back({what, below(slots), offset, below(region - offset + 1), below(1u << 16)});
        }
    return p;
}

std::atomic<std::uint64_t> told, expected_told, submitted;

void count(sigval) { ++told; }

/// One thread's part of a program, and its model.
class actor {
public:
    actor(int base, unsigned number) : base_(base), first_(number * slots), file_(fcntl(base, F_DUPFD_CLOEXEC, 0)) {
        for (unsigned i = 0; i != slots; ++i)
            all_[i].content = std::string(region, static_cast<char>('a' + number));
    }
    ~actor() { close(file_); }

    void run(const std::vector<step>& steps) {
        for (at_ = 0; at_ != steps.size() && failure.empty(); ++at_)
            take(steps[at_]);
        for (one& o : all_)
            end(o);
    }

    /// After run(), when nobody is at work.
    void compare() {
        std::string there(region, '\0');
        for (unsigned i = 0; i != slots; ++i)
            if (pread(base_, there.data(), region, place(i)) != region || there != all_[i].content)
                fail("a region differs from the model");
    }

    std::string failure;

private:
    struct one {
        std::unique_ptr<aiocb> cb = std::make_unique<aiocb>();
        act what = act::wait; ///< none is under way
        std::string content, data;
        unsigned offset = 0;
    };

    off_t place(unsigned slot) const { return off_t{first_ + slot} * region; }

    void fail(const std::string& why) {
        if (failure.empty())
            failure = why + " at step " + std::to_string(at_);
    }

    void prepare(one& o, const step& s) {
        end(o);
        o.what = s.what == act::list ? (s.flavour & 1 ? act::read : act::write) : s.what;
        o.offset = s.offset;
        o.data.assign(o.what == act::sync ? 0 : s.size, static_cast<char>('A' + s.flavour % 26));
        *o.cb = make(file_, o.data.data(), o.data.size(), place(static_cast<unsigned>(&o - all_.data())) + s.offset);
        o.cb->aio_lio_opcode = o.what == act::read ? LIO_READ : LIO_WRITE;
        if (s.flavour & 2) {
            o.cb->aio_sigevent.sigev_notify = SIGEV_CALLBACK;
            o.cb->aio_sigevent.sigev_notify_function = count;
            ++expected_told;
        }
        ++submitted;
    }

    void take(const step& s) {
        one& o = all_[s.slot];
        switch (s.what) {
        case act::read:
        case act::write:
        case act::sync:
            prepare(o, s);
            if ((s.what == act::read    ? sigev_aio_read(o.cb.get())
                 : s.what == act::write ? sigev_aio_write(o.cb.get())
                                        : sigev_aio_fsync(s.flavour & 1 ? O_SYNC : O_DSYNC, o.cb.get())) != 0)
                fail("a request was refused");
            break;
        case act::list: {
            aiocb* list[] = {nullptr, nullptr, nullptr};
            for (unsigned i = 0; i != 2; ++i) {
                one& of = all_[(s.slot + i) % slots];
                prepare(of, s);
                list[i] = of.cb.get();
            }
            const int wait = s.flavour & 4 ? LIO_WAIT : LIO_NOWAIT;
            // EIO: another thread has this number's open file too by now, and has cancelled all on it.
            if (sigev_lio_listio(wait, list, 3, nullptr) != 0 &&
                !(errno == EIO && (sigev_aio_error(list[0]) == ECANCELED || sigev_aio_error(list[1]) == ECANCELED)))
                fail("a list was refused, or one of it failed");
            if (wait == LIO_WAIT && (sigev_aio_error(list[0]) == EINPROGRESS || sigev_aio_error(list[1]) == EINPROGRESS))
                fail("a list was waited for, and goes on");
            break;
        }
        case act::cancel:
            if (o.what == act::wait || o.cb->aio_fildes != file_)
                break;
            switch (sigev_aio_cancel(file_, o.cb.get())) {
            case AIO_CANCELED:
                if (sigev_aio_error(o.cb.get()) != ECANCELED)
                    fail("cancelled, and the status is another one");
                break;
            case AIO_ALLDONE:
                if (sigev_aio_error(o.cb.get()) == EINPROGRESS)
                    fail("done, and in progress");
                break;
            case AIO_NOTCANCELED: break;
            default: fail("cancel failed");
            }
            break;
        case act::cancel_all:
            if (sigev_aio_cancel(file_, nullptr) < 0)
                fail("cancel failed");
            break;
        case act::wait: end(o); break;
        case act::reopen: // what is under way stays where it is
            close(file_);
            file_ = fcntl(base_, F_DUPFD_CLOEXEC, 0);
            break;
        case act::fork: fork_and_read(o, s.slot); break;
        case act::count: break;
        }
    }

    // The request of this region is over: did it do what it says?
    void end(one& o) {
        const act what = std::exchange(o.what, act::wait);
        if (what == act::wait)
            return;
        if (!waited_for(*o.cb))
            return fail("a request never ends");
        const int error = sigev_aio_error(o.cb.get());
        const ssize_t result = sigev_aio_return(o.cb.get());
        if (error == ECANCELED)
            return result == -1 ? void() : fail("cancelled, with a result");
        if (error != 0)
            return fail("errno " + std::to_string(error));
        if (result != static_cast<ssize_t>(o.data.size()))
            return fail("result " + std::to_string(result));
        if (what == act::write)
            o.content.replace(o.offset, o.data.size(), o.data);
        if (what == act::read && o.content.compare(o.offset, o.data.size(), o.data) != 0)
            fail("read something else");
    }

    // The child's own requests work, and nothing of it reaches its parent.
    void fork_and_read(one& o, unsigned slot) {
        end(o);
        const child_end outcome = run_child(
            [&] {
                std::string there(region, '\0');
                aiocb cb = make(file_, there.data(), region, place(slot));
                cb.aio_lio_opcode = LIO_READ;
                aiocb* const list[] = {&cb};
                return sigev_lio_listio(LIO_WAIT, list, 1, nullptr) == 0 && there == o.content ? 0 : 1;
            },
            patience);
        if (!(outcome == exited_well))
            fail("a child's read");
    }

    const int base_;
    const unsigned first_;
    int file_;
    std::size_t at_ = 0;
    std::array<one, slots> all_;
};

/// Empty: the model agrees.
std::string run(const program& p) {
    descriptor file(memfd_create("sigev", MFD_CLOEXEC)); // a disk would do little else than fsync
    std::string text;
    for (unsigned i = 0; i != threads; ++i)
        text += std::string(region * slots, static_cast<char>('a' + i));
    if (write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return "no file";
    std::vector<std::unique_ptr<actor>> actors;
    std::vector<std::thread> running;
    for (unsigned i = 0; i != threads; ++i)
        actors.push_back(std::make_unique<actor>(file, i));
    for (unsigned i = 0; i != threads; ++i)
        running.emplace_back([&, i] { actors[i]->run(p[i]); });
    for (auto& t : running)
        t.join();
    for (auto& a : actors)
        a->compare();
    for (unsigned i = 0; i != threads; ++i)
        if (!actors[i]->failure.empty())
            return "thread " + std::to_string(i) + ": " + actors[i]->failure;
    if (!wait_until([] { return total().delivered == submitted && told == expected_told; }))
        return "the ledger, or the callbacks, do not add up";
    return {};
}

bool fails(const program& p, std::string& why) {
    for (int tries = 0; tries != 5; ++tries)
        if (std::string found = run(p); !found.empty()) {
            why = found;
            return true;
        }
    return false;
}

/// Leaves out what it fails without.
std::string shrink(program p, std::string why) {
    for (auto& steps : p)
        for (std::size_t part = steps.size(); part != 0; part /= 2)
            for (std::size_t from = 0; from + part <= steps.size();) {
                const std::vector<step> before = steps;
                steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(from),
                            steps.begin() + static_cast<std::ptrdiff_t>(from + part));
                if (!fails(p, why)) {
                    steps = before;
                    from += part;
                }
            }
    std::ostringstream out;
    out << why;
    for (unsigned i = 0; i != threads; ++i)
        for (const step& s : p[i])
            out << "\n  thread " << i << ": " << s;
    return out.str();
}

void many_programs(unsigned first_seed, int flags, bool forks) {
    choose(static_cast<std::uint32_t>(flags));
    const auto until = std::chrono::steady_clock::now() + milliseconds(2000);
    unsigned seed = first_seed;
    for (; std::chrono::steady_clock::now() < until; ++seed) {
        const program p = make_program(seed, 100, forks);
        const std::string why = run(p);
        if (!why.empty())
            BOOST_FAIL("seed " << seed << ": " << shrink(p, why));
    }
    BOOST_TEST_MESSAGE(seed - first_seed << " programs, " << submitted << " requests, " << told << " callbacks");
}

} // namespace

BOOST_AUTO_TEST_SUITE(aio_model)

BOOST_AUTO_TEST_CASE(any_program_agrees_with_the_model, *sigev_tests::deadline(120)) { many_programs(1, 0, false); }

BOOST_AUTO_TEST_CASE(any_program_agrees_with_the_model_when_nothing_is_over_inside_the_call, *sigev_tests::deadline(120)) {
    many_programs(1'000'000, SIGEV_AIO_ALWAYS_QUEUE, false);
}

BOOST_AUTO_TEST_CASE(any_program_that_forks_agrees_with_the_model, *sigev_tests::deadline(120)) {
    if (under_address_sanitizer || under_thread_sanitizer)
        skip("a sanitizer's allocator and threads do not survive a fork among threads at work");
    many_programs(2'000'000, SIGEV_AIO_ALWAYS_QUEUE, true);
}

BOOST_AUTO_TEST_SUITE_END()
