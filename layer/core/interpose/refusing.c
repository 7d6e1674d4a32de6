/* Doors that only refuse, as doors.table says: the generated ones make libc's call unless one of
 * the judges here refuses. */
#include <netdb.h>

#include "guard/guard.h"
#include "events/attempts.h"
#include "libc/symbols.h"
#include "network/network.h"
#include "support/copied.h"

/* Reaches into a guarded process, or changes what a path means under it: no policy allows that
 * while anything is blocked. `object` may be the caller's text. */
static bool refusing_integrity(const char *verb, const char *object, const void *caller)
{
    COPY_PATH(copy, object);
    return integrity_refused(verb, copy.text, caller);
}

/* libc's own clients of other machines (the r-commands, Sun RPC) connect inside libc, where no door
 * sees it: refused in the mode of outbound_connectivity. */
static bool refusing_network(const char *verb, const char *symbol, const void *caller)
{
    if (!network_refuses_kind(verb, symbol, caller)) return false;
    errno = EACCES;
    return true;
}

/* libc's DNS module. libc calls it from a lookup that a door let through; any other caller can use
 * getaddrinfo. */
static bool refusing_resolver(const char *verb, const char *symbol, const void *caller)
{
    return !guard_resolving() && refusing_network(verb, symbol, caller);
}

#include "doors_refusing.gen.h"
