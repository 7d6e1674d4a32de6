/* The library that holds libc's resolver. See guard.h. */
#include "guard/guard.h"
#include "libc/symbols.h"

bool guard_is_resolver(const void *caller)
{
    struct symbols_object own, resolver;
    const void *function = SYMBOLS_HAVE(res_nsend) ? (const void *)(uintptr_t)real.res_nsend
                                                   : (const void *)(uintptr_t)real.__res_nsend;
    return symbols_object_of(caller, &own) && symbols_object_of(function, &resolver) &&
           own.base == resolver.base;
}
