# cmake -D LIBRARY=... -D "COMMAND=program|argument|..." -D STATUS=n [-D OUTPUT=regex] [-D FOLDER=...] [-D "USES=..."]
# -P expect.cmake
# Runs the command with LIBRARY preloaded (nothing where it is empty), in a folder of its own: it has to end with this status
# and, where OUTPUT is given, to say this; with -D COMPARED=ON it has to do so without the library as well. Status 4 stands for
# a condition that cannot be had here. USES: see uses.cmake.
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
if(COMPARED)
    execute_process(
        COMMAND ${command}
        WORKING_DIRECTORY ${FOLDER}
        RESULT_VARIABLE status
        OUTPUT_VARIABLE output
        ERROR_VARIABLE errors)
    if(NOT status EQUAL 4 AND NOT "${status}" MATCHES "^(${STATUS})$")
        message(SEND_ERROR "on libc it ended with ${status}, not with ${STATUS}:\n${output}${errors}")
    endif()
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
if(NOT "${status}" MATCHES "^(${STATUS})$")
    message(SEND_ERROR "it ended with ${status}, not with ${STATUS}:\n${output}${errors}")
endif()
if(DEFINED OUTPUT AND NOT output MATCHES "${OUTPUT}")
    message(SEND_ERROR "it did not say ${OUTPUT} but:\n${output}${errors}")
endif()
if(USES)
    include(${CMAKE_CURRENT_LIST_DIR}/uses.cmake)
    look_at_uses(${FOLDER}/statistics "${USES}")
endif()
