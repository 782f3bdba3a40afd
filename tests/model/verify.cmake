# Looks through all states of a model, and says whether what is expected comes of it.
#
#   MODEL    the .pml file          FLAGS   its macros, a list of -D...
#   FINDS    not given: nothing is found. Else the assertion that must be found broken (or `unheard`: a post that is never
#            heard; `wedged`: an end in which somebody stands where nobody may)
#   SPIN CC  the programs           SCRATCH a folder of this run's own
#   TRAIL    ON, or SIGEV_MODEL_TRAIL in the environment: the way to the error is shown, step by step, and it is a shortest one
#   DEPTH    how long a path may be, 1000000 if not given
#
# Nothing is found counts only when the search was complete: every state was kept whole, no path was cut off, memory sufficed,
# and every statement of the model was executed at least once, but for the assertions that would have failed.
cmake_minimum_required(VERSION 3.25)

if(NOT DEFINED DEPTH)
    set(DEPTH 1000000)
endif()
if(DEFINED ENV{SIGEV_MODEL_TRAIL})
    set(TRAIL ON)
endif()
cmake_path(GET MODEL FILENAME name)
list(JOIN FLAGS " " flags_text)

function(fail message)
    message(FATAL_ERROR "${name} ${flags_text}: ${message}")
endfunction()

# run(what command...): in SCRATCH; its output in `output`.
function(run what)
    execute_process(
        COMMAND ${ARGN}
        WORKING_DIRECTORY ${SCRATCH}
        RESULT_VARIABLE result
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        fail("${what} failed (${result}):\n${output}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

function(show_trail)
    if(NOT TRAIL)
        message("The way there: SIGEV_MODEL_TRAIL=1 ctest --preset release -V -R NAME_OF_THIS_TEST")
        return()
    endif()
    run("replaying the trail" ${SPIN} ${FLAGS} -k ${name}.trail -p -l -g ${MODEL})
    message("${output}")
endfunction()

file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH})
run(spin ${SPIN} ${FLAGS} -a ${MODEL})
if(output MATCHES "rror:|arning:")
    fail("spin says:\n${output}")
endif()

set(options -w -DCOLLAPSE -DMEMLIM=1500)
set(arguments -m${DEPTH})
if("-DLIVENESS" IN_LIST FLAGS)
    list(APPEND options -DNFAIR=3 -DNOREDUCE)
    list(APPEND arguments -a -f)
else()
    list(APPEND options -DSAFETY)
endif()
if(TRAIL AND NOT "-DLIVENESS" IN_LIST FLAGS)
    list(APPEND options -DBFS)
endif()
if(DEFINED FINDS)
    list(APPEND options -O0) # found sooner than compiled
else()
    list(APPEND options -O2)
endif()
run("the compiler" ${CC} ${options} -o pan pan.c)
run("the search" ./pan ${arguments})

if(output MATCHES "max search depth too small|out of memory|reached -DMEMLIM|hash table is full|[Bb]itstate")
    fail("the search was cut short:\n${output}")
endif()
string(REGEX MATCH "errors: ([0-9]+)" match "${output}")
set(errors "${CMAKE_MATCH_1}")
string(REGEX MATCH "([0-9]+) states, stored" match "${output}")
set(states "${CMAKE_MATCH_1}")
string(REGEX MATCH "depth reached ([0-9]+)" match "${output}")
set(depth "${CMAKE_MATCH_1}")
if(errors STREQUAL "" OR states STREQUAL "" OR depth STREQUAL "")
    fail("the search says neither errors nor states:\n${output}")
endif()

# ---- an error is expected ----------------------------------------------------------------------------------------------

if(DEFINED FINDS)
    if(errors EQUAL 0)
        fail("nothing was found in ${states} states; expected: ${FINDS}")
    endif()
    string(REGEX MATCH "pan:1: ([^\n]*)" found "${output}")
    set(found "${CMAKE_MATCH_1}")
    if(FINDS STREQUAL "unheard")
        set(expected "^acceptance cycle")
    elseif(FINDS STREQUAL "wedged")
        set(expected "^invalid end state")
    else()
        set(expected "^assertion violated  !\\(${FINDS}\\)")
    endif()
    if(NOT found MATCHES "${expected}")
        show_trail()
        fail("expected: ${FINDS}; found: ${found}")
    endif()
    if(TRAIL)
        show_trail()
    endif()
    message(STATUS "${name} ${flags_text}: ${found}, ${states} states seen until then")
    return()
endif()

# ---- none is -----------------------------------------------------------------------------------------------------------

if(NOT errors EQUAL 0)
    string(REGEX MATCH "pan:1: ([^\n]*)" found "${output}")
    show_trail()
    fail("${CMAKE_MATCH_1}")
endif()
if(NOT output MATCHES "Full statespace search for:" OR output MATCHES "Search not completed")
    fail("the search was not complete:\n${output}")
endif()
# What stands behind an assertion that fails, or a loop without end, is never executed, and is not meant to be.
set(never "-end-|assert\\(!\\([a-z_]+\\)\\)")
string(REGEX MATCHALL "\n\t[^\n]*, state [0-9]+, \"[^\n]*\"" unreached "${output}")
foreach(line IN LISTS unreached)
    if(NOT "${line}" MATCHES "in claim|, \"(${never})\"$" AND NOT "-DLIVENESS" IN_LIST FLAGS)
        fail("this is never executed, so the search says nothing of it:${line}")
    endif()
endforeach()
message(STATUS "${name} ${flags_text}: nothing found in ${states} states, all there are; the longest path has ${depth} steps")
