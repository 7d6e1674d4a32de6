/* Programs that speak DNS themselves: over UDP, to the system's name servers, one plain question
 * about an allowed name at a time; what they answer is learnt.
 */
#ifndef FS_DNS_SOCKET_H
#define FS_DNS_SOCKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "guard/guard.h"
#include "network/dns/dns_marks.h"

extern _Atomic unsigned dns_outstanding; /* questions that were sent but not answered */

/* `fd` may be a UDP socket, or libc's own stream to a name server. */
static inline bool dns_watches(int fd) { return dns_is_marked(fd) || guard_has_lookups(); }

/* An answer may be waiting at `fd`. */
static inline bool dns_expects(int fd)
{
    return __builtin_expect(atomic_load_explicit(&dns_outstanding, memory_order_relaxed) != 0, 0) &&
           dns_watches(fd);
}

/* connect() to a name server. Returns true if the call was made or refused here: `*result` and
 * errno are the call's. Returns false for anything but UDP, which is judged like any other
 * destination. */
bool dns_connects(int fd, const void *address, socklen_t size, const void *caller, int *result);

/* A UDP socket is about to be connected to an allowed host without a port. Resolvers do this to ask
 * the kernel which source address it would choose (RFC 6724, c-ares and gRPC). The socket is
 * marked, and where something blocks nothing leaves by it. */
bool dns_probes(int fd);

/* Before a message leaves by `fd`, which is marked, or goes to a name server. `message` may have an
 * address, which is a copy. Returns true if the message was sent or refused here: `*result` and
 * errno are the call's. */
bool dns_sends(int fd, const struct msghdr *message, int flags, const void *caller,
               ssize_t *result);
/* The same for calls on a marked fd whose bytes the door cannot read. Returns true if it must fail:
 * errno is set. */
bool dns_refuses_unseen(int fd, const void *caller);

/* Before a receive on a socket that may have an answer waiting: reads the answer in the kernel's
 * queue, and learns from it. Returns true if the call failed here: the result is -1, and errno is
 * set. */
bool dns_receives(int fd, int flags);

/* Reports a copy of an fd that is connected to a name server, or is libc's: its state is
 * recorded by fd, which a copy would escape. Returns true if the call must fail with EACCES. */
bool dns_refuses_copy(int fd, const void *caller);
/* `fd` is a UDP socket and about to become a stdio stream, which writes from within libc. As above.
 */
bool dns_refuses_stream(int fd, const void *caller);
/* `address` is one that answers come from. As above. */
bool dns_refuses_bind(const void *address, size_t size, const void *caller);
/* An option that holds datagrams back and joins the bytes of several calls into one. As above. */
bool dns_refuses_option(int level, int name, const void *caller);

#endif
