# What stands in the installed PREFIX: all public headers, the libraries under their three names, the command, what
# find_package() and pkg-config read, the manual pages. No file names the places SOURCE and BUILD, no library or program
# has a path in it where to look for others.
cmake_minimum_required(VERSION 3.25)

set(expected
    ${LIBDIR}/libsigev.so ${LIBDIR}/libsigev.so.${MAJOR} ${LIBDIR}/libsigev.so.${VERSION}
    ${LIBDIR}/libsigev-posix.so
    ${LIBDIR}/libsigev-iv.so ${LIBDIR}/libsigev-iv.so.${MAJOR} ${LIBDIR}/libsigev-iv.so.${VERSION}
    ${LIBDIR}/cmake/sigev/sigevConfig.cmake ${LIBDIR}/cmake/sigev/sigevConfigVersion.cmake
    ${LIBDIR}/cmake/sigev/sigevTargets.cmake ${LIBDIR}/pkgconfig/sigev.pc ${LIBDIR}/pkgconfig/sigev-iv.pc
    share/man/man7/sigev.7 share/man/man7/sigev-posix.7 share/man/man3/sigev_open.3 share/man/man3/sigev_submit.3 share/man/man3/sigev_current.3
    share/man/man3/sigev_aio.3 share/man/man3/sigev_timer.3 share/man/man3/sigev_timer_create.3
    share/man/man3/iv_event_raw.3sigev share/man/man3/iv_event_raw_post.3sigev)
if(TOOL)
    list(APPEND expected bin/sigev share/man/man1/sigev.1)
endif()
file(GLOB_RECURSE headers RELATIVE ${SOURCE} ${SOURCE}/include/*.h ${SOURCE}/include/*.hpp)
list(APPEND expected ${headers})
foreach(name IN LISTS expected)
    if(NOT EXISTS "${PREFIX}/${name}")
        message(SEND_ERROR "${name} is not installed")
    endif()
endforeach()

file(GLOB_RECURSE found RELATIVE "${PREFIX}" "${PREFIX}/*")
foreach(name IN LISTS found)
    if(IS_SYMLINK "${PREFIX}/${name}")
        file(READ_SYMLINK "${PREFIX}/${name}" target)
        if(target MATCHES "/")
            message(SEND_ERROR "${name} is a link to ${target}")
        endif()
        continue()
    endif()
    if(name MATCHES "^include/" AND NOT name IN_LIST headers)
        message(SEND_ERROR "${name} is installed, and is no public header")
    endif()
    if(name MATCHES "[.]so[.]|[.]so$|^bin/")
        file(READ_ELF "${PREFIX}/${name}" RPATH rpath RUNPATH runpath CAPTURE_ERROR error)
        if(rpath OR runpath OR error)
            message(SEND_ERROR "${name} has a path in it: ${rpath}${runpath}${error}")
        endif()
        continue()
    endif()
    file(READ "${PREFIX}/${name}" text)
    foreach(place IN LISTS SOURCE BUILD)
        string(FIND "${text}" "${place}" at)
        if(NOT at EQUAL -1)
            message(SEND_ERROR "${name} names ${place}")
        endif()
    endforeach()
endforeach()

file(READ "${PREFIX}/${LIBDIR}/pkgconfig/sigev.pc" text)
if(text MATCHES "Requires|Boost::|stdc")
    message(SEND_ERROR "sigev.pc asks a C program for more than libsigev.so:\n${text}")
endif()
list(LENGTH found count)
message(STATUS "${count} files")
