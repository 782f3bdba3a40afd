// What the executables and the plug-in run: all of the header-only shell, on a context of their own. Each is compiled with
// settings of its own, and all run against one libsigev.so.
#pragma once

/// 0, or the number of the first part that failed.
extern "C" __attribute__((visibility("default"))) int run_shell();
