# ctest is given the cases of PROGRAM as the build gives it any folder's, and must tell a pass, a failure, a skip, a
# case past its deadline, and a program that is not there from each other.
cmake_minimum_required(VERSION 3.25)
file(MAKE_DIRECTORY ${SCRATCH})
file(
    WRITE ${SCRATCH}/CTestTestfile.cmake
    "set(program [==[${PROGRAM}]==])
set(prefix broken@variant)
set(environment \"SIGEV_TESTS_ONE=a b;SIGEV_TESTS_TWO=c\")
include([==[${ADD_CASES}]==])
set(program [==[${SCRATCH}/not built]==])
set(prefix absent)
include([==[${ADD_CASES}]==])
")
execute_process(
    COMMAND ${CTEST} --test-dir ${SCRATCH} --exclude-regex leaves_a_thread
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output
    RESULT_VARIABLE result)

foreach(
    expected
    "broken@variant.broken.does_nothing_wrong [.]+ +Passed"
    "broken@variant.broken.sees_its_environment [.]+ +Passed"
    "broken@variant.broken.leaks_a_descriptor [.]+[*]+Failed"
    "broken@variant.broken.crashes [.]+[*]+Exception: Child aborted|broken@variant.broken.crashes [.]+Subprocess aborted[*]+Exception"
    "broken@variant.broken.skips [.]+[*]+Skipped"
    "broken@variant.broken.hangs [.]+[*]+Timeout"
    "absent.lists_its_cases [.]+[*]+Not Run"
    "broken.skips [(]Skipped[)]")
    if(NOT output MATCHES "${expected}")
        message(SEND_ERROR "no line like: ${expected}")
        set(show_output ON)
    endif()
endforeach()
if(result EQUAL 0)
    message(SEND_ERROR "ctest passed a run with failures")
endif()
if(show_output)
    message("${output}")
endif()
