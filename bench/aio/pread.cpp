// The floor: pread(), which waits.
#include "aio/cases.hpp"
#include "support/contestant.hpp"

namespace {

using namespace sigev_bench;

class plain {
public:
    explicit plain(std::size_t) {}
    void read(std::size_t, int fd, char* page, std::size_t at)
    {
        unless(::pread(fd, page, page_size, static_cast<off_t>(at)) == page_size, "pread");
    }
    void wait(std::size_t) {}
};

} // namespace

int main(int argc, char** argv)
{
    return compete(
        argc, argv,
        {{"suspend", rounds_of<plain, cached_reads>},
         {"direct", rounds_of<plain, direct_reads>},
         {"tmpfs", rounds_of<plain, memory_reads>}});
}
