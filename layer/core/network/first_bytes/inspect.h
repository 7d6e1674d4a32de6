/* The first bytes of connections that a name allowed: which host they name.
 *
 * All buckets of a region share addresses, and so do all customers of a CDN. Only the TLS server
 * name, or `Host` on port 80, tells the destination. It must be the name that was allowed, or
 * another name that the same entry allows. The doors judge and send their own copy of the bytes. */
#ifndef FS_INSPECT_H
#define FS_INSPECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "network/addresses.h"
#include "network/first_bytes/pending.h"

struct network_target;
/* Before a socket is connected to an allowed destination, if network_reads_bytes, or if
 * guard_has_pending, since an earlier connection may be in the table: remembers which bytes must
 * come first. `connecting` is false if a datagram is about to be sent there. Returns true if the
 * call must fail with EACCES, which is reported. */
bool inspect_connects(int fd, const struct network_target *target, bool connecting,
                      const void *caller);

/* Before a caller other than the client connects to the Runtime API: the connection may carry one
 * whole request of `permits`, and nothing more. Returns false if it cannot be remembered. */
bool inspect_permits(int fd, const struct address *address, uint8_t permits);

/* Before a receive, if pending_hears_any(): a proxy's answer to CONNECT decides what may be sent
 * next. Returns true if the call was made here: `*result` and errno are those of the call. */
bool inspect_receives(int fd, const struct msghdr *message, int flags, ssize_t *result);
/* The same for one buffer. */
bool inspect_reads(int fd, void *bytes, size_t size, int flags, ssize_t *result);
/* A peek would not show the bytes that are received next (SO_PEEK_OFF). */
bool inspect_peeks_elsewhere(int fd);
/* Call it if bytes may have been received that no door saw. */
void inspect_received_unseen(int fd);

/* `close` closed the last fd of a connection with bytes that were written but not sent. */
void inspect_closed(const struct pending *entry, const void *caller);

/* Before bytes leave, if guard_has_pending(). `message` has the vectors; its name and control are
 * passed on. Returns true if the call was made or refused here: `*result` and errno are those of
 * the call.
 */
bool inspect_sends(int fd, const struct msghdr *message, int flags, const void *caller,
                   ssize_t *result);
/* The same for calls whose bytes no door can read. Returns true if it must fail with EACCES, which
 * is reported. */
bool inspect_refuses_unseen(int fd, const void *caller);

/* Before `fd` is passed to another process. Returns true if it may not be, which is reported. */
bool inspect_refuses_passing(int fd, const void *caller);
/* `fd` came from another process, or existed before this program began. It may be used if its
 * peer's address is allowed. Returns true if it must be closed, which is reported. */
bool inspect_refuses_received(int fd, const void *caller);
/* Before `fd` becomes a stdio stream, which writes inside libc. Returns true if it may not, which
 * is reported. */
bool inspect_refuses_stream(int fd, const void *caller);
/* Before `from` is duplicated to the fd `to`, which a stream may use. */
bool inspect_refuses_fd(int from, int to, const void *caller);

/* Before `from` is duplicated to the fd `to`: if `from` is an inspected connection, waits for
 * threads that inspected `to` before, and keeps others waiting until fd_use_releases
 * (`*claimed`). Returns true if it may not be: reported. */
bool inspect_refuses_move(int from, int to, bool *claimed, const void *caller);
/* dup to the lowest free fd from `least` on, with flags of dup3. Returns the fd, or -1 and errno.
 */
int inspect_copies(int fd, int least, int flags, const void *caller);
/* `fd` is an inspected connection. */
bool inspect_watches(int fd);

/* A new fd, which the kernel chose, duplicates another. Returns true if it must be closed:
 * reported. */
bool inspect_refuses_copy(int copy, const void *caller);
/* The socket of `fd` is also at a standard fd, or at the fd of a stdio stream. */
bool inspect_is_stream(int fd);
/* `fd` is a standard fd, or the fd of a stdio stream. */
bool inspect_has_stream(int fd);

/* In a program that another one started: inspects the sockets that it inherited. */
void inspect_start(void);
/* Before a fork or the start of a program, and in the child. A connection is only in the table of
 * the process that makes it; another process that shares the socket does not know of it. Returns
 * false if the table has no room for all shared sockets, which is reported. */
bool inspect_shares(void);

/* This process has forked or started a program, or was started so. Other processes may have its
 * sockets. */
extern atomic_bool inspect_shared;
/* Threads that are about to do so. A socket made now may also belong to the child, and was not
 * there to be inspected. */
extern atomic_uint inspect_sharing;
extern atomic_uint inspect_shares_begun; /* how many have begun: one may begin and end in between */
/* Around a fork or the start of a program, in the parent. The first includes inspect_shares, and
 * returns false if the act must fail. Call the second in any case. */
bool inspect_sharing_begins(void);
void inspect_sharing_ends(void);
/* `fd` was made in between. Returns it, or -1 and ENOBUFS if the table is full and it was closed.
 */
int inspect_made(int fd);

/* Around a call that makes an fd or moves one: a thread that lists the fds of this process may see
 * it at neither place. inspect_making_ends takes the value of inspect_making_begins, and returns
 * the fd or -1, as inspect_made does. */
static inline unsigned inspect_making_begins(void) { return atomic_load(&inspect_shares_begun); }
static inline int inspect_making_ends(unsigned begun, int fd)
{
    bool meanwhile =
        atomic_load(&inspect_sharing) > 0 || atomic_load(&inspect_shares_begun) != begun;
    return __builtin_expect(meanwhile, 0) && fd >= 0 ? inspect_made(fd) : fd;
}

/* Before `fd` is dissolved (connect to AF_UNSPEC). Another process that shares the socket could
 * then connect it elsewhere. So a shared TCP socket is not connected to a name's address again.
 * Returns true if the call must fail with EACCES, which is reported. */
bool inspect_refuses_dissolving(int fd, const void *caller);
/* Before a datagram leaves for the peer of `fd`. Another process may have connected it. Returns as
 * inspect_refuses_unseen does. */
bool inspect_refuses_datagram(int fd, const struct address *address, const void *caller);
/* Before `fd` is passed to another process: the same. Returns false if it must fail, which is
 * reported. */
bool inspect_passes(int fd);

#endif
