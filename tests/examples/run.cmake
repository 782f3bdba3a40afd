# Runs `program`, which reads itself, and compares what it says with the file `expected`.
execute_process(COMMAND ${program} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE complaint)
file(READ ${expected} wanted)
if(NOT result EQUAL 0 OR NOT complaint STREQUAL "" OR NOT said STREQUAL wanted)
    message(FATAL_ERROR "exit status ${result}\nsaid:\n${said}\nwanted:\n${wanted}\non stderr:\n${complaint}")
endif()
