/* Asking for a name that may be asked for. */
#include "resolving.h"

#include "guard.h"

/* After guard.h: this header renames the resolver's functions by macros, and the doors are named without. */
#include <netinet/in.h>
#include <arpa/nameser.h>
#include <resolv.h>

bool resolving_begin(struct resolving *resolving, bool absolute)
{
    resolving->absolute = absolute;
    guard_thread.resolving++;
    if (!absolute) return true;
    /* The options are the thread's own; libc (2.26 and newer) uses a state that somebody changed as it stands. */
    struct __res_state *state = __res_state();
    if ((state->options & RES_INIT) == 0 && res_ninit(state) != 0) {
        guard_thread.resolving--;
        return false;
    }
    resolving->options = state->options;
    state->options = (state->options & ~(unsigned long)(RES_DEFNAMES | RES_DNSRCH)) | RES_NOALIASES;
    return true;
}

void resolving_end(const struct resolving *resolving)
{
    guard_thread.resolving--;
    if (!resolving->absolute) return;
    struct __res_state *state = __res_state();
    const unsigned long ours = RES_DEFNAMES | RES_DNSRCH | RES_NOALIASES;
    state->options = (state->options & ~ours) | (resolving->options & ours);
}

void *resolving_state(void)
{
    return __res_state();
}
