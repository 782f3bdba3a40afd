// Peer: the kernel's own aio, through libaio: io_submit() of one at a time, or of a batch, and io_getevents().
#include "aio/cases.hpp"
#include "support/contestant.hpp"

#include <libaio.h>

namespace {

using namespace sigev_bench;

template <bool Batch>
class engine {
public:
    explicit engine(std::size_t depth)
        : blocks_(depth), pointers_(depth), events_(depth)
    {
        unless(::io_setup(static_cast<int>(depth), &context_) == 0, "io_setup");
        for (std::size_t i = 0; i != depth; ++i)
            pointers_[i] = &blocks_[i];
    }
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() { ::io_destroy(context_); }

    void read(std::size_t i, int fd, char* page, std::size_t at)
    {
        ::io_prep_pread(&blocks_[i], fd, page, page_size, static_cast<long long>(at));
        if (!Batch)
            unless(::io_submit(context_, 1, &pointers_[i]) == 1, "io_submit");
    }
    void wait(std::size_t n)
    {
        const auto count = static_cast<long>(n);
        if (Batch)
            unless(::io_submit(context_, count, pointers_.data()) == count, "io_submit");
        unless(::io_getevents(context_, count, count, events_.data(), nullptr) == count, "io_getevents");
        for (std::size_t i = 0; i != n; ++i)
            unless(events_[i].res == page_size, "a request has failed");
    }

private:
    io_context_t context_ = nullptr;
    std::vector<iocb> blocks_;
    std::vector<iocb*> pointers_;
    std::vector<io_event> events_;
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"suspend", rounds_of<engine<false>, cached_reads>},
         {"list", rounds_of<engine<true>, cached_reads>},
         {"direct", rounds_of<engine<false>, direct_reads>}});
}
