# The ABI of LIBRARY against RECORD: what a program that was linked with an earlier build relies on. With DO_RECORD the
# record is written instead. Types that no header of HEADERS (separated by commas) shows are left out: they may change.
#
# Needs abigail-tools, and x86-64: the record holds the host's types as well.
cmake_minimum_required(VERSION 3.25)

if(NOT ABIDW OR NOT ABIDIFF)
    message(STATUS "SKIPPED: no abidw and abidiff here (Debian: abigail-tools)")
    return()
endif()
if(NOT PROCESSOR MATCHES "^(x86_64|AMD64)$")
    message(STATUS "SKIPPED: the record is one of x86-64, this is ${PROCESSOR}")
    return()
endif()

# abidw tells public types by the name of the header alone, and headers of the C++ API bear names of inner ones.
file(REMOVE_RECURSE ${SCRATCH})
string(REPLACE "," ";" HEADERS "${HEADERS}")
file(COPY ${HEADERS} DESTINATION ${SCRATCH}/headers)
set(found ${SCRATCH}/found.abi)
execute_process(
    COMMAND ${ABIDW} --no-show-locs --no-corpus-path --no-comp-dir-path --no-architecture --no-elf-needed --drop-private-types
            --headers-dir ${SCRATCH}/headers --exported-interfaces-only --out-file ${found} ${LIBRARY}
    COMMAND_ERROR_IS_FATAL ANY)
file(READ ${found} text)
if(NOT text MATCHES "<return type-id=" OR NOT text MATCHES "<parameter type-id=")
    message(FATAL_ERROR "${LIBRARY} bears no types: its exported functions are to be compiled with -g")
endif()
if(DO_RECORD)
    # abidw names sources by how the compiler was called: from where the build happens to stand.
    string(REGEX REPLACE "path='[^']*/src/" "path='src/" text "${text}")
    file(WRITE ${found} "${text}")
    file(COPY_FILE ${found} ${RECORD} ONLY_IF_DIFFERENT)
    message(STATUS "${RECORD} is the ABI of ${LIBRARY}")
    return()
endif()

set(how "    cmake --build --preset release --target record_abi\nand commit what has changed in tests/abi.")

# What is left besides added functions breaks programs.
execute_process(
    COMMAND ${ABIDIFF} --no-added-syms ${RECORD} ${found}
    OUTPUT_VARIABLE changes
    ERROR_VARIABLE changes
    RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "Programs that are linked with this library may break:\n${changes}\n"
                        "If that is meant (before 1.0 a minor version may), say so in CHANGELOG.md, raise the version, then:\n${how}")
endif()

execute_process(
    COMMAND ${ABIDIFF} ${RECORD} ${found}
    OUTPUT_VARIABLE changes
    ERROR_VARIABLE changes
    RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "Nothing breaks, but something is new that the record does not have:\n${changes}\nRecord it:\n${how}")
endif()
