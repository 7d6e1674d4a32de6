/* What inspect.c and passing.c share. */
#ifndef FS_INSPECT_PARTS_H
#define FS_INSPECT_PARTS_H

#include "inspect.h"
#include "judging.h"

/* Streams write to the standard descriptors from within libc, whoever opens them. */
enum { LAST_STANDARD = 2 };

/* Reports; true where it is to be cut. */
bool inspect_violates(const struct pending *entry, const struct finding *finding, const void *caller);
/* The same, for this word of details.first_bytes. */
bool inspect_violates_by(const struct pending *entry, const char *word, const void *caller);

/* An option of the socket, -1 where it has none. */
int inspect_option(int fd, int level, int name);

/* Where a socket leads, or is on its way to: getpeername says that of no connection that is still being made, while bytes can
 * be given to it already. False where it leads nowhere, or where that cannot be told. */
bool inspect_leads_to(int fd, struct address *address);

bool inspect_is_datagram(int fd);

/* Where the socket leads now, which may be elsewhere than when it was remembered. False: nothing is to be looked at. */
bool inspect_still_pending(int fd, struct pending *entry);

#endif
