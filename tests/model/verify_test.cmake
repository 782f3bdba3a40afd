# A search proves something only if it was complete and met what it was to meet: each way in which it may not be is refused.
cmake_minimum_required(VERSION 3.25)

set(good "byte n; bit wrong;
active proctype p() { end_here: do :: n < 100 -> n++ :: n == 100 -> n = 0 od }
active proctype q() { end_there: atomic { wrong_when -> wrong = 1; assert(!wrong) } }
")

# verify(macros arguments...): of the model `good`.
function(verify macros)
    file(WRITE ${SCRATCH}/small.pml "${good}")
    execute_process(
        COMMAND ${CMAKE_COMMAND} -D SPIN=${SPIN} -D CC=${CC} -D MODEL=${SCRATCH}/small.pml -D "FLAGS=${macros}" -D
                SCRATCH=${SCRATCH}/run ${ARGN} -P ${VERIFY}
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output
        RESULT_VARIABLE result)
    string(REGEX REPLACE "[ \n]+" " " output "${output}") # CMake folds its messages
    set(output "${output}" PARENT_SCOPE)
    set(result ${result} PARENT_SCOPE)
endfunction()

function(passes text)
    verify(${ARGN})
    string(FIND "${output}" "${text}" place)
    if(NOT result EQUAL 0 OR place EQUAL -1)
        message(SEND_ERROR "${ARGN}: exit ${result}, expected \"${text}\", got: ${output}")
    endif()
endfunction()

function(refuses reason)
    verify(${ARGN})
    string(FIND "${output}" "${reason}" place)
    if(result EQUAL 0 OR place EQUAL -1)
        message(SEND_ERROR "${ARGN}: exit ${result}, expected \"${reason}\", got: ${output}")
    endif()
endfunction()

passes("nothing found in 202 states" "-Dwrong_when=n==101")
passes("assertion violated !(wrong)" "-Dwrong_when=n==100" -D FINDS=wrong)
refuses("assertion violated !(wrong)" "-Dwrong_when=n==100")
refuses("The way there: SIGEV_MODEL_TRAIL=1 ctest" "-Dwrong_when=n==100")
refuses("[n = (n+1)]" "-Dwrong_when=n==100" -D TRAIL=ON)
passes("[n = (n+1)]" "-Dwrong_when=n==100" -D FINDS=wrong -D TRAIL=ON)
refuses("nothing was found in 202 states; expected: wrong" "-Dwrong_when=n==101" -D FINDS=wrong)
refuses("expected: another" "-Dwrong_when=n==100" -D FINDS=another)
refuses("the search was cut short" "-Dwrong_when=n==101" -D DEPTH=50)
refuses("the search was cut short" "-Dwrong_when=n==101" -D DEPTH=50 -D FINDS=wrong)
refuses("spin failed" "-Dwrong_when=this is no expression")

string(REPLACE "n == 100 -> n = 0" "n == 101 -> n = 0" good "${good}") # never; and it stands still before
refuses("this is never executed" "-Dwrong_when=n==101")
string(REPLACE "end_here" "here" good "${good}")
refuses("invalid end state" "-Dwrong_when=n==101")
passes("invalid end state" "-Dwrong_when=n==101" -D FINDS=wedged)
