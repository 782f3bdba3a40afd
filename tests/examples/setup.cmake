# A shell finds a fault in a list of packages only when it comes to it, and says so where nobody looks.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ./setup --help WORKING_DIRECTORY ${root} OUTPUT_VARIABLE out ERROR_VARIABLE err RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR NOT err STREQUAL "" OR NOT out MATCHES "^usage: ./setup VERB\n")
    message(FATAL_ERROR "./setup --help: status ${status}, ${err}${out}")
endif()
