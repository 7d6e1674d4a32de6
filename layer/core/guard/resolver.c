/* The libraries that hold libc's resolver. See guard.h. */
#include "guard/guard.h"

#include <string.h>

#include "libc/symbols.h"

/* Before glibc 2.34 the resolver is a library of its own, which libc's DNS module calls. Both lie
 * beside libc, where the program cannot put a file. */
static bool lies_beside(const char *path, const char *libc)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash + 1 - path) : 0;
    if (size == 0 || strncmp(path, libc, size) != 0 || strchr(libc + size, '/')) return false;
    return strncmp(path + size, "libresolv", 9) == 0 || strncmp(path + size, "libnss_dns", 10) == 0;
}

bool guard_is_resolver(const void *caller)
{
    struct symbols_object own, libc;
    return symbols_object_of(caller, &own) &&
           symbols_object_of((const void *)(uintptr_t)real.getaddrinfo, &libc) &&
           (own.base == libc.base || lies_beside(own.path, libc.path));
}
