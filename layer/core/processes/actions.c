#include "processes/actions.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "support/copied.h"
#include "files/files.h"
#include "support/folder.h"
#include "support/sys.h"
#include "events/events.h"

enum {
    ACTION_CLOSE = 0,
    ACTION_DUP2 = 1,
    ACTION_OPEN = 2,
    ACTION_CHDIR = 3,
    ACTION_FCHDIR = 4,
    ACTION_CLOSEFROM = 5
};

#define FIRST_DESCRIPTOR 600 /* out of the way of the fds that actions name */

/* The child's core writes its events to this fd. */
static bool touches_events(const struct action *action)
{
    if (guard.event_fd < 0) return false;
    if (action->kind == ACTION_CLOSE) return action->close.fd == guard.event_fd;
    if (action->kind == ACTION_DUP2) return action->dup2.to == guard.event_fd;
    return action->kind == ACTION_OPEN && action->open.fd == guard.event_fd;
}

/* Replaces closefrom, which would also close the judged program and the event fd, by one close for
 * each fd that would survive the exec. Fds marked close-on-exec close by themselves. */
static int expand_closefrom(struct action *list, int count, int from)
{
    int start = count;
    for (int i = 0; i < start; i++)
        if (list[i].kind == ACTION_DUP2 && list[i].dup2.to >= from && count < ACTIONS_ROOM) {
            list[count].kind = ACTION_CLOSE;
            list[count++].close.fd = list[i].dup2.to;
        }
    char bytes[4096] __attribute__((aligned(8)));
    struct folder folder = FOLDER_AT("/proc/thread-self/fd", bytes);
    if (folder.fd < 0) return -1;
    bool fits = true;
    for (const char *name; fits && (name = folder_next(&folder)) != NULL;) {
        int fd = folder_id(name);
        if (fd < from || fd < 0 || fd == guard.event_fd || sys_call(SYS_fcntl, fd, F_GETFD) != 0)
            continue;
        fits = count < ACTIONS_ROOM;
        if (!fits) break;
        list[count].kind = ACTION_CLOSE;
        list[count++].close.fd = fd;
    }
    sys_close(folder.fd);
    return fits && folder.size == 0 ? count : -1;
}

/* The fd in this process that `fd` will be a copy of in the child, after the first `count`
 * actions. */
static int source_of(const struct action *list, int count, int fd)
{
    while (count-- > 0)
        if (list[count].kind == ACTION_DUP2 && list[count].dup2.to == fd) fd = list[count].dup2.fd;
    return fd;
}

/* Out of the way of the fds that actions name. */
static int keep(struct actions *actions, int fd)
{
    int high = sys_copy_above(fd, FIRST_DESCRIPTOR);
    if (high >= 0) {
        sys_close(fd);
        fd = high;
    }
    actions->opened[actions->opened_count++] = fd;
    return fd;
}

/* The child enters the folder to which this leads now, not where the path may lead later. */
static int enter(struct actions *actions, struct action *action, int folder)
{
    if (folder < 0) return -folder;
    actions->folder = keep(actions, folder);
    action->kind = ACTION_FCHDIR;
    action->fchdir.fd = actions->folder;
    return 0;
}

static int open_here(struct actions *actions, struct action *action, const void *caller)
{
    int saved = errno;
    COPY_PATH(path, action->open.path);
    int fd = files_open(actions->folder, &path, action->open.flags | O_CLOEXEC, action->open.mode,
                        caller);
    int error = errno;
    errno = saved;
    if (fd < 0) return error;
    fd = keep(actions, fd);
    int to = action->open.fd;
    action->kind = ACTION_DUP2;
    action->dup2.fd = fd;
    action->dup2.to = to;
    return 0;
}

/* ---- the caller's list ---- */

static char **path_in(struct action *action)
{
    return action->kind == ACTION_OPEN    ? &action->open.path
           : action->kind == ACTION_CHDIR ? &action->chdir.path
                                          : NULL;
}

static struct copied_actions no_actions(struct copied_actions *copy, int error)
{
    actions_copy_free(copy);
    return (struct copied_actions){.error = error};
}

