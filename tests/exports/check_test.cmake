# The check of the exports refuses a header or a version script that says one thing more or less than the library.
cmake_minimum_required(VERSION 3.25)

# refuses(file text replacement reason): with this text of the copy of `file` replaced, the check fails and gives the reason.
function(refuses file text replacement reason)
    file(MAKE_DIRECTORY ${SCRATCH})
    file(READ ${HEADERS} header)
    file(READ ${MAP} map)
    string(FIND "${${file}}" "${text}" place)
    string(REPLACE "${text}" "${replacement}" ${file} "${${file}}")
    file(WRITE ${SCRATCH}/header.h "${header}")
    file(WRITE ${SCRATCH}/library.map "${map}")
    execute_process(
        COMMAND ${CMAKE_COMMAND} -D NM=${NM} -D LIBRARY=${LIBRARY} -D MARK=${MARK} -D HEADERS=${SCRATCH}/header.h -D
                MAP=${SCRATCH}/library.map -P ${CHECK}
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output
        RESULT_VARIABLE result)
    string(REGEX REPLACE "[ \n]+" " " output "${output}") # CMake folds its messages
    string(FIND "${output}" "${reason}" said)
    if(place EQUAL -1 OR result EQUAL 0 OR said EQUAL -1)
        message(SEND_ERROR "${text} -> ${replacement} in ${file}: exit ${result}, expected \"${reason}\", got: ${output}")
    endif()
endfunction()

refuses(header "SIGEV_API int sigev_spin" "int sigev_spin" "sigev_spin is in the version script, and no header declares it")
refuses(header "SIGEV_API int sigev_spin" "SIGEV_API void\n *sigev_fast(void);\nSIGEV_API int sigev_spin"
        "sigev_fast is declared, and is not in the version script")
refuses(map "sigev_spin;" "" "sigev_spin is exported, and is not in the version script")
refuses(map "sigev_spin;" "sigev_spin;\nsigev_fast;" "sigev_fast is in the version script, and is not exported")
refuses(map "sigev_spin;" "sigev_s*;" "a pattern in the version script: sigev_s*")
