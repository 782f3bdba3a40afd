# The check of the functions passes a small tree as it was recorded, however it is laid out, and refuses it with one thing changed.
cmake_minimum_required(VERSION 3.25)

set(word "// The word.
constexpr int post_begin(int o) noexcept { return o | 1; } // in braces: {

template <class T>
int box::take(const T& of,
              int n)
{
    if (of[n] == ';') { /* never; { */
        return post_begin(n);
    }
    return 0;
}
struct box {
    int take(int n); // a declaration
    bool put(int n) noexcept
    {
        return n != 0;
    }
};
")
set(model "/* step: src/word.hpp post_begin */
/* step: src/word.hpp take */
  /* step: src/word.hpp put */
")

function(make_tree)
    file(REMOVE_RECURSE ${SCRATCH})
    file(WRITE ${SCRATCH}/src/word.hpp "${word}")
    file(WRITE ${SCRATCH}/models/a.pml "${model}")
    run_check(-D RECORD=ON)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "a good tree is not recorded: ${output}")
    endif()
endfunction()

function(run_check)
    execute_process(
        COMMAND ${CMAKE_COMMAND} -D ROOT=${SCRATCH} -D MODELS=${SCRATCH}/models ${ARGN} -P ${CHECK}
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output
        RESULT_VARIABLE result)
    string(REGEX REPLACE "[ \n]+" " " output "${output}") # CMake folds its messages
    set(output "${output}" PARENT_SCOPE)
    set(result ${result} PARENT_SCOPE)
endfunction()

# change(file from to): once, in a tree that was recorded.
function(change file from to)
    make_tree()
    file(READ ${SCRATCH}/${file} text)
    string(FIND "${text}" "${from}" place)
    if(place EQUAL -1)
        message(FATAL_ERROR "${file} has no ${from}")
    endif()
    string(REPLACE "${from}" "${to}" text "${text}")
    file(WRITE ${SCRATCH}/${file} "${text}")
    run_check()
    set(output "${output}" PARENT_SCOPE)
    set(result ${result} PARENT_SCOPE)
endfunction()

# passes(file from to), refuses(file from to reason)
function(passes file from to)
    change(${file} "${from}" "${to}")
    if(NOT result EQUAL 0)
        message(SEND_ERROR "${from} changed to ${to} is refused: ${output}")
    endif()
endfunction()

function(refuses file from to reason)
    change(${file} "${from}" "${to}")
    string(FIND "${output}" "${reason}" place)
    if(result EQUAL 0 OR place EQUAL -1)
        message(SEND_ERROR "${from} changed to ${to}: exit ${result}, expected \"${reason}\", got: ${output}")
    endif()
endfunction()

make_tree()
run_check()
if(NOT result EQUAL 0 OR NOT output MATCHES "3 functions compared")
    message(SEND_ERROR "exit ${result}: ${output}")
endif()

passes(src/word.hpp "in braces: {" "something else")
passes(src/word.hpp "n)\n{" "n) // of what\n\n  {")
passes(src/word.hpp "/* never; { */" "")
passes(src/word.hpp "// The word." "int something_new() { return 4; }")
passes(src/word.hpp "take(int n);" "take(int n, int m);")

refuses(src/word.hpp "o | 1" "o | 2" "src/word.hpp post_begin: it has changed since a.pml was last looked at. Look at the steps")
refuses(src/word.hpp "o | 1" "o | 2" "record it: cmake -D RECORD=ON -P tests/model/functions.cmake")
refuses(src/word.hpp "int n)\n{" "long n)\n{" "src/word.hpp take: it has changed")
refuses(src/word.hpp "return 0;" "return 1;" "src/word.hpp take: it has changed")
refuses(src/word.hpp "n != 0" "n == 0" "src/word.hpp put: it has changed")
refuses(src/word.hpp "bool put" "bool place" "src/word.hpp: put is not defined there any more, and a.pml stands for it")
refuses(models/a.pml "word.hpp take" "other.hpp take" "src/other.hpp: there is no such file")
refuses(models/a.pml "step: src/word.hpp take" "" "src/word.hpp take: recorded, but no model stands for it")
refuses(models/a.pml "hpp take" "hpp" "names no file and function")
refuses(models/functions.txt "src/word.hpp put" "src/word.hpp x" "src/word.hpp put: a.pml stands for it, and it is not recorded")
