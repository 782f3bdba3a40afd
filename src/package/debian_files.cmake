# Run by cpack on each component before it becomes a package: what Debian wants to have in one, and other systems do not.
# Manual pages are compressed, links to them follow; /usr/share/doc/PACKAGE holds the licence and what has changed.
file(GLOB roots ${CPACK_TEMPORARY_DIRECTORY}/*)
foreach(root IN LISTS roots)
    file(GLOB_RECURSE pages ${root}/usr/share/man/*)
    foreach(page IN LISTS pages)
        if(IS_SYMLINK ${page})
            file(READ_SYMLINK ${page} target)
            file(REMOVE ${page})
            file(CREATE_LINK ${target}.gz ${page}.gz SYMBOLIC)
        else()
            execute_process(COMMAND gzip -9n ${page} COMMAND_ERROR_IS_FATAL ANY)
        endif()
    endforeach()

    # A package stays where it is: pkg-config then leaves out the folders that every compiler knows.
    file(GLOB_RECURSE pcs ${root}/usr/lib/*.pc)
    foreach(pc IN LISTS pcs)
        file(READ ${pc} text)
        string(REGEX REPLACE "prefix=[^\n]*" "prefix=/usr" text "${text}")
        file(WRITE ${pc} "${text}")
    endforeach()

    cmake_path(GET root FILENAME component)
    string(TOUPPER ${component} component)
    set(package ${CPACK_DEBIAN_${component}_PACKAGE_NAME})
    set(doc ${root}/usr/share/doc/${package})
    file(READ ${CPACK_SIGEV_SOURCE}/LICENSE licence)
    string(TIMESTAMP year %Y UTC)
    file(WRITE ${doc}/copyright "sigev, a delivery layer for sigevent on Linux.\n\nCopyright (C) ${year} the authors of sigev\n\n${licence}")
    file(COPY_FILE ${CPACK_SIGEV_SOURCE}/CHANGELOG.md ${doc}/changelog)
    string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # SOURCE_DATE_EPOCH where that is set
    file(WRITE ${doc}/changelog.Debian
         "${package} (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
         "  * Made by cpack; what has changed stands in changelog.gz.\n\n" " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
    execute_process(COMMAND gzip -9n ${doc}/changelog ${doc}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
endforeach()
