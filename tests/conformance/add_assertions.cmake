# Run by ctest: adds a test for each assertion of a column. In: runner, program, column, expected, preload.
execute_process(
    COMMAND ${program} --list
    RESULT_VARIABLE result
    OUTPUT_VARIABLE lines
    ERROR_QUIET)
string(REGEX MATCHALL "(^|\n)[a-z0-9_]+[.][0-9]+" ids "${lines}")
if(NOT result EQUAL 0 OR ids STREQUAL "")
    add_test("conformance.${column}.lists_its_assertions" "${program}" --list-is-empty)
endif()
foreach(id IN LISTS ids)
    string(STRIP "${id}" id)
    add_test("conformance.${column}.${id}" "${runner}" "${expected}" "${program}" "${id}")
    set_tests_properties("conformance.${column}.${id}" PROPERTIES TIMEOUT 40 SKIP_RETURN_CODE 77)
    if(preload)
        set_tests_properties("conformance.${column}.${id}" PROPERTIES ENVIRONMENT "LD_PRELOAD=${preload}")
    endif()
endforeach()
