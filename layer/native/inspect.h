/* The first bytes of connections that a name allowed: which host they name.
 *
 * All buckets of a region share addresses, and so do all customers of a CDN. What an address stands for is said by the TLS
 * server name, or on port 80 by `Host`: it must be the name that was allowed, or another that the same entry allows. The bytes
 * are judged on our own copy, and the copy is what is sent. */
#ifndef FS_INSPECT_H
#define FS_INSPECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "addresses.h"
#include "pending.h"

/* What is known of a connection to this address may change: inspect_connects has something to say. */
bool inspect_may_watch(const struct address *address, bool by_rule);
/* Before a socket is connected to an address that was allowed: remembers what must come first. `by_rule`: an entry of the
 * policy allowed it. `connecting` false: a datagram is about to be sent there. True where it must fail with EACCES; reported. */
bool inspect_connects(int fd, const struct address *address, bool by_rule, bool connecting, const void *caller);

/* Before bytes leave, where pending_any(). `message` has the vectors; its name and control are passed on. True where it was
 * dealt with: `*result` and errno are the call's. */
bool inspect_sends(int fd, const struct msghdr *message, int flags, const void *caller, ssize_t *result);
/* The same for one buffer. */
bool inspect_writes(int fd, const void *bytes, size_t size, int flags, const void *caller, ssize_t *result);
/* The same for calls whose bytes cannot be seen. True where it must fail with EACCES; reported. */
bool inspect_refuses_unseen(int fd, const void *caller);

/* `fd` is about to be passed to another process. True where it may not: reported. */
bool inspect_refuses_passing(int fd, const void *caller);
/* `fd` came from another process, or was there before this program began: it may be used if its peer is allowed by its
 * address. True where it must be closed; reported. */
bool inspect_refuses_received(int fd, const void *caller);
/* `fd` is about to become a stdio stream, which writes from within libc. True where it may not; reported. */
bool inspect_refuses_stream(int fd, const void *caller);
/* `from` is about to become the number `to`, where a stream may have been before. */
bool inspect_refuses_number(int from, int to, const void *caller);

/* Before `from` becomes the number `to`: where it is a connection that is looked at, nobody who looked at `to` before is at work
 * with it any more, and nobody begins until crossing_releases (`*claimed`). True where it may not: reported. */
bool inspect_refuses_crossing(int from, int to, bool *claimed, const void *caller);
/* dup, at the lowest number from `least` on, with these flags of dup3: the same. -1 and errno. */
int inspect_copies(int fd, int least, int flags, const void *caller);
/* `fd` is a connection that is looked at. */
bool inspect_watches(int fd);

/* A descriptor was made of another one, at a number of the kernel's choice. True where it must be closed: reported. */
bool inspect_refuses_copy(int copy, const void *caller);
/* This socket is at a standard descriptor too. */
bool inspect_is_standard(int fd);

/* In a program that another one started: its sockets came from elsewhere. */
void inspect_start(void);
/* Before a fork or a program's start, and in the child: what one process connects is in no table but its own, and another that
 * has the socket since before does not know of it. */
void inspect_shares(void);

/* This process has forked, started a program or was itself begun so: others may have its sockets. */
extern atomic_bool inspect_shared;
/* Threads that are about to: a socket that is made now may be the child's as well, and was not there to be looked at. */
extern atomic_uint inspect_sharing;
/* Around a fork or a start of a program, in the parent: inspect_shares is in the first. */
void inspect_sharing_begins(void);
void inspect_sharing_ends(void);
/* `fd` was made meanwhile. */
void inspect_made(int fd);

/* `fd` is about to be dissolved (connect to no family) and may lead elsewhere then, by whoever has it: a connection of TCP that
 * others may have is connected to no name's address again. */
void inspect_dissolves(int fd);
/* A datagram is about to leave for where `fd` is connected, which may be another process's doing. As inspect_refuses_unseen. */
bool inspect_refuses_datagram(int fd, const struct address *address, const void *caller);
/* `fd` is about to be passed to another process: the same. */
void inspect_passes(int fd);

#endif
