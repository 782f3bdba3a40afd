// Peer: boost::asio::thread_pool with one thread.
#include "methods/cases.hpp"
#include "support/contestant.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace {

using namespace sigev_bench;

class pool {
public:
    static constexpr std::uint64_t window = 4096;

    explicit pool(void (*function)(sigval))
        : function_(function)
    {
    }
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;
    ~pool() { threads_.join(); }

    void notify()
    {
        boost::asio::post(threads_, [function = function_] { function({}); });
    }
    void finish(std::uint64_t) {}

private:
    void (*function_)(sigval);
    boost::asio::thread_pool threads_{1};
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"thread", bulk<pool>},
         {"thread.onecore", bulk_onecore<pool>},
         {"cycle.onecore", cycle_onecore<pool>},
         {"cycle.across", cycle_across<pool>}});
}
