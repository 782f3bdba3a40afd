// A program whose child returns from main(), where what the parent hears by is an automatic variable: `fork_main KIND` ends
// with 0 when the parent then hears of 200 posts all (or none, of Asio's own descriptor).
#include "subject.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sys/wait.h>
#include <unistd.h>

using namespace sigev_tests;

namespace {

constexpr int posts = 200;

const kind* find(const char* name)
{
    for (const kind& k : kinds_of_subject)
        if (std::strcmp(k.name, name) == 0)
            return &k;
    return nullptr;
}

} // namespace

int main(int argc, char** argv)
{
    const kind* const of = argc == 2 ? find(argv[1]) : nullptr;
    if (!of)
        return 2;
    const auto it = of->make();
    if (!it->hears([] {}))
        return 3;
    const pid_t pid = fork();
    if (pid == 0)
        return 0;
    int status = -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 4;
    int heard = 0;
    for (int i = 0; i != posts; ++i)
        if (it->hears([] {}))
            ++heard;
        else if (of->is_ours())
            break;
    std::printf("the parent has heard %d of %d posts; the child ended with %#x\n", heard, posts, static_cast<unsigned>(status));
    return heard == (of->is_ours() ? posts : 0) && status == 0 ? 0 : 1;
}
