/* Asking for a name that may be asked for: as it stands, on this thread, with the doors told. */
#ifndef FS_RESOLVING_H
#define FS_RESOLVING_H

#include <stdbool.h>

struct resolving {
    bool absolute;
    unsigned long options;
};

/* From here to the end the thread is in a look-up: its own queries pass. With `absolute` neither search lists (LOCALDOMAIN,
 * resolv.conf) nor HOSTALIASES nor RES_OPTIONS' ndots make another name of it; /etc/hosts goes on working.
 * False where the resolver cannot be made ready, or would ask another server than this process began with: nothing may be
 * asked then. */
bool resolving_begin(struct resolving *resolving, bool absolute);
/* Keeps errno. */
void resolving_end(const struct resolving *resolving);

/* The thread's own resolver state, whose servers are those of /etc/resolv.conf. */
void *resolving_state(void);

#endif
