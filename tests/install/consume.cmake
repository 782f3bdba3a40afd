# Builds consumer KIND (c, cpp, iv) with what it finds in PREFIX by METHOD (find_package, pkg_config), in SCRATCH, and runs it.
# CC is the compiler and FLAGS what the library itself was built with.
cmake_minimum_required(VERSION 3.25)
set(here ${CMAKE_CURRENT_LIST_DIR})
file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH})

if(METHOD STREQUAL "find_package")
    execute_process(
        COMMAND ${CMAKE_COMMAND} -G ${GENERATOR} -S ${here}/find_package -B ${SCRATCH} -D KIND=${KIND} -D
                CMAKE_${LANGUAGE}_COMPILER=${CC} -D "CMAKE_PREFIX_PATH=${PREFIX}" -D
                CMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON
        OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${CMAKE_COMMAND} --build ${SCRATCH} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    file(READ ${SCRATCH}/CMakeCache.txt cache)
    if(NOT cache MATCHES "sigev_DIR:PATH=${PREFIX}")
        message(FATAL_ERROR "another sigev was found than that in ${PREFIX}")
    endif()
else()
    set(package sigev)
    set(source consumer.${KIND})
    if(KIND STREQUAL "iv")
        set(package sigev-iv)
        set(source consumer_iv.c)
    elseif(KIND STREQUAL "cpp")
        set(flags -std=c++20)
    endif()
    # through a shell, as a user or a Makefile does it: the space in the path comes escaped
    set(ENV{PKG_CONFIG_PATH} "${PREFIX}/${LIBDIR}/pkgconfig")
    set(ENV{LD_LIBRARY_PATH} "${PREFIX}/${LIBDIR}")
    execute_process(
        COMMAND sh -ec "flags=$(${PKG_CONFIG} --cflags --libs ${package}); eval \"${CC} ${flags} ${here}/${source} -o consumer $flags\""
        WORKING_DIRECTORY ${SCRATCH} COMMAND_ERROR_IS_FATAL ANY)
endif()

execute_process(COMMAND ${SCRATCH}/consumer OUTPUT_VARIABLE said ERROR_VARIABLE errors RESULT_VARIABLE result)
if(NOT result EQUAL 0 OR NOT said STREQUAL "three ticks\n" OR NOT errors STREQUAL "")
    message(FATAL_ERROR "exit ${result}, said: ${said}${errors}")
endif()
