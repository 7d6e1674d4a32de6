/* Walks by ftw and nftw, which go on inside libc and follow links: what they come to is judged
 * before the caller is told. */
#ifndef FS_WALKS_H
#define FS_WALKS_H

#include "support/copied.h"

/* As the four functions. `visit` is the caller's; `flags` 0 for ftw. */
int walks_ftw(int (*walk)(const char *, void *, int), const struct path *path, void *visit,
              int open, const void *caller);
int walks_nftw(int (*walk)(const char *, void *, int, int), const struct path *path, void *visit,
               int open, int flags, const void *caller);

#endif
