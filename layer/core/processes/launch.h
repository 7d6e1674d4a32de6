/* The start of a program, from the caller's name for it to what the kernel gets: found, opened,
 * judged, with an environment that guards it. Shared by the doors that execute and those that
 * spawn. */
#ifndef FS_LAUNCH_H
#define FS_LAUNCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "support/copied.h"
#include "processes/environment.h"
#include "guard/guard.h"
#include "processes/program.h"

struct launch_request {
    int dirfd; /* AT_FDCWD, or what `path` is relative to */
    const struct path *path;
    int flags; /* AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW */
    bool search; /* on PATH, where the name has no slash */
    const struct words *argv, *envp; /* NULL: empty */
    int above; /* the highest fd that a file action names: the program's is none of those */
    const void *caller;
};

struct launch {
    size_t size; /* of the mapping that holds this and everything it points to */
    int fd; /* O_PATH: the object that was judged */
    bool holds_ids; /* `signals` is the mask that this thread had before */
    uint64_t signals;
    bool by_fd; /* hand the kernel the caller's dirfd, name and flags */
    const char *path; /* what the kernel or posix_spawn gets */
    char *const *argv;
    char *const *envp;
    struct environment environment;
    struct fs_program program;
    struct fs_verdict verdict;
    char named[PATH_MAX], resolved[PATH_MAX], fd_path[48], arguments[512];
};

/* No rule watches anything in this process, so its children need no guard. */
bool launch_is_free(void);
/* guard_ready(), and children need the guard. */
bool launch_ready(void);

/* Returns NULL and sets errno if the program may not start (reported) or cannot. The caller frees
 * the result, unless the exec replaces this program. */
struct launch *launch_prepare(const struct launch_request *request);
void launch_free(struct launch *launch);

/* In a program that was started this way, before its first line: lets its ids change again.
 * `signals` is the mask that it inherited and gets back. */
void launch_started(uint64_t *signals);

/* Opens what `path` names as libc's execvp does, O_PATH. `named` (PATH_MAX bytes) gets the name
 * that was found, in our own memory. -errno where nothing is found. */
int launch_open(int dirfd, const struct path *path, int flags, bool search, const char *search_path,
                char *named);

/* There is no such program. */
bool launch_is_missing(const char *path, const char *environment_path);

/* For the interpreter ring. `path` is an executable as the caller named it (searched on PATH where
 * it has no slash and `search`); `resolved` has PATH_MAX bytes. */
struct fs_verdict launch_judge(const char *path, bool search, const char *environment_path,
                               char *resolved);

#endif
