/* Walks by ftw and nftw. They run inside libc and follow links, so each object is judged before
 * the caller's function is called for it. */
#ifndef FS_WALKS_H
#define FS_WALKS_H

#include "support/copied.h"

/* Does what the four libc functions do. `visit` is the caller's function; `flags` is 0 for ftw. */
int walks_ftw(int (*walk)(const char *, void *, int), const struct path *path, void *visit,
              int open, const void *caller);
int walks_nftw(int (*walk)(const char *, void *, int, int), const struct path *path, void *visit,
               int open, int flags, const void *caller);

#endif
