# Runs the programs `ours` and `theirs`; both end well, and what they say is the same.
foreach(which IN ITEMS ours theirs)
    execute_process(
        COMMAND ${${which}}
        RESULT_VARIABLE result
        OUTPUT_VARIABLE ${which}_said
        ERROR_VARIABLE complaint)
    if(NOT result EQUAL 0 OR NOT complaint STREQUAL "")
        message(SEND_ERROR "${${which}}: exit status ${result}, on stderr:\n${complaint}")
    endif()
endforeach()
if(ours_said STREQUAL "" OR NOT ours_said STREQUAL theirs_said)
    message(FATAL_ERROR "with sigev-iv:\n${ours_said}\nwith ivykis:\n${theirs_said}")
endif()
