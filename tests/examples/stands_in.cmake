# The file `example` stands in the file `readme` word by word.
file(READ ${example} text)
file(READ ${readme} all)
string(FIND "${all}" "${text}" place)
if(place EQUAL -1)
    message(FATAL_ERROR "${readme} does not hold ${example} as it is")
endif()
