# The comparison passes a record that says what the library says, and tells what is missing in one from what would break.
cmake_minimum_required(VERSION 3.25)

# compare(pattern replacement reason): the comparison with the record so changed gives the reason; with none it passes.
function(compare pattern replacement reason)
    file(READ ${RECORD} record)
    string(REGEX REPLACE "${pattern}" "${replacement}" changed "${record}")
    file(WRITE ${SCRATCH}.abi "${changed}")
    execute_process(
        COMMAND ${CMAKE_COMMAND} -D ABIDW=${ABIDW} -D ABIDIFF=${ABIDIFF} -D PROCESSOR=${PROCESSOR} -D LIBRARY=${LIBRARY} -D
                RECORD=${SCRATCH}.abi -D HEADERS=${HEADERS} -D SCRATCH=${SCRATCH} -P ${COMPARE}
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output
        RESULT_VARIABLE result)
    if(output MATCHES "SKIPPED: ")
        message(STATUS "${output}")
        return()
    endif()
    string(REGEX REPLACE "[ \n]+" " " output "${output}") # CMake folds its messages
    string(FIND "${output}" "${reason}" said)
    if(reason STREQUAL "" AND result EQUAL 0)
        return()
    endif()
    if(reason STREQUAL "" OR result EQUAL 0 OR said EQUAL -1 OR changed STREQUAL record)
        message(SEND_ERROR "${pattern} -> ${replacement}: exit ${result}, expected \"${reason}\", got: ${output}")
    endif()
endfunction()

compare("no such text" "" "")
# older than sigev_spin()
compare(" *<[^>]*sigev_spin[^>]*/>\n" "" "something is new that the record does not have")
# with a function that the library has lost, a member that was wider, another argument, a longer struct
compare("sigev_spin" "sigev_spun" "Programs that are linked with this library may break")
compare("(name='overrun' type-id=')[^']*" "\\1type-id-1" "Programs that are linked with this library may break")
compare("(name='sigev_ledger' size-in-bits=')448" "\\1512" "Programs that are linked with this library may break")
