/* Reads the names in a folder, through a buffer of the caller's, by system calls alone. */
#ifndef FS_FOLDER_H
#define FS_FOLDER_H

#include "support/sys.h"

struct folder {
    int fd;
    char *bytes; /* 8-byte aligned */
    size_t room;
    long at, size; /* 0 at first; `size` is -errno where reading failed */
};

/* One with the caller's array `bytes`. Its fd is -errno where it cannot be opened. */
#define FOLDER_AT(path, array)                                                                     \
    {.fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0),                      \
     .bytes = array,                                                                               \
     .room = sizeof array}

/* The next name, "." and ".." too; NULL at the end, or where it cannot be read. It stays until the
 * next call. */
static inline const char *folder_next(struct folder *folder)
{
    enum { LENGTH_AT = 16, NAME_AT = 19 }; /* struct linux_dirent64 */
    if (folder->at >= folder->size) {
        folder->size = sys_call(SYS_getdents64, folder->fd, folder->bytes, folder->room);
        folder->at = 0;
        if (folder->size <= NAME_AT) return NULL;
    }
    const char *entry = folder->bytes + folder->at;
    folder->at += *(const uint16_t *)(const void *)(entry + LENGTH_AT);
    return entry + NAME_AT;
}

/* The fd or thread that a name in /proc stands for; -1 where it stands for none. */
static inline int folder_id(const char *name)
{
    int id = 0;
    const char *digit = name;
    while (*digit >= '0' && *digit <= '9' && id < 1 << 26) id = id * 10 + (*digit++ - '0');
    return digit > name && *digit == '\0' ? id : -1;
}

#endif
