/* Shared by inspect.c and passing.c. */
#ifndef FS_INSPECT_PARTS_H
#define FS_INSPECT_PARTS_H

#include "network/first_bytes/inspect.h"
#include "network/first_bytes/judging.h"

/* Stdio streams write to the standard fds inside libc, whatever is open there. */
enum { LAST_STANDARD = 2 };

/* Reports. Returns true if the connection must be cut. */
bool inspect_violates(const struct pending *entry, const struct finding *finding,
                      const void *caller);
/* The same, with this word as details.first_bytes. */
bool inspect_violates_by(const struct pending *entry, const char *word, const void *caller);

/* The peer of a socket that is connected or connecting. getpeername does not tell it while the
 * connection is being made, although bytes can be written already. Returns false if there is no
 * peer, or if it cannot be told. */
bool inspect_leads_to(int fd, struct address *address);

bool inspect_is_datagram(int fd);

/* Sets `*entry` to what the policy and the floor require of a connection to this address by an
 * unknown caller. */
void inspect_ask(const struct address *address, struct pending *entry);

/* The policy blocks a violation on this connection. */
bool inspect_blocks(const struct pending *entry);

/* Updates the entry: the socket may lead elsewhere than when it was remembered. Returns false if
 * there is nothing to inspect. */
bool inspect_still_pending(int fd, struct pending *entry);

#endif
