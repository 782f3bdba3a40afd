# sigev_test_folder(NAME name SOURCES file... [LIBRARIES target...])
#   One executable, <name>_test, from the files of a folder. Each of its cases is a ctest test of its own, in a
#   process of its own, with a deadline, named <name>.<suite>.<case>.
#
#   LIBRARIES is sigev::sigev for tests through the public API, or sigev_objects for tests of the insides; never
#   both, as that would be two libraries in one process. With either, the ledgers are checked after every case.
#
# sigev_test_fallback(FORCE name[,name...] FOLDERS folder... [SANITIZED folder...] [CASES regex])
#   The cases of these folders once more with SIGEV_FORCE set, as <folder>@<name>_<name>.<suite>.<case>; or those of them that
#   match, as suite/case. SANITIZED are the folders where the code of the fallback itself is at work; the others are left out
#   of a build with SIGEV_SANITIZED.
#
# sigev_test_left_out(name reason)
#   In place of tests that this build has not: one that is skipped, so that it is seen and counted.

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

function(sigev_test_fallback)
    cmake_parse_arguments(arg "" "FORCE;CASES" "FOLDERS;SANITIZED" ${ARGN})
    string(REPLACE "," "_" variant ${arg_FORCE})
    foreach(folder IN LISTS arg_FOLDERS)
        if(SIGEV_SANITIZED AND NOT folder IN_LIST arg_SANITIZED)
            sigev_test_left_out(${folder}@${variant} "a sanitizer sees the code of this fallback in other folders")
        else()
            sigev_register_cases(sigev_test_${folder} ${folder}@${variant} SIGEV_FORCE=${arg_FORCE} "${arg_CASES}")
        endif()
    endforeach()
endfunction()

function(sigev_test_left_out name reason)
    add_test(NAME ${name}.left_out COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: ${reason}")
    set_tests_properties(${name}.left_out PROPERTIES SKIP_REGULAR_EXPRESSION "^SKIPPED: ")
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
