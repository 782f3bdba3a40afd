// The kqueues alone: subscriptions are played by a port that keeps account of what becomes of their deliveries.
#pragma once

#include "spi/kqueue_port.hpp"
#include "support/support.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <fstream>
#include <functional>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/types.h>
#include <vector>

namespace kqueue_tests {

namespace spi = sigev::spi;

struct parcel;

/// A delivery of the tests' own, which says what it belongs to.
struct slip : spi::delivery {
    explicit slip(parcel& p) : of(p) {}
    parcel& of;
};

struct parcel : slip {
    parcel() : slip(*this) {}
    sigev_notification notification{};
    bool cancelled = false;
    int more = 0; ///< how often end() says that more was merged meanwhile
    std::atomic<int> begun = 0, ended = 0, dropped = 0;
};

/// What is left of a request: its memory, which the kqueue frees, but for the parcel.
struct noted : spi::note_room, slip {
    noted(parcel& p, spi::delivery_port& port, void* udata) : note_room{&port, udata, {}}, slip(p) {}
};

inline parcel& parcel_of(spi::delivery& d) { return static_cast<slip&>(d).of; }

class account final : public spi::delivery_port {
public:
    bool begin(spi::delivery& d, sigev_notification& out) noexcept override
    {
        parcel& p = parcel_of(d);
        if (p.cancelled)
            return false;
        ++p.begun;
        out = p.notification;
        return true;
    }
    bool end(spi::delivery& d, spi::verdict v) noexcept override
    {
        parcel& p = parcel_of(d);
        const bool again = p.more > 0 && p.more-- > 0;
        if (ended)
            ended(p);
        ++(v == spi::verdict::delivered ? p.ended : p.dropped); // last: who sees it may free the parcel
        return again;
    }
    void drop(spi::delivery& d) noexcept override { ++parcel_of(d).dropped; }

    std::function<void(parcel&)> ended; ///< what a subscription does that ends with its delivery
};

/// True when poll() calls the descriptor readable.
inline bool readable(int descriptor)
{
    pollfd watched{descriptor, POLLIN, 0};
    return ::poll(&watched, 1, 0) == 1 && (watched.revents & POLLIN);
}

/// True once the thread sleeps in the kernel.
inline bool asleep(pid_t tid)
{
    std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(')');
    return end != std::string::npos && line.size() > end + 2 && line[end + 2] == 'S';
}

struct fixture {
    account port;
    std::deque<parcel> parcels;
    std::unique_ptr<spi::kqueue_port> all = spi::make_kqueues();
    int kq = all->open();

    fixture() { BOOST_TEST_REQUIRE(kq >= 0); }

    spi::knote* attach(int source, std::uint64_t ident, unsigned flags = 0, std::uintptr_t udata = 0)
    {
        spi::knote* k = nullptr;
        BOOST_TEST_REQUIRE(all->attach(request(kq, source, ident, flags, udata), &k) == 0);
        return k;
    }

    /// The same, of a request.
    spi::pledge* promise(std::uint64_t aiocb, unsigned flags = 0)
    {
        spi::pledge* p = nullptr;
        BOOST_TEST_REQUIRE(all->promise(kq, aiocb, static_cast<std::uint16_t>(flags), &p) == 0);
        return p;
    }

    spi::knote_request request(
        int kqueue, int source, std::uint64_t ident, unsigned flags = 0, std::uintptr_t udata = 0)
    {
        return {
            .kqueue = kqueue,
            .source = source,
            .ident = ident,
            .udata = reinterpret_cast<void*>(udata),
            .flags = static_cast<std::uint16_t>(flags),
            .port = port};
    }

    /// A parcel that says `data` as data and as error.
    parcel& make(int data)
    {
        parcel& p = parcels.emplace_back();
        p.notification.data = data;
        p.notification.error = data;
        return p;
    }

    parcel& post(spi::knote* k, int data)
    {
        parcel& p = make(data);
        BOOST_TEST_REQUIRE(all->post(*k, p));
        return p;
    }

    parcel& post(spi::pledge* request, int data, std::uintptr_t udata = 0)
    {
        parcel& p = make(data);
        BOOST_TEST_REQUIRE(take(request, p, udata));
        return p;
    }

    /// It is posted, or has come too late and is given up.
    bool take(spi::pledge* request, parcel& p, std::uintptr_t udata = 0)
    {
        auto n = std::make_unique<noted>(p, port, reinterpret_cast<void*>(udata));
        if (all->post(*request, *n, *n)) {
            (void)n.release();
            return true;
        }
        all->give_up(request);
        return false;
    }

    /// What can be retrieved at once, by one call.
    std::vector<sigev_kev> retrieve(int room = 64) { return retrieve_from(kq, room); }
    std::vector<sigev_kev> retrieve_from(int kqueue, int room = 64)
    {
        const timespec now{};
        std::vector<sigev_kev> events(static_cast<std::size_t>(room));
        const int n = all->kevent(kqueue, nullptr, 0, events.data(), room, &now);
        BOOST_TEST_REQUIRE(n >= 0);
        // Here, because it must hold at each point of each test: nothing found means nothing to be seen.
        if (n == 0)
            BOOST_TEST(!readable(kqueue));
        events.resize(static_cast<std::size_t>(n));
        return events;
    }

    std::vector<std::int64_t> retrieve_data(int room = 64)
    {
        std::vector<std::int64_t> data;
        for (const sigev_kev& e : retrieve(room))
            data.push_back(e.data);
        return data;
    }

    /// Applies one change and returns -errno or 0.
    int change(std::uint64_t ident, int filter, unsigned flags)
    {
        sigev_kev c{};
        c.ident = ident;
        c.filter = static_cast<std::int16_t>(filter);
        c.flags = static_cast<std::uint16_t>(flags);
        return all->kevent(kq, &c, 1, nullptr, 0, nullptr);
    }
};

using data = std::vector<std::int64_t>;

} // namespace kqueue_tests
