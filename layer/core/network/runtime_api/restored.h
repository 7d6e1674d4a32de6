/* A snapshot of the function's process that was taken after it was initialised (SnapStart). Any
 * number of processes may be restored from it, each on another machine.
 *
 * The runtime client asks the Runtime API for the restore and waits; the snapshot is taken
 * meanwhile, and the answer comes after the restore. Java's client reads the answer by calls that
 * are not followed: there, its next request for an invocation tells. */
#ifndef FS_RESTORED_H
#define FS_RESTORED_H

#include <stdbool.h>

/* The connection that the client may ask by. */
void restored_watches(int fd);
/* Before the client's request leaves. */
void restored_requested(void);
/* The answer is expected on this connection. Costs no system call unless a restore was asked for.
 */
bool restored_awaits(int fd);
/* Renews what differs in a restored process: name servers, addresses learnt from lookups, what /tmp
 * and the event file are, the nonce. Does nothing unless a restore was asked for. */
void restored_answered(void);

#endif
