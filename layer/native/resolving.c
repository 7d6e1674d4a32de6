/* Asking for a name that may be asked for. */
#include "resolving.h"

#include "addresses.h"
#include "guard.h"
#include "resolvers.h"

/* After guard.h: this header renames the resolver's functions by macros, and the doors are named without. */
#include <netinet/in.h>
#include <arpa/nameser.h>
#include <resolv.h>

/* Every server that would be asked was in /etc/resolv.conf when this process began. A server of somebody else's would answer
 * with whatever address it likes to have allowed. */
static bool asks_the_system(const struct __res_state *state)
{
    for (int i = 0; i < state->nscount && i < MAXNS; i++) {
        struct address server;
        if (state->nsaddr_list[i].sin_family == 0 && state->_u._ext.nsaddrs[i] != NULL)
            address_read(state->_u._ext.nsaddrs[i], sizeof *state->_u._ext.nsaddrs[i], false, &server);
        else
            address_read(&state->nsaddr_list[i], sizeof state->nsaddr_list[i], false, &server);
        if (server.kind != ADDRESS_IP || server.port != RESOLVERS_PORT || !resolvers_has(server.ip, server.version)) return false;
    }
    return true;
}

/* Where somebody changed the state, it is read from the file again. */
static bool make_ready(struct __res_state *state)
{
    if ((state->options & RES_INIT) == 0 && res_ninit(state) != 0) return false;
    if (LIKELY(asks_the_system(state))) return true;
    res_nclose(state);
    return res_ninit(state) == 0 && asks_the_system(state);
}

bool resolving_begin(struct resolving *resolving, bool absolute)
{
    resolving->absolute = absolute;
    guard_thread.resolving++;
    if (!absolute) return true;
    /* The options are the thread's own; libc (2.26 and newer) uses a state that somebody changed as it stands. */
    struct __res_state *state = __res_state();
    if (!make_ready(state)) {
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
