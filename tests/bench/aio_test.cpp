// bench_aio: the contestants in POSIX's calls can do all that they are asked, and a read that brought nothing, or something else, is
// no measurement.
#include "aio/cases.hpp"

#include "support/contestant_process.hpp"
#include "support/support.hpp"

#include <stdexcept>
#include <string>

using namespace sigev_bench;

namespace {

enum class fault { none, forgets, mistakes };

template <fault Fault>
class plain {
public:
    explicit plain(std::size_t) {}
    void read(std::size_t, int fd, char* page, std::size_t at)
    {
        if (Fault == fault::forgets && ++reads_ % 100 == 0)
            return;
        if (Fault == fault::mistakes && ++reads_ % 100 == 0)
            at = (at + page_size) % (pages * page_size);
        unless(::pread(fd, page, page_size, static_cast<off_t>(at)) == page_size, "pread");
    }
    void wait(std::size_t) {}

private:
    unsigned reads_ = 0;
};

struct own_files : files {
    own_files() : files{} { folder = "/tmp"; }
    own_files(const own_files&) = delete;
    own_files& operator=(const own_files&) = delete;
    ~own_files()
    {
        for (unsigned i = 0; i != how_many_cached; ++i)
            ::close(cached[i]);
    }
};

template <fault Fault>
double measured()
{
    own_files own;
    plain<Fault> contestant(32);
    const engine_calls calls = calls_of(contestant);
    return reads_of(&calls, cached_files(&own), 32, pages);
}

bool says_what_it_is(const std::runtime_error& e)
{
    return std::string(e.what()).find("something else") != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(aio)

BOOST_AUTO_TEST_CASE(ours_measures_all_that_it_is_asked_for)
{
    contestant_process ours(SIGEV_BENCH_AIO);
    for (const char* measure : {"suspend", "list", "signal", "thread", "kevent", "queued", "direct", "tmpfs", "write"})
        BOOST_TEST(ours.ask(measure, 32) > 0, measure);
    BOOST_TEST(ours.ask("inside", 32) > 50);
    BOOST_TEST(ours.ask("inside.direct", 1) < 50);
    BOOST_TEST(contestant_process(SIGEV_BENCH_AIO).ask("memory", 10'000) > 0);
}

BOOST_AUTO_TEST_CASE(that_of_the_host_measures_all_that_it_is_asked_for)
{
    contestant_process host(SIGEV_BENCH_AIO_HOST);
    for (const char* measure : {"suspend", "list", "signal", "thread", "direct", "tmpfs", "write"})
        BOOST_TEST(host.ask(measure, 32) > 0, measure);
}

BOOST_AUTO_TEST_CASE(that_of_musl_measures_all_that_it_is_asked_for)
{
    const std::string program = SIGEV_BENCH_AIO_MUSL;
    if (program.empty())
        sigev_tests::skip("musl-gcc was not there when this was configured");
    contestant_process musl(program);
    for (const char* measure : {"suspend", "signal", "thread"})
        for (const unsigned depth : {1, 32, 128})
            BOOST_TEST(musl.ask(measure, depth) > 0, measure);
}

BOOST_AUTO_TEST_CASE(reads_that_bring_what_was_written_are_measured)
{
    BOOST_TEST(measured<fault::none>() > 0);
}

BOOST_AUTO_TEST_CASE(one_that_brings_nothing_or_something_else_is_a_failure)
{
    BOOST_CHECK_EXCEPTION(measured<fault::forgets>(), std::runtime_error, says_what_it_is);
    BOOST_CHECK_EXCEPTION(measured<fault::mistakes>(), std::runtime_error, says_what_it_is);
}

BOOST_AUTO_TEST_SUITE_END()
