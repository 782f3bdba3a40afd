# Run by ctest, once for each test program: adds its cases. In: program, prefix, environment, wanted (a regex, or empty: all).
execute_process(
    COMMAND ${program} --list-cases
    RESULT_VARIABLE result
    OUTPUT_VARIABLE cases
    ERROR_QUIET)

if(NOT result EQUAL 0)
    # A program that was not built, cannot start or has no case is a failure, not an absence: it fails here again.
    add_test("${prefix}.lists_its_cases" "${program}" --list-cases)
else()
    string(REGEX MATCHALL "[^\n]+" cases "${cases}")
    set(found OFF)
    foreach(line IN LISTS cases)
        string(REGEX MATCH "^(.*) ([0-9]+)$" line "${line}")
        set(case "${CMAKE_MATCH_1}")
        set(deadline "${CMAKE_MATCH_2}")
        if(NOT case MATCHES "${wanted}")
            continue()
        endif()
        set(found ON)
        string(REPLACE "/" "." name "${prefix}/${case}")
        add_test("${name}" "${program}" "--run_test=${case}")
        set_tests_properties(
            "${name}" PROPERTIES TIMEOUT ${deadline} SKIP_RETURN_CODE 77 ENVIRONMENT "${environment}")
    endforeach()
    if(NOT found)
        add_test("${prefix}.has_a_case_like_${wanted}" "${CMAKE_COMMAND}" -E false)
    endif()
endif()
