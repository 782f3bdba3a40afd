// sigev_submit(), through libsigev.so, to one subscription that all producers share, on the dispatcher of a caller's
// io_context. Each record is a call of a SIGEV_CALLBACK function, which asks for its notification; the ledger is read at the
// end, and a record that has merged or got lost makes the repetition a failure.
#include "dispatch/cases.hpp"
#include "support/contestant.hpp"

#include <sigev.h>
#include <sigev/dispatcher.hpp>
#include <sigev/subscription.hpp>
#include <sigev/target.hpp>

#include <boost/asio/io_context.hpp>

#include <limits>

namespace {

using namespace sigev_bench;

// A record is counted while its call still runs, and given back when that is over: so one more than are under way, and some.
constexpr std::size_t spare = 64;

class carrier {
public:
    carrier(unsigned, std::size_t records, counters& c)
        : counters_(c), subscription_(
                            dispatcher_, sigev::target::callback(&called, static_cast<void*>(this)),
                            static_cast<std::uint32_t>(records + spare))
    {
    }

    void run()
    {
        context_.run();
        const sigev::ledger l = subscription_.ledger();
        unless(l.raised == counters_.total() && l.merged == 0, "records have merged, or were lost");
    }

    void submit(unsigned producer) { unless(::sigev_submit(subscription_.native_handle(), producer, 0) == 0, "sigev_submit"); }

private:
    static void called(sigval value)
    {
        auto& self = *static_cast<carrier*>(value.sival_ptr);
        self.counters_.count(static_cast<std::size_t>(::sigev_current()->data));
        if (self.counters_.complete())
            self.context_.stop();
    }

    counters& counters_;
    boost::asio::io_context context_{1};
    sigev::dispatcher dispatcher_{context_};
    sigev::subscription subscription_;
};

/// Millions a second of notifications that find the one record on its way, and the loop busy elsewhere.
double merged(std::uint64_t)
{
    struct receiver {
        std::uint64_t calls = 0;
        static void called(sigval value) { ++static_cast<receiver*>(value.sival_ptr)->calls; }
    } r;
    pin_to(processor_of(1));
    boost::asio::io_context context{1};
    sigev::dispatcher dispatcher(context);
    const sigev::subscription s(dispatcher, sigev::target::callback(&receiver::called, static_cast<void*>(&r)), 1);
    const sigev_t handle = s.native_handle();
    unless(::sigev_submit(handle, 0, 0) == 0, "sigev_submit");
    const double nanoseconds = each([handle] { ::sigev_submit(handle, 1, 0); });
    while (context.poll() != 0) {
    }
    const sigev::ledger l = s.ledger();
    unless(r.calls == 2 && l.delivered == 2 && l.raised == l.delivered + l.merged, "posts have not merged, or were lost");
    return 1e3 / nanoseconds;
}

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"one", throughput<carrier, 1>},
         {"two", throughput<carrier, 2>},
         {"four", throughput<carrier, 4>},
         {"merged", merged}});
}
