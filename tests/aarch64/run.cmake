# Runs each case of PROGRAM that matches WANTED under EMULATOR, in a process of its own; there are at least FEWEST.
execute_process(
    COMMAND ${EMULATOR} ${PROGRAM} --list-cases
    RESULT_VARIABLE status
    OUTPUT_VARIABLE cases)
string(REGEX MATCHALL "[^\n]+" cases "${cases}")
if(NOT status EQUAL 0 OR NOT cases)
    message(FATAL_ERROR "${PROGRAM} does not list its cases: ${status}")
endif()
set(passed 0)
set(skipped 0)
set(failed)
foreach(line IN LISTS cases)
    string(REGEX REPLACE " [0-9]+$" "" case "${line}")
    if(NOT case MATCHES "${WANTED}")
        continue()
    endif()
    execute_process(
        COMMAND ${EMULATOR} ${PROGRAM} --run_test=${case}
        RESULT_VARIABLE status
        OUTPUT_VARIABLE said
        ERROR_VARIABLE said
        TIMEOUT 120)
    if(status EQUAL 0)
        math(EXPR passed "${passed} + 1")
    elseif(status EQUAL 77)
        math(EXPR skipped "${skipped} + 1")
        string(REGEX MATCH "SKIPPED: [^\n]*" why "${said}")
        message("${case}: ${why}")
    else()
        list(APPEND failed ${case})
        message("${case}: ${status}\n${said}")
    endif()
endforeach()
message("aarch64: ${passed} cases passed, ${skipped} skipped, failed: ${failed}")
if(failed OR passed LESS FEWEST)
    message(FATAL_ERROR "a case failed, or fewer than ${FEWEST} passed")
endif()
