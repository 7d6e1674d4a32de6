/* AF_UNIX sockets through which libc and its modules ask a resolver on this machine, before any
 * name server. */
#ifndef FS_LOCAL_RESOLVERS_H
#define FS_LOCAL_RESOLVERS_H

#include <stdbool.h>

/* Notes which of them exist, or takes over the parent's notes. Call it before any code of the
 * program runs, and after facts_start. */
void local_resolvers_start(void);
/* The path of a resolver's socket that has changed since it was noted, unless another user made the
 * new one; NULL if there is none. A process that listens there could answer for allowed names with
 * any address. Checks the socket to which libc itself connects, and with `any` also those to which
 * its modules do. */
const char *local_resolvers_changed(bool any);

/* At least one existed at start. */
bool local_resolvers_any(void);

/* `path` is the socket of such a resolver. SSSD's counts only if it has changed. */
bool local_resolvers_is(const char *path);

#endif
