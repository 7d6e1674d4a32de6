#include "libc/stream_fds.h"

#include <stdio.h>

enum { STREAMS = 1 << 16 };

/* libc exports its list, and the lock that opening and closing a stream take. */
extern FILE *_IO_list_all;
extern void _IO_list_lock(void);
extern void _IO_list_unlock(void);

bool stream_fds_any(bool (*is)(const void *context, int fd), const void *context)
{
    bool found = false;
    unsigned count = 0;
    _IO_list_lock();
    for (const FILE *at = _IO_list_all; at && !found && count++ < STREAMS; at = at->_chain)
        found = at->_fileno >= 0 && is(context, at->_fileno);
    _IO_list_unlock();
    return found;
}

static bool is_fd(const void *context, int fd) { return fd == *(const int *)context; }

bool stream_fds_has(int fd) { return stream_fds_any(is_fd, &fd); }
