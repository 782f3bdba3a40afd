# cmake -D LIBRARY=... -D ASK=... -D "OURS=a b@VERSION" -D "LIBCS=c@VERSION" -P owners.cmake
# Whose is what dlsym() and dlvsym() find while LIBRARY is preloaded?
cmake_minimum_required(VERSION 3.25)
separate_arguments(OURS)
separate_arguments(LIBCS)
execute_process(
    COMMAND ${CMAKE_COMMAND} -E env LD_PRELOAD=${LIBRARY} ${ASK} - ${OURS} ${LIBCS}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE answers)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ASK}: ${status}")
endif()
foreach(name IN LISTS OURS)
    if(NOT answers MATCHES "(^|\n)${name} ${LIBRARY}\n")
        message(SEND_ERROR "${name} is not of ${LIBRARY}:\n${answers}")
    endif()
endforeach()
foreach(name IN LISTS LIBCS)
    if(NOT answers MATCHES "(^|\n)${name} [^\n]*/libc\\.so\\.6\n")
        message(SEND_ERROR "${name} is not of libc:\n${answers}")
    endif()
endforeach()
