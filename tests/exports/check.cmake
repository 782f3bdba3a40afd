# LIBRARY shows the linker functions that match FUNCTION, and the node of its version script, which matches NODE. A C++ or Asio symbol that slips out binds to
# a caller's own copy of it, with another layout.
cmake_minimum_required(VERSION 3.25)
execute_process(
    COMMAND ${NM} --dynamic --defined-only --format=posix ${LIBRARY}
    OUTPUT_VARIABLE symbols
    COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")

set(api 0)
foreach(line IN LISTS symbols)
    if(line MATCHES "^(${FUNCTION})(@@?(${NODE}))? T ")
        math(EXPR api "${api} + 1")
    elseif(NOT line MATCHES "^(${NODE})(@@?(${NODE}))? A ")
        message(SEND_ERROR "exported, and not part of the API: ${line}")
    endif()
endforeach()
if(api EQUAL 0)
    message(SEND_ERROR "nothing is exported: the check looks at the wrong file, or the version script hides all")
endif()
message(STATUS "${api} functions are exported")
