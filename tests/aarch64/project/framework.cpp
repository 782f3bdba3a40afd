// Boost.Test itself: the host's is a library for the host's processor.
#define BOOST_TEST_NO_MAIN
#include <boost/test/included/unit_test.hpp>
