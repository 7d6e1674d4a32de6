/* Where a connection or a message goes. */
#ifndef FS_DESTINATION_H
#define FS_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "network/addresses.h"

/* Judges a socket's file under the file rules. Returns true if it may not be used; that is
 * reported. */
bool destination_refuses_path(const struct address *address, int flags, const char *verb,
                              const void *caller);

/* The file of an AF_UNIX socket, held open. While something blocks, the call reaches this very
 * file, even if another thread changes links on its path. */
struct destination_file {
    int fd; /* -1: not such an address, or nothing blocks */
    socklen_t size;
    struct sockaddr_un address; /* leads to the same file, through the fd */
};
/* Call it after the path was judged. Returns false, with errno set, if the call must fail. On true,
 * call destination_release. */
bool destination_holds(const struct address *address, struct destination_file *file,
                       const void *caller);
void destination_release(struct destination_file *file);

/* Judges the address and reports. Returns true if the call must fail. `*own` is the fd to go on
 * with: `fd`, or a duplicate of ours if the first bytes will be inspected. Another thread can
 * replace `fd`, but not the duplicate, so the socket that was remembered is the one that is used.
 */
bool destination_refuses(int fd, int *own, const struct address *address, bool connecting,
                         int flags, const char *verb, const void *caller);

/* The kernel takes 0.0.0.0 for the address that the socket is bound to: while something blocks, our
 * copy gets 127.0.0.1, which was judged. */
void destination_settles(const void *copy, const struct address *judged);

/* Linux ignores an AF_UNSPEC address on an IPv6 socket: the message goes to the socket's peer. */
bool destination_is_ignored(int fd, const void *bytes, size_t size);

/* After destination_refuses(): closes the duplicate and returns the call's result. */
ssize_t destination_finish(int own, int fd, ssize_t result);
/* The same, with EACCES. */
ssize_t destination_refused(int own, int fd);
/* Returns -1 and sets errno: the caller's memory cannot be read. */
int destination_unreadable(int fd);

#endif
