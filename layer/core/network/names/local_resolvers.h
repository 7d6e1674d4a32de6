/* AF_UNIX sockets through which libc and its modules ask a resolver on this machine, before any
 * name server. */
#ifndef FS_LOCAL_RESOLVERS_H
#define FS_LOCAL_RESOLVERS_H

#include <stdbool.h>

/* Notes which of them exist, or takes over the parent's notes. Call it before any code of the
 * program runs, and after facts_start. */
void local_resolvers_start(void);
/* The path of a socket that is not the one that was noted, unless another user made it. A process
 * that listens there could answer for allowed names with any address. NULL if there is none. Looks
 * at the one to which libc itself connects, and with `any` at those to which its modules do. */
const char *local_resolvers_changed(bool any);

/* At least one existed at start. */
bool local_resolvers_any(void);

/* `path` is a socket through which such a resolver is asked for hosts, or may be: SSSD's, where it
 * has changed. */
bool local_resolvers_is(const char *path);

#endif
