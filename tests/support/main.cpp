// One process of ctest runs one case: `program --run_test=suite/case`. `program --list-cases` tells ctest, in lines
// of "suite/case deadline", which there are.
#include "harness.hpp"
#include "support.hpp"

#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

namespace {

namespace bt = boost::unit_test;

constexpr int exit_skipped = 77; // what ctest is told to count as skipped
constexpr int usual_deadline = 60; // seconds

bool init() {
    sigev_tests::check_every_case(bt::framework::master_test_suite());
    return true;
}

class lister : public bt::test_tree_visitor {
public:
    bool found = false;

private:
    void visit(const bt::test_case& unit) override {
        if (unit.p_default_status == bt::test_unit::RS_DISABLED)
            return;
        found = true;
        std::cout << unit.full_name() << ' ' << sigev_tests::slowness * deadline_of(unit) << '\n';
    }

    /// Its own, or that of the suite around it which is nearest.
    static int deadline_of(const bt::test_unit& unit) {
        const std::string key = sigev_tests::deadline_label;
        for (const auto& label : unit.p_labels.get())
            if (label.starts_with(key))
                return std::stoi(label.substr(key.size()));
        const bt::test_unit_id parent = unit.p_parent_id;
        return parent == bt::INV_TEST_UNIT_ID ? usual_deadline : deadline_of(bt::framework::get(parent, bt::TUT_SUITE));
    }
};

int list_cases(char* program) {
    char* arguments[] = {program, nullptr};
    bt::framework::init(init, 1, arguments);
    bt::framework::finalize_setup_phase();
    lister visitor;
    bt::traverse_test_tree(bt::framework::master_test_suite(), visitor, true);
    return visitor.found ? 0 : 1;
}

/// Boost.Test is to leave signals alone: they are what is tested, and a crash shows better in the exit status.
/// Each can be overruled from outside.
void set_defaults() {
    setenv("BOOST_TEST_CATCH_SYSTEM_ERRORS", "no", 0);
    setenv("BOOST_TEST_USE_ALT_STACK", "no", 0);
    setenv("BOOST_TEST_COLOR_OUTPUT", "no", 0);
    setenv("BOOST_TEST_LOG_LEVEL", "message", 0);
}

} // namespace

int main(int argc, char** argv) {
    set_defaults();
    if (argc == 2 && std::strcmp(argv[1], "--list-cases") == 0)
        return list_cases(argv[0]);
    const int status = bt::unit_test_main(init, argc, argv);
    return status == 0 && sigev_tests::skipped() ? exit_skipped : status;
}
