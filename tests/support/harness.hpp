// What the parts of the harness know of each other; tests include support.hpp.
#pragma once

#include <boost/test/unit_test.hpp>

namespace sigev_tests {

/// True once the running case has ended itself with skip().
bool skipped();

/// The label in which a case carries its deadline, followed by the seconds.
inline constexpr char deadline_label[] = "deadline=";

/// Puts the checks of case_checks.cpp around every case below `suite`.
void check_every_case(const boost::unit_test::test_suite& suite);

} // namespace sigev_tests
