/* The fds of stdio's open streams: libc writes to them from within, past every door. */
#ifndef FS_STREAM_FDS_H
#define FS_STREAM_FDS_H

#include <stdbool.h>

/* True where `is` says so of the fd of a stream that is open. */
bool stream_fds_any(bool (*is)(const void *context, int fd), const void *context);
/* A stream has this fd. */
bool stream_fds_has(int fd);

#endif
