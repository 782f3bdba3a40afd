# The check of the ladder passes a small tree as it should be, and refuses the same tree with one thing wrong.
cmake_minimum_required(VERSION 3.25)

function(make_tree)
    file(REMOVE_RECURSE ${SCRATCH})
    file(WRITE ${SCRATCH}/include/sigev.h "#include <signal.h>\n")
    file(WRITE ${SCRATCH}/include/sigev/timer.hpp "#include <sigev/error.hpp>\n#include <boost/asio/any_io_executor.hpp>\n")
    file(WRITE ${SCRATCH}/include/sigev/error.hpp "#include <boost/system/error_code.hpp>\n")
    file(WRITE ${SCRATCH}/src/sys/fd.hpp "#include <sys/types.h>\n")
    file(WRITE ${SCRATCH}/src/spi/wakeup.hpp "#include \"sys/fd.hpp\"\n#include <sigev/error.hpp>\n")
    file(WRITE ${SCRATCH}/src/core/dispatcher.hpp "#include \"spi/wakeup.hpp\"\n")
    file(WRITE ${SCRATCH}/src/core/dispatcher.cpp "  # include \"dispatcher.hpp\" // ];[\n")
    file(WRITE ${SCRATCH}/src/sources/timer.cpp "#include \"core/dispatcher.hpp\"\n")
    file(WRITE ${SCRATCH}/src/capi/timer.cpp "#include \"backends/wakeup/pipe.hpp\"\n#include \"core/dispatcher.hpp\"\n")
    file(WRITE ${SCRATCH}/src/tool/main.cpp "#include <sigev.h>\n#include \"tool/table.hpp\"\n")
    file(WRITE ${SCRATCH}/src/tool/table.hpp "#pragma once\n")
    file(WRITE ${SCRATCH}/include/sigev/ivykis/iv.h "#include <unistd.h>\n")
    file(WRITE ${SCRATCH}/src/ivykis/loop.cpp "#include <iv.h>\n#include \"core/dispatcher.hpp\"\n#include \"sys/fd.hpp\"\n")
    file(WRITE ${SCRATCH}/backends/wakeup/pipe.hpp "#include \"spi/wakeup.hpp\"\n")
endfunction()

function(run_check)
    execute_process(
        COMMAND ${CMAKE_COMMAND} -DROOT=${SCRATCH} -P ${CHECK}
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output
        RESULT_VARIABLE result)
    string(REGEX REPLACE "[ \n]+" " " output "${output}") # CMake folds its messages
    set(output "${output}" PARENT_SCOPE)
    set(result ${result} PARENT_SCOPE)
endfunction()

# refuses(file text reason): with this line added to the file, the check fails and gives the reason.
function(refuses file text reason)
    make_tree()
    file(APPEND ${SCRATCH}/${file} "${text}\n")
    run_check()
    string(FIND "${output}" "${reason}" place)
    if(result EQUAL 0 OR place EQUAL -1)
        message(SEND_ERROR "${file} with ${text}: exit ${result}, expected \"${reason}\", got: ${output}")
    endif()
endfunction()

make_tree()
run_check()
if(NOT result EQUAL 0)
    message(SEND_ERROR "a good tree is refused: ${output}")
endif()

refuses(src/sys/fd.hpp "#include \"core/dispatcher.hpp\"" "src/sys must not know src/core")
refuses(src/spi/wakeup.hpp "#include \"../core/dispatcher.hpp\"" "src/spi must not know src/core")
refuses(src/core/dispatcher.cpp "#include \"backends/wakeup/pipe.hpp\"" "src/core must not know backends")
refuses(backends/wakeup/pipe.hpp "#include \"core/dispatcher.hpp\"" "backends must not know src/core")
refuses(src/tool/main.cpp "# include  <core/dispatcher.hpp>" "src/tool must not know src/core")
refuses(src/ivykis/loop.cpp "#include \"capi/timer.cpp\"" "src/ivykis must not know src/capi")
refuses(src/core/dispatcher.hpp "#include \"ivykis/loop.cpp\"" "src/core must not know src/ivykis")
refuses(include/sigev.h "#include \"../src/sys/fd.hpp\"" "include must not know src/sys")
refuses(include/sigev/timer.hpp "#include <boost/asio.hpp>" "includes all of boost/asio.hpp")
refuses(src/core/dispatcher.hpp "#include \"core/absent.hpp\"" "no file of the tree is called")
refuses(src/helpers/x.hpp "#pragma once" "src/helpers/: has no place on the ladder")
refuses(docs/x.txt "" "docs/: no such folder at the top of the tree")
