/* The loader's functions that libc keeps to itself, up to glibc 2.33 dlopen's way past the doors of
 * dlopen and dlsym. libc's own libraries need them; nobody else does. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "guard/guard.h"
#include "events/events.h"
#include "memory/native.h"
#include "libc/symbols.h"

static bool is_libc(const void *caller)
{
    static const char *const own[] = {"__libc_start_main", "pthread_create", "aio_read",
                                      "getaddrinfo_a", "ns_name_ntop"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (symbols_defines(caller, own[i])) return symbols_early(caller);
    return false;
}

static bool refusing_loader(const char *verb, const char *name, const void *caller)
{
    return !is_libc(caller) && integrity_refused(verb, name ? name : "", caller);
}

/* The loader itself calls its internal copy, so these doors are only for others. */
static bool stack_refused(void **end, const void *caller)
{
    return native_protect_refused(end ? *end : NULL, 1, PROT_READ | PROT_WRITE | PROT_EXEC, caller);
}

#include "doors_loader.gen.h"
