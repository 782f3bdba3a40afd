// Runs the shell in this executable; then, if a plug-in is named, in the plug-in too, while a context of ours is alive.
#include "shell.hpp"

#include <sigev/dispatcher.hpp>

#include <boost/asio/io_context.hpp>

#include <dlfcn.h>

#include <cstdio>

namespace {

int run_plug_in(const char* path)
{
    void* const plug_in = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plug_in) {
        std::fprintf(stderr, "%s\n", dlerror());
        return 100;
    }
    const auto its_shell = reinterpret_cast<decltype(&run_shell)>(dlsym(plug_in, "run_shell"));
    const int failed = its_shell && its_shell != &run_shell ? its_shell() : 101;
    dlclose(plug_in);
    return failed;
}

} // namespace

int main(int argc, char** argv)
{
    boost::asio::io_context io;
    sigev::dispatcher here(io);
    int news = 0;
    sigev::subscription told(here, sigev::target::callback([](sigval v) { ++*static_cast<int*>(v.sival_ptr); }, &news));
    int failed = run_shell();
    if (failed == 0 && argc > 1)
        failed = run_plug_in(argv[1]);
    told.submit();
    while (news == 0)
        io.run_one();
    if (failed != 0)
        std::fprintf(stderr, "part %d failed\n", failed);
    return failed;
}
