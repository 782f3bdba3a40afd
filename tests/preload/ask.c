/* ask FILE|- [NAME[@VERSION]...]: loads a plug-in and says where each of its functions is, or asks the dynamic linker for
 * names, with or without a version, and says whose they are: one line "NAME[@VERSION] FILE" each. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static void say(const char *what, void *function)
{
    Dl_info in;
    if (function && dladdr(function, &in))
        printf("%s %s\n", what, in.dli_fname);
    else
        printf("%s nobody\n", what);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "-") != 0 && !dlopen(argv[1], RTLD_NOW | RTLD_LOCAL)) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    for (int i = 2; i < argc; ++i) {
        char name[64];
        const char *version = strchr(argv[i], '@');
        if (!version) {
            say(argv[i], dlsym(RTLD_DEFAULT, argv[i]));
            continue;
        }
        if ((size_t)(version - argv[i]) >= sizeof name)
            return 2;
        memcpy(name, argv[i], (size_t)(version - argv[i]));
        name[version - argv[i]] = '\0';
        say(argv[i], dlvsym(RTLD_DEFAULT, name, version + 1));
    }
    return 0;
}
