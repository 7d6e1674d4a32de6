/* Symbols. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "acts.h"

void symbols(void)
{
    static const char *const wanted[] = {"open",  "connect", "close",          "malloc",
                                         "dlsym", "fork",    "no_such_symbol", "_Fork"};
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), *self = dlopen(NULL, RTLD_LAZY);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        printf("%s: %d %d %d %d\n", wanted[i], dlsym(RTLD_DEFAULT, wanted[i]) != NULL,
               dlsym(RTLD_NEXT, wanted[i]) != NULL, dlsym(libc, wanted[i]) != NULL,
               dlsym(self, wanted[i]) != NULL);
    dlerror();
    dlsym(libc, "no_such_symbol");
    char *error = dlerror();
    printf("%s\n", error ? strchr(error, ':') : "no error");
    printf("%s\n", dlopen("/nonexistent/lib.so", RTLD_NOW) ? "loaded" : dlerror());
    printf("same: %d %d\n", dlsym(libc, "open") == dlsym(RTLD_DEFAULT, "open"),
           dlsym(self, "open") == (void *)open);
    printf("versioned: %d %d\n",
           dlvsym(libc, "connect", "GLIBC_2.2.5") != NULL ||
               dlvsym(libc, "connect", "GLIBC_2.17") != NULL,
           dlvsym(libc, "connect", "NONE") != NULL);
    int (*opener)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(libc, "open");
    printf("called: %d\n", opener("/etc/passwd", O_RDONLY) >= 0);
    printf("LD_PRELOAD: %s\n", getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "-");
    fflush(stdout);
    system("echo in a child: ${LD_PRELOAD--} ${FUNCTION_SHIELD_STATE--}");
}
