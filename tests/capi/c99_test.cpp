// Runs what c99_test.c does with the header in C99.
#include "support/support.hpp"

#include <string>

extern "C" const char* sigev_c99_run(void);

BOOST_AUTO_TEST_SUITE(c99)

BOOST_AUTO_TEST_CASE(the_whole_header_is_used_from_c99) {
    const char* const failed = sigev_c99_run();
    BOOST_TEST(std::string(failed ? failed : "") == "");
}

BOOST_AUTO_TEST_SUITE_END()
