# LIBRARY shows the linker sigev_* and the nodes of its version script. A C++ or Asio symbol that slips out binds to
# a caller's own copy of it, with another layout.
cmake_minimum_required(VERSION 3.25)
execute_process(
    COMMAND ${NM} --dynamic --defined-only --format=posix ${LIBRARY}
    OUTPUT_VARIABLE symbols
    COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")

set(api 0)
foreach(line IN LISTS symbols)
    if(line MATCHES "^sigev_[a-z0-9_]+(@@?SIGEV_[0-9.]+)? T ")
        math(EXPR api "${api} + 1")
    elseif(NOT line MATCHES "^SIGEV_[0-9.]+(@@?SIGEV_[0-9.]+)? A ")
        message(SEND_ERROR "exported, and not part of the C API: ${line}")
    endif()
endforeach()
if(api EQUAL 0)
    message(SEND_ERROR "nothing is exported: the check looks at the wrong file, or the version script hides all")
endif()
message(STATUS "${api} functions are exported")
