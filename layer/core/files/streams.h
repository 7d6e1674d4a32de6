/* Streams on what the guard opened. */
#ifndef FS_STREAMS_H
#define FS_STREAMS_H

#include <stdio.h>

/* fdopen for a file or a pipe that was opened just now. While the stream is made, no other thread
 * can put a socket at this fd: the stream would write to it inside libc, where no door sees it.
 * NULL and errno: `fd` is closed. */
FILE *streams_open(int fd, const char *mode);

#endif
