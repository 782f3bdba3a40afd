# run_in_empty(FOLDER ENVIRONMENT COMMAND) runs the command (both are lists) in a folder that is made anew: `status`, `output` and
# `errors` are what came of it. It is cmake's child and not cmake: its environment is set behind cmake's own start.
function(run_in_empty folder environment command)
    file(REMOVE_RECURSE ${folder})
    file(MAKE_DIRECTORY ${folder})
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env ${environment} ${command}
        WORKING_DIRECTORY ${folder}
        RESULT_VARIABLE status
        OUTPUT_VARIABLE output
        ERROR_VARIABLE errors)
    return(PROPAGATE status output errors)
endfunction()
