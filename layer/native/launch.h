/* One start of a program, from the name that a caller gives to what may be handed to the kernel: found, opened, judged,
 * with an environment that guards it. Shared by the doors that execute and those that spawn. */
#ifndef FS_LAUNCH_H
#define FS_LAUNCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "environment.h"
#include "guard.h"
#include "program.h"

struct launch_request {
    int dirfd;               /* AT_FDCWD, or what `path` is relative to */
    const char *path;
    int flags;               /* AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW */
    bool search;             /* on PATH, where the name has no slash */
    char *const *argv, *const *envp;
    const void *caller;
};

struct launch {
    size_t size;             /* of the mapping that holds this and everything it points to */
    int fd;                  /* O_PATH: the object that was judged */
    bool by_descriptor;      /* hand the kernel the caller's dirfd, name and flags */
    const char *path;        /* what the kernel or posix_spawn gets */
    char *const *argv;
    char *const *envp;
    struct environment environment;
    struct fs_program program;
    struct fs_verdict verdict;
    char named[PATH_MAX], resolved[PATH_MAX], descriptor_path[48], arguments[512];
};

/* Nothing at all is watched in this process: its children need no guard. */
bool launch_is_free(void);

/* NULL and errno where it may not start (already reported), or cannot. Whoever gets one frees it, if it comes to that. */
struct launch *launch_prepare(const struct launch_request *request);
void launch_free(struct launch *launch);

/* Opens what `path` names as libc's execvp does, O_PATH. `named` (PATH_MAX bytes) gets the name that was found, in our own
 * memory. -errno where nothing is found. */
int launch_open(int dirfd, const char *path, int flags, bool search, const char *search_path, char *named);

/* Nobody with our rights can make this absolute path lead elsewhere: no folder on the way may be written by us. */
bool launch_is_steady(const char *path);

#endif
