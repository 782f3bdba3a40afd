# cmake -D TOOL=... -D "COMMAND=program|argument|..." [-D "ENVIRONMENT=A=B|..."] -D STATUS=n [-D OUTPUT=regex]
#     -D "USES=..." -D FOLDER=... -P compare.cmake
# Runs the command as it is and once more behind `TOOL run --`, each in an empty folder: both times it ends with STATUS, and
# says the same, or, where OUTPUT is given, something that this matches. Behind the tool it uses what USES says (../uses.cmake).
# Status 4 as it is: the program cannot do that here.
cmake_minimum_required(VERSION 3.25)
string(REPLACE "|" ";" command "${COMMAND}")
string(REPLACE "|" ";" environment "${ENVIRONMENT}")
foreach(way IN ITEMS libc sigev)
    file(REMOVE_RECURSE ${FOLDER}/${way})
    file(MAKE_DIRECTORY ${FOLDER}/${way})
    set(front)
    if(way STREQUAL "sigev")
        set(front ${TOOL} run --stats=statistics --json --)
    endif()
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env ${environment} ${front} ${command}
        WORKING_DIRECTORY ${FOLDER}/${way}
        RESULT_VARIABLE status
        OUTPUT_VARIABLE ${way}
        ERROR_VARIABLE errors)
    if(way STREQUAL "libc" AND status EQUAL 4 AND NOT STATUS EQUAL 4)
        message("SKIPPED: ${${way}}${errors}")
        return()
    endif()
    if(NOT "${status}" STREQUAL "${STATUS}")
        message(FATAL_ERROR "on ${way} it ends with ${status}, not with ${STATUS}:\n${${way}}${errors}")
    endif()
    if(DEFINED OUTPUT AND NOT "${${way}}${errors}" MATCHES "${OUTPUT}")
        message(FATAL_ERROR "on ${way} it does not say ${OUTPUT} but:\n${${way}}${errors}")
    endif()
endforeach()
if(NOT DEFINED OUTPUT AND NOT libc STREQUAL sigev)
    message(FATAL_ERROR "on libc it says:\n${libc}\non sigev:\n${sigev}")
endif()
include(${CMAKE_CURRENT_LIST_DIR}/../uses.cmake)
look_at_uses(${FOLDER}/sigev/statistics "${USES}")
