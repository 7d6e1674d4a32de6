/* fds that libc opens for a lookup in the program's own fd table: where outbound_connectivity only
 * reports, and in an emulator (apart.h). While a lookup runs, another thread that replaces, closes,
 * copies, passes on or connects one is reported; what it writes is read (dns_socket.h). */
#ifndef FS_LOOKUP_FDS_H
#define FS_LOOKUP_FDS_H

#include <stdatomic.h>
#include <stdbool.h>

extern atomic_uint lookup_fds_running; /* such lookups */

/* Around a lookup. lookup_fds_end gets what lookup_fds_begin returned. */
bool lookup_fds_begin(void);
void lookup_fds_end(bool counted);
/* From now on: lookups in threads of libc's, whose end nobody tells. */
void lookup_fds_begin_for_good(void);
/* In a forked child, which has copies of them. */
void lookup_fds_forked(void);

bool lookup_fds_refuses_slowly(int fd, const char *verb, const void *caller);

/* `fd` is libc's, for a lookup of another thread. Reported; true where the call must fail with
 * EACCES. */
static inline bool lookup_fds_refuses(int fd, const char *verb, const void *caller)
{
    unsigned running = atomic_load_explicit(&lookup_fds_running, memory_order_relaxed);
    return __builtin_expect(running != 0, 0) && lookup_fds_refuses_slowly(fd, verb, caller);
}

#endif
