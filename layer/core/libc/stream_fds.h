/* The fds of stdio's open streams, to which libc writes internally, past every door. */
#ifndef FS_STREAM_FDS_H
#define FS_STREAM_FDS_H

#include <stdbool.h>

/* Returns true if `is` returns true for the fd of an open stream. */
bool stream_fds_any(bool (*is)(const void *context, int fd), const void *context);
/* A stream has this fd. */
bool stream_fds_has(int fd);

#endif
