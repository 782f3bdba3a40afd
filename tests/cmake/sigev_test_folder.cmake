# sigev_test_folder(NAME name SOURCES file... [LIBRARIES target...])
#   One executable, <name>_test, from the files of a folder. Each of its cases is a ctest test of its own, in a
#   process of its own, with a deadline, named <name>.<suite>.<case>.
#
#   LIBRARIES is sigev::sigev for tests through the public API, or sigev_objects for tests of the insides; never
#   both, as that would be two libraries in one process. With either, the ledgers are checked after every case.
#
# sigev_test_variant(NAME name VARIANT variant ENVIRONMENT variable=value... [CASES regex])
#   The same executable's cases once more with these variables set, as <name>@<variant>.<suite>.<case>; or those of them that
#   match, as suite/case.

function(sigev_test_folder)
    cmake_parse_arguments(arg "" "NAME" "SOURCES;LIBRARIES" ${ARGN})
    set(program sigev_test_${arg_NAME})
    add_executable(${program} ${arg_SOURCES})
    set_target_properties(${program} PROPERTIES OUTPUT_NAME ${arg_NAME}_test C_STANDARD 17 CXX_EXTENSIONS OFF)
    target_link_libraries(${program} PRIVATE ${arg_LIBRARIES} sigev_options sigev_test_support)
    if("sigev::sigev" IN_LIST arg_LIBRARIES OR "sigev_objects" IN_LIST arg_LIBRARIES)
        target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/library_check.cpp)
    endif()
    sigev_register_cases(${program} ${arg_NAME} "" "")
endfunction()

function(sigev_test_variant)
    cmake_parse_arguments(arg "" "NAME;VARIANT;CASES" "ENVIRONMENT" ${ARGN})
    sigev_register_cases(sigev_test_${arg_NAME} ${arg_NAME}@${arg_VARIANT} "${arg_ENVIRONMENT}" "${arg_CASES}")
endfunction()

# ctest itself asks the program for its cases each time it starts, so the list is never older than the program.
function(sigev_register_cases program prefix environment wanted)
    set(list ${CMAKE_CURRENT_BINARY_DIR}/${prefix}.cases.cmake)
    file(
        GENERATE
        OUTPUT ${list}
        CONTENT
            "set(program [==[$<TARGET_FILE:${program}>]==])
set(prefix [==[${prefix}]==])
set(environment [==[${environment}]==])
set(wanted [==[${wanted}]==])
include([==[${PROJECT_SOURCE_DIR}/tests/cmake/add_cases.cmake]==])
")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${list})
endfunction()
