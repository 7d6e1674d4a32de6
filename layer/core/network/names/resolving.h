/* Looking up a name that is allowed, as it is spelled. The doors let this thread's queries pass. */
#ifndef FS_RESOLVING_H
#define FS_RESOLVING_H

#include <stdbool.h>

#include "guard/marks.h"

struct resolving {
    bool absolute;
    unsigned long options;
    struct mark before;
};

/* From here to resolving_end the thread is in a lookup, and its queries pass. With `absolute`,
 * search lists (LOCALDOMAIN, resolv.conf), HOSTALIASES and ndots of RES_OPTIONS do not change the
 * name; /etc/hosts still works. `frame` is the frame of the function that also calls resolving_end.
 * Returns false if the resolver cannot be made ready, or would ask another server than this process
 * began with. Then nothing may be asked. */
bool resolving_begin(struct resolving *resolving, bool absolute, uintptr_t frame);
/* Keeps errno. */
void resolving_end(const struct resolving *resolving);

/* The resolver state has other servers than those of /etc/resolv.conf. NULL means the thread's own
 * state. Changes nothing. */
bool resolving_is_redirected(const void *state);

/* No lookup has read the configuration into the resolver state yet. NULL means the thread's own. */
bool resolving_is_unread(const void *state);

enum { RESOLVING_DOMAINS = 7 };

/* The domains in which a lookup of a name with `dots` dots searched, by this resolver state. NULL
 * means the thread's own. Returns their count. */
unsigned resolving_domains(const void *state, unsigned dots, bool failed,
                           const char *domains[RESOLVING_DOMAINS]);

/* The thread's own resolver state, whose servers are those of /etc/resolv.conf. */
void *resolving_state(void);

#endif
