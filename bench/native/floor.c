/* The floor: a preloaded library with an audit hook that does nothing. No guard of this kind can
 * cost less. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

static int hook(const char *event, void *arguments, void *data)
{
    (void)event;
    (void)arguments;
    (void)data;
    return 0;
}

__attribute__((constructor)) static void start(void)
{
    int (*add)(int (*)(const char *, void *, void *), void *);
    *(void **)&add = dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
    if (add) add(hook, NULL);
}
