# A program of shell lines says what the exit status is; EXPECTED is written here.
cmake_minimum_required(VERSION 3.25)
file(MAKE_DIRECTORY ${SCRATCH})
file(WRITE ${SCRATCH}/program "#!/bin/sh
case $1 in
--list) printf 'page.1\\tone\\tsource\\npage.2\\ttwo\\tsource\\n' ;;
page.1) echo 'pass' ;;
page.2) echo 'fail: for a reason'; exit 1 ;;
page.3) echo 'unresolved: no'; exit 2 ;;
page.4) echo 'unsupported: no'; exit 4 ;;
page.5) echo 'untested: no'; exit 5 ;;
page.6) kill -SEGV $$ ;;
esac
")
file(CHMOD ${SCRATCH}/program PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

function(expect wanted text id)
    file(WRITE ${SCRATCH}/expected.txt "# a comment\n${text}")
    execute_process(
        COMMAND ${RUNNER} ${SCRATCH}/expected.txt ${SCRATCH}/program ${id}
        RESULT_VARIABLE result
        OUTPUT_VARIABLE said)
    if(NOT result EQUAL wanted)
        message(SEND_ERROR "${id} with \"${text}\": exit ${result}, not ${wanted}\n${said}")
    endif()
endfunction()

expect(0 "" page.1)
expect(1 "page.1 fail for a reason\n" page.1)
expect(0 "page.1 fails? for a reason\n" page.1)
expect(1 "" page.2)
expect(0 "page.2 fail for a reason\n" page.2)
expect(0 "page.2 fails? for a reason\n" page.2)
expect(1 "page.22 fail for a reason\n" page.2)
expect(1 "" page.3)
expect(1 "page.3 fail for a reason\n" page.3)
expect(77 "" page.4)
expect(77 "" page.5)
expect(1 "" page.6)

function(expect_table wanted text)
    file(WRITE ${SCRATCH}/expected.txt "${text}")
    execute_process(
        COMMAND ${RUNNER} --table one ${SCRATCH}/program ${SCRATCH}/expected.txt
        RESULT_VARIABLE result
        OUTPUT_VARIABLE said)
    if(NOT result EQUAL wanted)
        message(SEND_ERROR "table with \"${text}\": exit ${result}, not ${wanted}\n${said}")
    endif()
endfunction()
expect_table(0 "page.2 fail for a reason\n")
expect_table(1 "")
expect_table(1 "page.2 fail for a reason\npage.7 fail that nobody bears\n")
