/* The file actions of posix_spawn: files that libc would open in the child are opened here, through
 * the doors. */
#ifndef FS_ACTIONS_H
#define FS_ACTIONS_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>

#define ACTIONS_MAX  256
#define ACTIONS_ROOM 4096 /* with the fds that a closefrom stands for */

/* As glibc lays out its list, from 2.17 to this day (posix/spawn_int.h). */
struct action {
    int kind;
    union {
        struct {
            int fd;
        } close;
        struct {
            int fd, to;
        } dup2;
        struct {
            int fd;
            char *path;
            int flags;
            mode_t mode;
        } open;
        struct {
            char *path;
        } chdir;
        struct {
            int fd;
        } fchdir;
        struct {
            int from;
        } closefrom;
    };
};

struct actions {
    posix_spawn_file_actions_t list;
    struct action *own; /* in a mapping of its own; NULL where there are none */
    int opened[ACTIONS_MAX]; /* to be closed afterwards */
    unsigned opened_count;
    int folder; /* where the child will be when it executes: AT_FDCWD or O_PATH */
    int highest; /* fd that an action names */
};

/* What a door copied of its caller's list, with the paths in it. */
struct copied_actions {
    struct action *list; /* in a mapping of its own */
    size_t mapped;
    int count, error; /* 0; EFAULT, ENAMETOOLONG or ENOMEM */
};
struct copied_actions actions_copy(const posix_spawn_file_actions_t *from);
void actions_copy_free(struct copied_actions *copy);
#ifndef FS_TEST_NO_COPY
#define COPY_ACTIONS(name, from)                                                                   \
    struct copied_actions name __attribute__((cleanup(actions_copy_free))) = actions_copy(from)
#else
#define COPY_ACTIONS(name, from) struct copied_actions name = actions_given(from)
struct copied_actions actions_given(const posix_spawn_file_actions_t *from);
#endif

/* Turns `given` (may be NULL) into a list that opens nothing in the child. Returns 0 or an error
 * for posix_spawn to return. */
int actions_prepare(struct actions *actions, const struct copied_actions *given,
                    const void *caller);
void actions_free(struct actions *actions);
/* The list to pass on; NULL if it is empty. */
const posix_spawn_file_actions_t *actions_list(const struct actions *actions);

#endif
