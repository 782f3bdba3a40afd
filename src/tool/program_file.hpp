// Whether a program can be put on the drop-in, told from its file alone.
#pragma once

#include <string>
#include <string_view>

namespace sigev::tool {

/// The file that execvp() would take. Throws usage_error when there is none.
std::string find_program(const std::string& name);

/// Why the drop-in cannot serve the program, or nothing: then it can. A script is judged by its interpreter. Throws
/// usage_error when the file is no program or cannot be read.
std::string refusal(const std::string& path);

/// The first line of a script: "#!interpreter argument". Empty when it is none.
std::string interpreter_of(std::string_view head);

} // namespace sigev::tool
