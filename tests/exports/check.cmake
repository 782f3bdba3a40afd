# Three lists that must be one: the functions that HEADERS declare with MARK before them, the names in the version script
# MAP, and what LIBRARY shows the linker. A C++ or Asio symbol that slips out binds to a caller's own copy of it, with
# another layout; a function that is declared and not exported is found missing by a user's linker only.
cmake_minimum_required(VERSION 3.25)

# declared: MARK stands at the beginning of a line, the name before the first parenthesis
set(declared)
foreach(header IN LISTS HEADERS)
    file(READ ${header} text)
    string(REGEX MATCHALL "\n${MARK} [^;(]*[(]" found "${text}")
    list(TRANSFORM found REPLACE "^.*[^A-Za-z0-9_]([A-Za-z0-9_]+)[(]$" "\\1")
    list(APPEND declared ${found})
endforeach()

# scripted: whatever ends in a semicolon; a node that another one inherits from ends so as well
file(READ ${MAP} text)
string(REGEX REPLACE "/[*][^*]*[*]/" "" text "${text}") # a comment
string(REGEX REPLACE "local:[ \n]*[*];" "" text "${text}")
string(REGEX REPLACE "}[ \n]*[A-Za-z0-9_.]*;" "" text "${text}")
string(REPLACE ";" "," text "${text}") # CMake's lists are made of semicolons
string(REGEX MATCHALL "[A-Za-z0-9_*?]+," scripted "${text}")
list(TRANSFORM scripted REPLACE ",$" "")
foreach(name IN LISTS scripted)
    if(name MATCHES "[*?]")
        message(SEND_ERROR "a pattern in the version script: ${name}")
    endif()
endforeach()

# exported: functions only, besides the nodes of the version script
execute_process(
    COMMAND ${NM} --dynamic --defined-only --format=posix ${LIBRARY}
    OUTPUT_VARIABLE symbols
    COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
set(exported)
foreach(line IN LISTS symbols)
    if(line MATCHES "^([A-Za-z0-9_]+)(@@?SIGEV_[A-Z0-9_.]+)? T ")
        list(APPEND exported ${CMAKE_MATCH_1})
    elseif(NOT line MATCHES "^SIGEV_[A-Z0-9_.]+(@@?SIGEV_[A-Z0-9_.]+)? A ")
        message(SEND_ERROR "exported, and no function: ${line}")
    endif()
endforeach()

# only_in(a b text): refuses each name of list a that list b lacks
function(only_in a b text)
    foreach(name IN LISTS ${a})
        if(NOT name IN_LIST ${b})
            message(SEND_ERROR "${name} ${text}")
        endif()
    endforeach()
endfunction()

only_in(declared scripted "is declared, and is not in the version script")
only_in(scripted declared "is in the version script, and no header declares it")
only_in(scripted exported "is in the version script, and is not exported")
only_in(exported scripted "is exported, and is not in the version script")

list(LENGTH exported count)
if(count EQUAL 0)
    message(SEND_ERROR "nothing is exported: the check looks at the wrong file, or the version script hides all")
endif()
message(STATUS "${count} functions are declared, in the version script, and exported")
