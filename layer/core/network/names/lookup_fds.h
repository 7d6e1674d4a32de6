/* fds that libc opens for a lookup in the program's own fd table: where outbound_connectivity only
 * reports, and in an emulator (apart.h). While a lookup runs, another thread that replaces, closes,
 * copies, passes on or connects one is reported; what it writes is read (dns_socket.h). */
#ifndef FS_LOOKUP_FDS_H
#define FS_LOOKUP_FDS_H

#include <stdbool.h>

/* Around a lookup. lookup_fds_end gets what lookup_fds_begin returned. */
bool lookup_fds_begin(void);
void lookup_fds_end(bool counted);
/* From now on: lookups in threads of libc's, whose end nobody tells. */
void lookup_fds_begin_for_good(void);
/* In a forked child, which has copies of them. */
void lookup_fds_forked(void);

/* Where guard_has_lookups(): `fd` is libc's, for a lookup of another thread. Reported; true where
 * the call must fail with EACCES. */
bool lookup_fds_refuses(int fd, const char *verb, const void *caller);

#endif
