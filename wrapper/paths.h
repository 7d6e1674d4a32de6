/* Folders and links of paths. */
#ifndef FS_WRAPPER_PATHS_H
#define FS_WRAPPER_PATHS_H

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "support/text.h"

/* The folder that `path` names something in. */
static inline void paths_folder(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (size >= PATH_MAX) size = PATH_MAX - 1;
    memcpy(out, path, size);
    out[size] = '\0';
    if (size == 0) strcpy(out, slash ? "/" : ".");
}

/* `path` without links, as the kernel resolves it; realpath would bring an allocator. Returns false
 * with errno where nothing is there. */
static inline bool paths_resolve(const char *path, char out[PATH_MAX])
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return false;
    (void)text_object_path(fd, out);
    close(fd);
    return out[0] == '/';
}

#endif
