# cmake -D LIBRARY=... -D "COMMAND=program|argument|..." -D STATUS=n [-D OUTPUT=regex] [-D FOLDER=...] -P expect.cmake
# Runs the command with LIBRARY preloaded (nothing where it is empty), in a folder of its own: it has to end with this status
# and, where OUTPUT is given, to say this. Status 4 stands for a condition that cannot be had here.
cmake_minimum_required(VERSION 3.25)
string(REPLACE "|" ";" command "${COMMAND}")
set(environment)
if(LIBRARY)
    set(environment LD_PRELOAD=${LIBRARY})
endif()
if(VARIABLE)
    list(APPEND environment ${VARIABLE})
endif()
if(FOLDER)
    file(REMOVE_RECURSE ${FOLDER})
    file(MAKE_DIRECTORY ${FOLDER})
else()
    set(FOLDER .)
endif()
# The command is cmake's child and not cmake's: its environment is set behind cmake's own start.
execute_process(
    COMMAND ${CMAKE_COMMAND} -E env ${environment} ${command}
    WORKING_DIRECTORY ${FOLDER}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE errors)
if(status EQUAL 4 AND NOT STATUS EQUAL 4)
    message("SKIPPED: ${output}${errors}")
    return()
endif()
if(NOT "${status}" STREQUAL "${STATUS}")
    message(SEND_ERROR "it ended with ${status}, not with ${STATUS}:\n${output}${errors}")
endif()
if(DEFINED OUTPUT AND NOT output MATCHES "${OUTPUT}")
    message(SEND_ERROR "it did not say ${OUTPUT} but:\n${output}${errors}")
endif()
