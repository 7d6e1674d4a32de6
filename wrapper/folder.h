/* The folder that a path names something in. */
#ifndef FS_WRAPPER_FOLDER_H
#define FS_WRAPPER_FOLDER_H

#include <limits.h>
#include <string.h>

static inline void folder_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (size >= PATH_MAX) size = PATH_MAX - 1;
    memcpy(out, path, size);
    out[size] = '\0';
    if (size == 0) strcpy(out, slash ? "/" : ".");
}

#endif
