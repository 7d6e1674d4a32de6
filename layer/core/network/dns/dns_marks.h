/* Which fds may lead to a name server.
 *
 * The fd of a UDP socket is marked when the socket is made, copied or handed over, and stays
 * marked: before bytes leave by a marked fd, the kernel is asked where to. In a program that
 * makes no UDP sockets itself (libc makes those of lookups internally), all of this costs one
 * load. */
#ifndef FS_DNS_MARKS_H
#define FS_DNS_MARKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "network/addresses.h"

enum { DNS_FDS = 4096 }; /* that have a mark of their own; higher fds count as marked */

extern atomic_bool dns_any; /* something is marked */
extern _Atomic uint64_t dns_marks[DNS_FDS / 64];

static inline bool dns_is_marked(int fd)
{
    if (__builtin_expect(!atomic_load_explicit(&dns_any, memory_order_relaxed), 1) || fd < 0)
        return false;
    return fd >= DNS_FDS ||
           (atomic_load_explicit(&dns_marks[fd / 64], memory_order_relaxed) >> (fd % 64) & 1) != 0;
}

/* Call it in a program that another one started. `inherited`: that one had UDP sockets, and this
 * one may have them at any fd. */
void dns_start(bool inherited);
void dns_mark(int fd);
/* `to` is a copy of `from`, which is watched. */
void dns_mark_copy(int from, int to);
/* `fd` is a UDP socket, or a stream to a name server of the system. Asks the kernel. */
bool dns_may_ask(int fd);

struct dns_peer {
    char bytes[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    socklen_t size;
};
/* 0 or -errno: -ENOTCONN for a socket without a peer, -ENOTSOCK for another file. */
long dns_peer_of(int fd, struct dns_peer *peer);
/* A name server of the system, on its port. */
bool dns_is_resolver(const struct dns_peer *peer);
bool dns_leads_to_resolver(int fd);
bool dns_is_udp(int fd);

#endif
