# Installs the build tree BUILD below SCRATCH, and moves the prefix to where nobody has told it that it would be, in a path
# with a space: all that is tried afterwards, is tried there. What stands in it must not know where it comes from.
cmake_minimum_required(VERSION 3.25)
set(prefix "${SCRATCH}/moved to/a prefix")
file(REMOVE_RECURSE "${SCRATCH}/as installed" "${SCRATCH}/moved to")
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix "${SCRATCH}/as installed" OUTPUT_QUIET
                        COMMAND_ERROR_IS_FATAL ANY)
file(MAKE_DIRECTORY "${SCRATCH}/moved to")
file(RENAME "${SCRATCH}/as installed" "${prefix}")
