// bench_dropin: fio is run on the drop-in, and what it says is taken only if all of it went well.
#include "support/contestant_process.hpp"
#include "support/support.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace sigev_bench;

namespace {

/// A program called fio, the only one there is while this exists.
class fake_fio {
public:
    explicit fake_fio(const std::string& script) : path_(std::getenv("PATH"))
    {
        char name[] = "./fake-fio-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(name) != nullptr);
        folder_ = std::filesystem::absolute(name);
        if (!script.empty()) {
            std::ofstream(folder_ / "fio") << "#!/bin/sh\n" << script;
            BOOST_REQUIRE(::chmod((folder_ / "fio").c_str(), 0700) == 0);
        }
        ::setenv("PATH", folder_.c_str(), 1);
    }
    fake_fio(const fake_fio&) = delete;
    fake_fio& operator=(const fake_fio&) = delete;
    ~fake_fio()
    {
        ::setenv("PATH", path_.c_str(), 1);
        std::filesystem::remove_all(folder_);
    }

private:
    std::string path_;
    std::filesystem::path folder_;
};

std::string says(int error, int reads)
{
    return "echo 'note: something else'\necho '{\"jobs\":[{\"error\":" + std::to_string(error) +
           ",\"read\":{\"total_ios\":" + std::to_string(reads) + ",\"iops\":4250.0}}]}'\n";
}

double measured(const std::string& script)
{
    const fake_fio fio(script);
    return contestant_process(SIGEV_BENCH_DROPIN).ask("fio.d1", 10);
}

void fails(const std::string& script, const std::string& why)
{
    BOOST_CHECK_EXCEPTION(measured(script), no_value, [&](const no_value& e) {
        BOOST_TEST_MESSAGE(e.what());
        return std::string(e.what()).find(why) != std::string::npos;
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(dropin)

BOOST_AUTO_TEST_CASE(what_fio_says_is_taken)
{
    BOOST_TEST(measured(says(0, 7)) == 4.25);
}

BOOST_AUTO_TEST_CASE(fio_is_run_on_the_drop_in_and_asked_for_posixaio_at_the_depth)
{
    const std::string asked = "case \"$LD_PRELOAD:$*\" in */libsigev-posix.so:*--ioengine=posixaio*--iodepth=1\\ *) ;; "
                              "*) exit 9 ;; esac\n";
    BOOST_TEST(measured(asked + says(0, 7)) == 4.25);
}

BOOST_AUTO_TEST_CASE(what_went_wrong_is_no_measurement)
{
    fails(says(5, 7), "failed");
    fails(says(0, 0), "read nothing");
    fails(says(0, 7) + "exit 1\n", "status");
    fails(says(0, 7) + "kill -9 $$\n", "status");
    fails("exit 0\n", "says nothing");
}

BOOST_AUTO_TEST_CASE(where_there_is_no_fio_it_is_said)
{
    fails("", "absent");
}

BOOST_AUTO_TEST_CASE(starting_is_measured_with_and_without)
{
    contestant_process ours(SIGEV_BENCH_DROPIN);
    BOOST_TEST(ours.ask("start", 5) < 1000);
    BOOST_TEST(ours.ask("start.command", 5) < 1000);
}

BOOST_AUTO_TEST_SUITE_END()
