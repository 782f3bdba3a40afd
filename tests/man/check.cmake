# Runs MANDOC over src/*/man/*.[1-9] below ROOT. Which pages this machine has installed, and in which index, is no fault of
# a page that refers to them.
cmake_minimum_required(VERSION 3.25)
file(GLOB pages ${ROOT}/src/*/man/*.[1-9])
if(pages STREQUAL "")
    message(FATAL_ERROR "no manual page below ${ROOT}/src")
endif()
foreach(page IN LISTS pages)
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env MANPATH=${CMAKE_CURRENT_LIST_DIR} ${MANDOC} -T lint -W style ${page}
        OUTPUT_VARIABLE complaints
        ERROR_VARIABLE errors
        RESULT_VARIABLE result)
    string(REGEX REPLACE "[^\n]*STYLE: referenced manual not found[^\n]*\n" "" complaints "${complaints}")
    if(NOT complaints STREQUAL "" OR NOT errors STREQUAL "" OR result GREATER 4)
        message(SEND_ERROR "${page}: exit ${result}\n${complaints}${errors}")
    endif()
endforeach()
list(LENGTH pages count)
message(STATUS "${count} pages read")
