# `cpack -G DEB` in the build tree makes three packages, as Debian splits a library: libsigev0 is what programs need to run,
# libsigev-dev what one needs to build them, sigev the command. Configured with CMAKE_INSTALL_PREFIX=/usr the libraries go to
# Debian's folder for the architecture; otherwise to /usr/lib, where they are found as well.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR sigev)
set(CPACK_PACKAGE_CONTACT "The sigev project <sigev@example.org>") # a placeholder: who publishes packages names himself
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each component's description begins with its own
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL library development)
if(TARGET sigev_tool)
    list(APPEND CPACK_COMPONENTS_ALL tool)
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 0local1) # older than whatever Debian itself may have
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}) # each package needs the first
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})

set(library libsigev${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${library})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/triggers)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
    "delivery layer for the notifications of a sigevent
A program says in a struct sigevent how it wants to be told that a timer has
expired or a read has ended: by a signal, a thread, a kqueue. This library
delivers by every method, from every source, and loses nothing.

This package contains the shared libraries.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsigev-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${library} (= ${version})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS libboost1.81-dev) # what is C does not need it
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "delivery layer for the notifications of a sigevent - development files
The headers in C and C++, the manual pages, and what CMake and pkg-config
read. The headers of iv_event_raw(3) stand on an include path of their own,
beside those of libivykis-dev.")

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME sigev)
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOL_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOL_PACKAGE_DEPENDS "${library} (= ${version})")
set(CPACK_COMPONENT_TOOL_DESCRIPTION
    "show how the notifications of a sigevent are delivered
The command sigev has every method told by timers and reads, all at once, and
shows what has become of each notification; and it says what the kernel can
do.")

set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/debian_files.cmake)
set(CPACK_SIGEV_SOURCE ${PROJECT_SOURCE_DIR})
include(CPack)
