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

extern _Atomic unsigned dns_outstanding; /* questions that have left and were not answered */

/* `fd` may be a UDP socket, or libc's own stream to a name server. */
static inline bool dns_watches(int fd) { return dns_is_marked(fd) || guard_has_lookups(); }

/* An answer may be waiting at `fd`. */
static inline bool dns_expects(int fd)
{
    return __builtin_expect(atomic_load_explicit(&dns_outstanding, memory_order_relaxed) != 0, 0) &&
           dns_watches(fd);
}

/* connect() to a name server. True where it was dealt with: `*result` and errno are the call's.
 * False for anything but UDP, which is judged as any other destination. */
bool dns_connects(int fd, const void *address, socklen_t size, const void *caller, int *result);

/* `fd` is a UDP socket that is about to be connected to no port of a host that is allowed: how
 * resolvers ask the kernel which address they would come from (RFC 6724, c-ares and gRPC). It is
 * marked, and where something blocks nothing leaves by it. */
bool dns_probes(int fd);

/* Before a message leaves by `fd`: by a marked number, or to a name server. `message` may name an
 * address, which is a copy. True where it was dealt with: `*result` and errno are the call's. */
bool dns_sends(int fd, const struct msghdr *message, int flags, const void *caller,
               ssize_t *result);
/* The same for calls whose bytes cannot be seen, by a marked number. */
bool dns_sends_unseen(int fd, const void *caller, ssize_t *result);

/* Before something is received where an answer may be waiting: it is looked at in the kernel's own
 * queue, and learnt. True where the call failed here: it is -1, and errno is set. */
bool dns_receives(int fd, int flags);

/* `fd` is connected to a name server, or libc's: a copy would get around what is kept by fd.
 * Reported; true where it must fail with EACCES. */
bool dns_refuses_copy(int fd, const void *caller);
/* `fd` is a UDP socket and about to become a stdio stream, which writes from within libc. As above.
 */
bool dns_refuses_stream(int fd, const void *caller);
/* `address` is one that answers come from. As above. */
bool dns_refuses_bind(const void *address, size_t size, const void *caller);
/* An option that holds datagrams back, so that one is put together from several calls. As above. */
bool dns_refuses_option(int level, int name, const void *caller);

#endif
