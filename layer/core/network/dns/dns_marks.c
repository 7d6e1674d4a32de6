/* Which fds may lead to a name server. See dns_marks.h. */
#include "network/dns/dns_marks.h"

#include <netinet/in.h>
#include <string.h>

#include "guard/guard.h"
#include "network/first_bytes/pending.h"
#include "network/network.h"
#include "support/sys.h"

atomic_bool dns_any;
_Atomic uint64_t dns_marks[DNS_FDS / 64];

bool dns_is_resolver(const struct dns_peer *peer)
{
    struct address address;
    address_read(peer->bytes, peer->size, false, &address);
    return network_is_resolver(&address);
}

long dns_peer_of(int fd, struct dns_peer *peer)
{
    peer->size = sizeof peer->bytes;
    return sys_call(SYS_getpeername, fd, peer->bytes, &peer->size);
}

bool dns_leads_to_resolver(int fd)
{
    struct dns_peer peer;
    return dns_peer_of(fd, &peer) == 0 && dns_is_resolver(&peer);
}

bool dns_is_udp(int fd) { return sys_socket_option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP; }

void dns_mark(int fd)
{
    if (fd < 0) return;
    if (fd < DNS_FDS)
        atomic_fetch_or_explicit(&dns_marks[fd / 64], UINT64_C(1) << (fd % 64),
                                 memory_order_relaxed);
    atomic_store_explicit(&dns_any, true, memory_order_release);
}

bool dns_may_ask(int fd) { return dns_is_udp(fd) || dns_leads_to_resolver(fd); }

void dns_mark_copy(int from, int to)
{
    if (dns_is_marked(from) || dns_may_ask(to)) dns_mark(to);
}

static void mark(void *context, int fd)
{
    (void)context;
    if (dns_may_ask(fd)) dns_mark(fd);
}

void dns_start(bool inherited)
{
    /* Marks what an earlier program opened, or every fd if those cannot be listed. */
    if (!inherited || pending_each_fd(mark, NULL)) return;
    for (unsigned i = 0; i < DNS_FDS / 64; i++) atomic_store(&dns_marks[i], ~UINT64_C(0));
    atomic_store(&dns_any, true);
}
