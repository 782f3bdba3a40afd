# cmake -D LIBRARY=... -D PROGRAM=... [-D ARGUMENT=...] -D OBJECT=... -D "NAMES=a b" [-D MISSING=c] -P bindings.cmake
# Runs PROGRAM with LIBRARY preloaded, and has the dynamic linker say what it binds: each of NAMES that OBJECT asks for has to
# be found in LIBRARY, and in nothing else.
cmake_minimum_required(VERSION 3.25)
separate_arguments(NAMES)
execute_process(
    COMMAND ${CMAKE_COMMAND} -E env LD_PRELOAD=${LIBRARY} LD_BIND_NOW=1 LD_DEBUG=bindings ${PROGRAM} ${ARGUMENT}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE bindings)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM}: ${status}\n${output}")
endif()
string(REPLACE ";" "," bindings "${bindings}")
string(REPLACE "\n" ";" bindings "${bindings}")
get_filename_component(object ${OBJECT} NAME)
foreach(name IN LISTS NAMES)
    set(found 0)
    foreach(line IN LISTS bindings)
        if(line MATCHES "binding file [^ ]*${object} [^ ]* to ([^ ]*) .*symbol `${name}'")
            set(found 1)
            if(NOT CMAKE_MATCH_1 STREQUAL LIBRARY)
                message(SEND_ERROR "${name} of ${OBJECT} is bound to ${CMAKE_MATCH_1}")
            endif()
        endif()
    endforeach()
    if(NOT found)
        message(SEND_ERROR "${OBJECT} does not ask for ${name}: nothing was tested")
    endif()
endforeach()
