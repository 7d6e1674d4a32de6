/* Looking up a name that is allowed. See resolving.h. */
#include "network/names/resolving.h"

#include "network/addresses.h"
#include "guard/guard.h"
#include "network/names/resolvers.h"
#include "support/sys.h"

/* After guard.h: this header renames the resolver's functions by macros, and the doors have the
 * names without them. */
#include <netinet/in.h>
#include <arpa/nameser.h>
#include <resolv.h>

/* Every server in the state was in /etc/resolv.conf when this process began. Another server could
 * answer with any address, which would then be allowed. */
static bool asks_the_system(const struct __res_state *state)
{
    for (int i = 0; i < state->nscount && i < MAXNS; i++) {
        struct address server;
        if (state->nsaddr_list[i].sin_family == 0 && state->_u._ext.nsaddrs[i] != NULL)
            address_read(state->_u._ext.nsaddrs[i], sizeof *state->_u._ext.nsaddrs[i], false,
                         &server);
        else
            address_read(&state->nsaddr_list[i], sizeof state->nsaddr_list[i], false, &server);
        if (server.kind != ADDRESS_IP || server.port != RESOLVERS_PORT ||
            !resolvers_has(server.ip, server.version))
            return false;
    }
    return true;
}

/* If the program changed the servers, reads the configuration file again. */
static bool make_ready(struct __res_state *state)
{
    if ((state->options & RES_INIT) == 0 && res_ninit(state) != 0) return false;
    if (LIKELY(asks_the_system(state))) return true;
    res_nclose(state);
    return res_ninit(state) == 0 && asks_the_system(state);
}

/* Sockets that an earlier lookup left open (RES_STAYOPEN) were in another fd table. */
static void forget_sockets(struct __res_state *state)
{
    state->_vcsock = -1;
    for (unsigned i = 0; i < MAXNS; i++) state->_u._ext.nssocks[i] = -1;
}

bool resolving_is_redirected(const void *given)
{
    const struct __res_state *state = given != NULL ? given : __res_state();
    return sys_readable(state, sizeof *state) && (state->options & RES_INIT) != 0 &&
           !asks_the_system(state);
}

static bool begin(struct resolving *resolving, bool absolute)
{
    resolving->absolute = absolute;
    if (!absolute) return true;
    /* The options belong to the thread. libc (2.26 and newer) uses a state that the program changed
     * as it is. */
    struct __res_state *state = __res_state();
    if (!make_ready(state)) return false;
    resolving->options = state->options;
    state->options &= ~(unsigned long)(RES_DEFNAMES | RES_DNSRCH | RES_STAYOPEN);
    state->options |= RES_NOALIASES;
    forget_sockets(state);
    return true;
}

bool resolving_begin(struct resolving *resolving, bool absolute, uintptr_t frame)
{
    resolving->before = guard_thread.resolving;
    guard_thread.resolving = (struct mark){frame, guard_thread.jumps};
    if (begin(resolving, absolute)) return true;
    guard_thread.resolving = resolving->before;
    return false;
}

void resolving_end(const struct resolving *resolving)
{
    guard_thread.resolving = resolving->before;
    if (!resolving->absolute) return;
    struct __res_state *state = __res_state();
    const unsigned long ours = RES_DEFNAMES | RES_DNSRCH | RES_STAYOPEN | RES_NOALIASES;
    state->options = (state->options & ~ours) | (resolving->options & ours);
}

void *resolving_state(void) { return __res_state(); }

bool resolving_is_unread(const void *given)
{
    const struct __res_state *state = given != NULL ? given : __res_state();
    return (state->options & RES_INIT) == 0;
}

unsigned resolving_domains(const void *given, unsigned dots, bool failed,
                           const char *domains[RESOLVING_DOMAINS])
{
    const struct __res_state *state = given != NULL ? given : __res_state();
    unsigned count = 0;
    unsigned long wanted = dots == 0 ? RES_DEFNAMES | RES_DNSRCH : RES_DNSRCH;
    if ((state->options & RES_INIT) == 0 || (state->options & wanted) == 0) return 0;
    /* A name with enough dots is first asked as it is. */
    if (dots >= state->ndots && !failed) return 0;
    while (count < MAXDNSRCH && count < RESOLVING_DOMAINS && state->dnsrch[count] != NULL) {
        domains[count] = state->dnsrch[count];
        count++;
    }
    return count;
}
