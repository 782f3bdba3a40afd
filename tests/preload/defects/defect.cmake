# cmake -D PROGRAM=... -D LIBRARY=... -D "SHOWN=a.1 b.2" -D "KEPT=c.3" -D "HELD=d.4" -P defect.cmake
# Tries rules of PROGRAM (tests/conformance) on libc and with LIBRARY preloaded: SHOWN fail there and pass here, KEPT pass both
# times, HELD pass here.
cmake_minimum_required(VERSION 3.25)
separate_arguments(SHOWN)
separate_arguments(KEPT)
separate_arguments(HELD)

# 0 pass, 1 fail; 4 and 5: it cannot be tried here.
function(try id environment status_variable)
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env ${environment} ${PROGRAM} ${id}
        RESULT_VARIABLE status
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output)
    string(STRIP "${output}" output)
    message(STATUS "${id} ${environment}: ${output}")
    set(${status_variable} ${status} PARENT_SCOPE)
endfunction()

set(untried)
foreach(id IN LISTS SHOWN KEPT HELD)
    try(${id} "" libc)
    try(${id} LD_PRELOAD=${LIBRARY} preloaded)
    if(libc EQUAL 4 OR libc EQUAL 5 OR preloaded EQUAL 4 OR preloaded EQUAL 5)
        list(APPEND untried ${id})
        continue()
    endif()
    if(NOT preloaded EQUAL 0)
        message(FATAL_ERROR "${id} fails with the library preloaded")
    elseif(id IN_LIST SHOWN AND NOT libc EQUAL 1)
        message(FATAL_ERROR "${id}: libc does not show the defect, status ${libc}")
    elseif(id IN_LIST KEPT AND NOT libc EQUAL 0)
        message(FATAL_ERROR "${id}: libc breaks it, status ${libc}")
    endif()
endforeach()
if(untried)
    message("SKIPPED: cannot be tried here: ${untried}")
endif()