struct copied_actions actions_copy(const posix_spawn_file_actions_t *from)
{
    struct copied_actions copy = {0};
    posix_spawn_file_actions_t given;
    if (from == NULL) return copy;
    if (!copied_bytes(&given, from, sizeof given)) return no_actions(&copy, EFAULT);
    if (given.__used <= 0) return copy;
    if (given.__used > ACTIONS_MAX) return no_actions(&copy, ENOMEM);
    size_t size = (size_t)given.__used * sizeof(struct action);
    copy.mapped = size + (size_t)given.__used * PATH_MAX;
    copy.list = sys_scratch(copy.mapped);
    if (copy.list == NULL) return no_actions(&copy, ENOMEM);
    copy.count = given.__used;
    if (!copied_bytes(copy.list, given.__actions, size)) return no_actions(&copy, EFAULT);
    char *at = (char *)copy.list + size;
    for (int i = 0; i < copy.count; i++) {
        char **path = path_in(&copy.list[i]);
        if (path == NULL) continue;
        long length = copied_string(at, *path, PATH_MAX);
        if (length < 0 || length == PATH_MAX)
            return no_actions(&copy, length < 0 ? EFAULT : ENAMETOOLONG);
        *path = at;
        at += length + 1;
    }
    return copy;
}

void actions_copy_free(struct copied_actions *copy) { sys_scratch_free(copy->list, copy->mapped); }

#ifdef FS_TEST_NO_COPY
struct copied_actions actions_given(const posix_spawn_file_actions_t *from)
{
    struct copied_actions copy = {0};
    if (from == NULL || from->__used <= 0) return copy;
    copy.list = (struct action *)(void *)from->__actions;
    copy.count = from->__used;
    return copy;
}
#endif

/* ---- what the child gets ---- */

static void note_highest(struct actions *actions, const struct action *action)
{
    int fd = action->kind == ACTION_DUP2   ? action->dup2.to
             : action->kind == ACTION_OPEN ? action->open.fd
                                           : action->close.fd;
    if (action->kind <= ACTION_OPEN && fd > actions->highest) actions->highest = fd;
}

int actions_prepare(struct actions *actions, const struct copied_actions *given, const void *caller)
{
    actions->own = NULL;
    actions->opened_count = 0;
    actions->folder = AT_FDCWD;
    actions->highest = 0;
    if (given == NULL || given->count == 0) return 0;
    actions->own = sys_scratch(ACTIONS_ROOM * sizeof(struct action));
    if (actions->own == NULL) return ENOMEM;
    int error = 0, made = 0;
    for (int i = 0; i < given->count && error == 0; i++) {
        struct action *action = &actions->own[made];
        *action = given->list[i];
        note_highest(actions, action);
        if (touches_events(action)) {
            if (action->kind == ACTION_CLOSE)
                continue; /* to the program, the event fd looks closed already */
            int saved = errno;
            if (integrity_refused("replace", "the event fd", caller)) error = errno;
            errno = saved;
            if (error != 0) break;
        }
        if (action->kind == ACTION_CLOSEFROM) {
            made = expand_closefrom(actions->own, made, action->closefrom.from);
            if (made < 0) error = ENOMEM;
            continue;
        }
        made++;
        if (action->kind == ACTION_OPEN) {
            error = open_here(actions, action, caller);
        } else if (action->kind == ACTION_CHDIR) {
            error = enter(actions, action,
                          sys_openat(actions->folder, action->chdir.path,
                                     O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
        } else if (action->kind == ACTION_FCHDIR) {
            int fd = source_of(actions->own, made - 1, action->fchdir.fd);
            error =
                enter(actions, action, sys_openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
        }
        if (made == ACTIONS_ROOM) error = ENOMEM;
    }
    if (error != 0) {
        actions_free(actions);
        return error;
    }
    actions->list = (posix_spawn_file_actions_t){0};
    actions->list.__allocated = made;
    actions->list.__used = made;
    actions->list.__actions = (struct __spawn_action *)(void *)actions->own;
    return 0;
}

void actions_free(struct actions *actions)
{
    while (actions->opened_count > 0) sys_close(actions->opened[--actions->opened_count]);
    sys_scratch_free(actions->own, ACTIONS_ROOM * sizeof(struct action));
    actions->own = NULL;
    actions->folder = AT_FDCWD;
}

const posix_spawn_file_actions_t *actions_list(const struct actions *actions)
{
    return actions->own != NULL ? &actions->list : NULL;
}
