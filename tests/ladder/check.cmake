# Reads every include of the tree under ROOT and refuses one that goes up the ladder
#   sys <- spi <- core, backends <- sources, kqueue <- capi <- preload, ivykis, tool
# and a folder that has no place in the tree. A name belongs to the tree when a file of the tree bears it.
cmake_minimum_required(VERSION 3.25)

# What each layer may include besides itself.
set(may_include_include)
set(may_include_src/sys include)
set(may_include_src/spi include src/sys)
set(may_include_src/core include src/sys src/spi)
set(may_include_backends include src/sys src/spi)
set(may_include_src/sources include src/sys src/spi src/core)
set(may_include_src/kqueue include src/sys src/spi src/core)
set(may_include_src/capi include src/sys src/spi src/core backends src/sources src/kqueue)
# What stands on the API is written as a user would write it; libc's names need to know the system, and whose a handle is.
set(may_include_src/preload include src/sys src/capi)
# A library of its own on the C API, with loops of its own: of the inside only what is header-only (its link holds it to that).
set(may_include_src/ivykis include src/sys src/core)
set(may_include_src/tool include src/sys) # of the latter what needs no link: the command is written on sigev.h

set(top_folders include src backends tests bench build)
set(folders_without_code src/decisions src/package)

function(refuse message)
    message(SEND_ERROR "${message}")
endfunction()

# layer_of(path variable): src/core/x.hpp -> src/core, backends/timer/heap.cpp -> backends; empty outside the ladder.
function(layer_of path variable)
    string(REGEX MATCH "^(include|backends|src/[^/]+)/" match "${path}")
    set(${variable} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

# resolve(file name variable): the file of the tree that an include in `file` names, or empty.
function(resolve file name variable)
    get_filename_component(here ${ROOT}/${file} DIRECTORY)
    set(${variable} "" PARENT_SCOPE)
    foreach(base IN ITEMS ${here} ${ROOT}/src ${ROOT} ${ROOT}/include ${ROOT}/include/sigev/ivykis)
        if(EXISTS ${base}/${name} AND NOT IS_DIRECTORY ${base}/${name})
            file(REAL_PATH ${base}/${name} path)
            file(RELATIVE_PATH path ${ROOT} ${path})
            set(${variable} ${path} PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()

function(check_file file)
    layer_of(${file} layer)
    file(READ ${ROOT}/${file} text)
    # only the directive itself is kept: brackets and semicolons of the rest of a line would break CMake's lists
    string(REGEX MATCHALL "(^|\n)[ \t]*#[ \t]*include[ \t]*[<\"][^>\"\n]+[>\"]" includes "${text}")
    foreach(include IN LISTS includes)
        string(REGEX REPLACE ".*([<\"])(.+)[>\"]$" "\\1;\\2" include "${include}")
        list(GET include 0 quote)
        list(GET include 1 name)
        if(layer STREQUAL "include" AND name STREQUAL "boost/asio.hpp")
            refuse("${file}: a public header includes all of boost/asio.hpp")
        endif()
        resolve(${file} ${name} target)
        if(target STREQUAL "")
            if(quote STREQUAL "\"")
                refuse("${file}: no file of the tree is called \"${name}\"")
            endif()
            continue()
        endif()
        layer_of(${target} target_layer)
        if(target_layer STREQUAL layer OR target_layer IN_LIST may_include_${layer})
            continue()
        endif()
        refuse("${file} includes ${target}: ${layer} must not know ${target_layer}")
    endforeach()
endfunction()

file(REAL_PATH ${ROOT} ROOT)

file(GLOB entries RELATIVE ${ROOT} ${ROOT}/*)
foreach(entry IN LISTS entries)
    if(IS_DIRECTORY ${ROOT}/${entry} AND NOT entry MATCHES "^[.]" AND NOT entry IN_LIST top_folders)
        refuse("${entry}/: no such folder at the top of the tree")
    endif()
endforeach()

file(GLOB entries RELATIVE ${ROOT} ${ROOT}/src/*)
foreach(entry IN LISTS entries)
    if(IS_DIRECTORY ${ROOT}/${entry} AND NOT DEFINED may_include_${entry} AND NOT entry IN_LIST folders_without_code)
        refuse("${entry}/: has no place on the ladder")
    endif()
endforeach()

set(count 0)
foreach(folder include src backends)
    file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${folder}/*.h ${ROOT}/${folder}/*.hpp ${ROOT}/${folder}/*.ipp
         ${ROOT}/${folder}/*.c ${ROOT}/${folder}/*.cpp)
    foreach(file IN LISTS files)
        check_file(${file})
        math(EXPR count "${count} + 1")
    endforeach()
endforeach()
if(count EQUAL 0)
    refuse("no file found under ${ROOT}")
endif()
message(STATUS "${count} files read")
