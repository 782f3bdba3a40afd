# cmake -D NM=... -D LIBRARY=... -D OUTPUT=traps.c -P traps.cmake
# Writes a C file that defines every C++ name that LIBRARY has inside, Boost's, the runtime's and its own: as if the program had
# another version of these, with other things behind the same names. Whoever is bound to one of them ends the process.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${NM} --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL " _Z[A-Za-z0-9_]+\n" symbols "${symbols}")
list(REMOVE_DUPLICATES symbols)
set(boosts 0)
set(definitions "")
foreach(symbol IN LISTS symbols)
    string(STRIP "${symbol}" symbol)
    if(symbol MATCHES "5boost4asio")
        math(EXPR boosts "${boosts} + 1")
    endif()
    string(APPEND definitions "__asm__(\".globl ${symbol}\\n.set ${symbol}, trap\");\n")
endforeach()
if(boosts LESS 50)
    message(FATAL_ERROR "${LIBRARY} has ${boosts} names of Boost.Asio's: nothing would be tested")
endif()
file(
    WRITE ${OUTPUT}
    "#include <string.h>
#include <unistd.h>

void trap(void);
void trap(void)
{
    static const char text[] = \"wrong: a name of the library's was taken from the program\\n\";
    (void)!write(2, text, strlen(text));
    _exit(1);
}

${definitions}")
