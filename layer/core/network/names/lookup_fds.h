/* fds that libc opens for a lookup in the program's own fd table: where outbound_connectivity only
 * reports, and in an emulator (apart.h). While a lookup runs, another thread that replaces, closes,
 * copies, passes on or connects one is reported; what it writes is read (dns_socket.h). */
#ifndef FS_LOOKUP_FDS_H
#define FS_LOOKUP_FDS_H

#include <stdbool.h>

/* Call them around a lookup. lookup_fds_end takes the result of lookup_fds_begin. */
bool lookup_fds_begin(void);
void lookup_fds_end(bool counted);
/* Lookups run in libc's threads from now on, and the guard does not see their end. */
void lookup_fds_begin_for_good(void);
/* In a forked child, which has copies of them. */
void lookup_fds_forked(void);

/* If guard_has_lookups(): reports an act on libc's fd for a lookup of another thread. Returns
 * true if the call must fail with EACCES. */
bool lookup_fds_refuses(int fd, const char *verb, const void *caller);

#endif
