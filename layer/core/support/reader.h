/* Reads an fd byte by byte, through a buffer of its own: files of /proc, where no stream may
 * be used. */
#ifndef FS_READER_H
#define FS_READER_H

#include "support/sys.h"

struct reader {
    int fd;
    size_t at, size;
    char buffer[4096];
};

/* The next byte; -1 at the end, or where it cannot be read. */
static inline int reader_next(struct reader *reader)
{
    if (reader->at == reader->size) {
        long got = sys_read(reader->fd, reader->buffer, sizeof reader->buffer);
        if (got <= 0) return -1;
        reader->at = 0;
        reader->size = (size_t)got;
    }
    return (unsigned char)reader->buffer[reader->at++];
}

#endif
