/* Doors that only refuse, as doors.table says: the generated ones make libc's call unless one of
 * the judges here refuses. */
#include <netdb.h>
#include <string.h>

#include "guard/guard.h"
#include "events/events.h"
#include "libc/symbols.h"
#include "memory/native.h"
#include "network/network.h"
#include "support/copied.h"

/* Acts that reach into a guarded process, or change what its paths mean. No policy allows them
 * while anything is blocked. `object` may be the caller's text. */
static bool refusing_integrity(const char *verb, const char *object, const void *caller)
{
    COPY_PATH(copy, object);
    return integrity_refused(verb, copy.text, caller);
}

/* libc's own network clients (the r-commands, Sun RPC) connect inside libc, where no door sees it.
 * Refused in the mode of outbound_connectivity. */
static bool refusing_network(const char *verb, const char *symbol, const void *caller)
{
    return network_refuses_kind(verb, symbol, caller);
}

/* libc's DNS module. libc calls it from a lookup that a door let through; any other caller can use
 * getaddrinfo. */
static bool refusing_resolver(const char *verb, const char *symbol, const void *caller)
{
    return !guard_resolving_for(caller) && refusing_network(verb, symbol, caller);
}

/* libc calls an address that it reads from an fd of its own, which Python code can replace. */
static bool refusing_native(const char *verb, const char *symbol, const void *caller)
{
    return !guard_ignores(FS_NATIVE) && native_refused(verb, symbol, caller);
}

/* Looks up functions of libc's modules by name. libc's module for old user databases needs those
 * for users. Those for hosts and networks are refused: lookups go through the doors. */
DOOR void *__nss_lookup_function(void *module, const char *name)
{
    COPY_PATH(copy, name);
    if (copy.error) return NULL;
    if (guard_ready() &&
        (strncmp(copy.text, "gethost", 7) == 0 || strncmp(copy.text, "getnetby", 8) == 0 ||
         strncmp(copy.text, "getcanon", 8) == 0) &&
        refusing_resolver("ask the resolver's inside", copy.text, CALLER()))
        return NULL;
    return real.__nss_lookup_function(module, COPIED_BY_HAND(copy.text, name));
}

#include "doors_refusing.gen.h"
