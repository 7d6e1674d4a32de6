/* libc's own clients of other machines (the r-commands, Sun RPC), which dial from within libc where no door sees it.
 * Nobody's function needs them: they are refused as a kind, in the mode of outbound_connectivity. */
#include <errno.h>

#include "guard.h"
#include "network.h"

static bool passes(bool there, const char *symbol, const void *caller)
{
    if (there && !network_refuses_kind("dial from within libc", symbol, caller)) return true;
    errno = there ? EACCES : ENOSYS;
    return false;
}

#define PASSES(symbol) (!guard_ready() ? real.symbol != NULL : passes(real.symbol != NULL, #symbol, CALLER()))

DOOR int rcmd(char **host, unsigned short port, const char *local, const char *remote, const char *command, int *error)
{
    return PASSES(rcmd) ? real.rcmd(host, port, local, remote, command, error) : -1;
}

DOOR int rcmd_af(char **host, unsigned short port, const char *local, const char *remote, const char *command,
                 int *error, sa_family_t family)
{
    return PASSES(rcmd_af) ? real.rcmd_af(host, port, local, remote, command, error, family) : -1;
}

DOOR int rexec(char **host, int port, const char *user, const char *password, const char *command, int *error)
{
    return PASSES(rexec) ? real.rexec(host, port, user, password, command, error) : -1;
}

DOOR int rexec_af(char **host, int port, const char *user, const char *password, const char *command, int *error,
                  sa_family_t family)
{
    return PASSES(rexec_af) ? real.rexec_af(host, port, user, password, command, error, family) : -1;
}

DOOR int ruserok(const char *host, int privileged, const char *remote, const char *local)
{
    return PASSES(ruserok) ? real.ruserok(host, privileged, remote, local) : -1;
}

DOOR int ruserok_af(const char *host, int privileged, const char *remote, const char *local, sa_family_t family)
{
    return PASSES(ruserok_af) ? real.ruserok_af(host, privileged, remote, local, family) : -1;
}

DOOR void *clnt_create(const char *host, unsigned long program, unsigned long version, const char *protocol)
{
    return PASSES(clnt_create) ? real.clnt_create(host, program, version, protocol) : NULL;
}

DOOR void *clnttcp_create(void *address, unsigned long program, unsigned long version, int *fd, unsigned sending,
                          unsigned receiving)
{
    return PASSES(clnttcp_create) ? real.clnttcp_create(address, program, version, fd, sending, receiving) : NULL;
}

DOOR void *clntudp_create(void *address, unsigned long program, unsigned long version, struct timeval wait, int *fd)
{
    return PASSES(clntudp_create) ? real.clntudp_create(address, program, version, wait, fd) : NULL;
}

DOOR void *clntudp_bufcreate(void *address, unsigned long program, unsigned long version, struct timeval wait, int *fd,
                             unsigned sending, unsigned receiving)
{
    return PASSES(clntudp_bufcreate) ? real.clntudp_bufcreate(address, program, version, wait, fd, sending, receiving) : NULL;
}

DOOR int clnt_broadcast(unsigned long program, unsigned long version, unsigned long procedure, void *write_request,
                        void *request, void *read_result, void *result, void *each)
{
    return PASSES(clnt_broadcast) ? real.clnt_broadcast(program, version, procedure, write_request, request, read_result, result, each) : 12 /* RPC_SYSTEMERROR */;
}

DOOR int callrpc(const char *host, unsigned long program, unsigned long version, unsigned long procedure,
                 void *write_request, const char *request, void *read_result, char *result)
{
    return PASSES(callrpc) ? real.callrpc(host, program, version, procedure, write_request, request, read_result, result) : 12 /* RPC_SYSTEMERROR */;
}

DOOR int getrpcport(const char *host, unsigned long program, unsigned long version, unsigned protocol)
{
    return PASSES(getrpcport) ? real.getrpcport(host, program, version, protocol) : 0;
}

DOOR void *pmap_getmaps(void *address)
{
    return PASSES(pmap_getmaps) ? real.pmap_getmaps(address) : NULL;
}

DOOR unsigned short pmap_getport(void *address, unsigned long program, unsigned long version, unsigned protocol)
{
    return PASSES(pmap_getport) ? real.pmap_getport(address, program, version, protocol) : 0;
}

DOOR int pmap_rmtcall(void *address, unsigned long program, unsigned long version, unsigned long procedure,
                      void *write_request, char *request, void *read_result, char *result, struct timeval wait, unsigned long *port)
{
    return PASSES(pmap_rmtcall) ? real.pmap_rmtcall(address, program, version, procedure, write_request, request, read_result, result, wait, port) : 12 /* RPC_SYSTEMERROR */;
}

DOOR int rtime(void *address, struct timeval *time, struct timeval *wait)
{
    return PASSES(rtime) ? real.rtime(address, time, wait) : -1;
}

DOOR int iruserok(uint32_t host, int privileged, const char *remote, const char *local)
{
    return PASSES(iruserok) ? real.iruserok(host, privileged, remote, local) : -1;
}

DOOR int iruserok_af(const void *host, int privileged, const char *remote, const char *local, sa_family_t family)
{
    return PASSES(iruserok_af) ? real.iruserok_af(host, privileged, remote, local, family) : -1;
}

/* Looks up every name in a stream that the caller made. */
DOOR int __ivaliduser(FILE *hosts, uint32_t host, const char *local, const char *remote)
{
    return PASSES(__ivaliduser) ? real.__ivaliduser(hosts, host, local, remote) : -1;
}

DOOR void *__libc_clntudp_bufcreate(void *address, unsigned long program, unsigned long version, struct timeval wait, int *fd,
                                    unsigned sending, unsigned receiving, int flags)
{
    return PASSES(__libc_clntudp_bufcreate)
               ? real.__libc_clntudp_bufcreate(address, program, version, wait, fd, sending, receiving, flags)
               : NULL;
}

DOOR unsigned short __libc_rpc_getport(void *address, unsigned long program, unsigned long version, unsigned protocol,
                                       time_t wait, time_t total)
{
    return PASSES(__libc_rpc_getport) ? real.__libc_rpc_getport(address, program, version, protocol, wait, total) : 0;
}

/* Both ask the time of the address that they are given. */
DOOR void *authdes_create(const char *server, unsigned window, void *clock, void *key)
{
    return PASSES(authdes_create) ? real.authdes_create(server, window, clock, key) : NULL;
}

DOOR void *authdes_pk_create(const char *server, void *public, unsigned window, void *clock, void *key)
{
    return PASSES(authdes_pk_create) ? real.authdes_pk_create(server, public, window, clock, key) : NULL;
}

#include "aliases_remote.gen.h"
