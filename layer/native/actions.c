#include "actions.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "guard.h"
#include "sys.h"

enum { ACTION_CLOSE = 0, ACTION_DUP2 = 1, ACTION_OPEN = 2, ACTION_CHDIR = 3, ACTION_FCHDIR = 4, ACTION_CLOSEFROM = 5 };

#define FIRST_DESCRIPTOR 600 /* out of the way of the numbers that actions name */

/* The child's core says by this descriptor what it sees. */
static bool touches_events(const struct action *action)
{
    if (guard.event_fd < 0) return false;
    if (action->kind == ACTION_CLOSE) return action->close.fd == guard.event_fd;
    if (action->kind == ACTION_DUP2) return action->dup2.to == guard.event_fd;
    return action->kind == ACTION_OPEN && action->open.fd == guard.event_fd;
}

static bool needs_own(const struct action *given, int count)
{
    for (int i = 0; i < count; i++)
        if ((given[i].kind >= ACTION_OPEN && given[i].kind <= ACTION_CLOSEFROM) || touches_events(&given[i])) return true;
    return false;
}

/* In place of closefrom, which would close the program that was judged and the event descriptor as well: a close for each descriptor that would
 * survive the exec. Those marked close-on-exec go by themselves. */
static int expand_closefrom(struct action *list, int count, int from)
{
    struct entry { uint64_t inode, offset; unsigned short size; unsigned char type; char name[]; };
    _Alignas(struct entry) char entries[4096];
    int start = count;
    for (int i = 0; i < start; i++)
        if (list[i].kind == ACTION_DUP2 && list[i].dup2.to >= from && count < ACTIONS_ROOM) {
            list[count].kind = ACTION_CLOSE;
            list[count++].close.fd = list[i].dup2.to;
        }
    int folder = sys_openat(AT_FDCWD, "/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder < 0) return -1;
    long size;
    while ((size = sys_call(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
        for (long at = 0; at < size;) {
            const struct entry *entry = (const struct entry *)(const void *)(entries + at);
            at += entry->size;
            int fd = 0;
            for (const char *digit = entry->name; *digit >= '0' && *digit <= '9' && fd < 100000000; digit++)
                fd = fd * 10 + (*digit - '0');
            if (entry->name[0] == '.' || fd < from || fd == guard.event_fd || sys_call(SYS_fcntl, fd, F_GETFD) != 0) continue;
            if (count == ACTIONS_ROOM) size = -1;
            if (size < 0) break;
            list[count].kind = ACTION_CLOSE;
            list[count++].close.fd = fd;
        }
        if (size < 0) break;
    }
    sys_close(folder);
    return size < 0 ? -1 : count;
}

/* The descriptor in this process that `fd` will be a copy of in the child, after the first `count` actions. */
static int source_of(const struct action *list, int count, int fd)
{
    while (count-- > 0)
        if (list[count].kind == ACTION_DUP2 && list[count].dup2.to == fd) fd = list[count].dup2.fd;
    return fd;
}

static int enter(struct actions *actions, int folder)
{
    if (folder < 0) return -folder;
    if (actions->folder != AT_FDCWD) sys_close(actions->folder);
    actions->folder = folder;
    return 0;
}

static int open_here(struct actions *actions, struct action *action)
{
    int saved = errno;
    int fd = openat(actions->folder, action->open.path, action->open.flags | O_CLOEXEC, action->open.mode);
    int error = errno;
    errno = saved;
    if (fd < 0) return error;
    int high = (int)sys_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    if (high >= 0) {
        sys_close(fd);
        fd = high;
    }
    actions->opened[actions->opened_count++] = fd;
    int to = action->open.fd;
    action->kind = ACTION_DUP2;
    action->dup2.fd = fd;
    action->dup2.to = to;
    return 0;
}

int actions_prepare(struct actions *actions, const posix_spawn_file_actions_t *given, const void *caller)
{
    actions->own = NULL;
    actions->opened_count = 0;
    actions->folder = AT_FDCWD;
    if (given == NULL || given->__used <= 0) return 0;
    int count = given->__used;
    const struct action *from = (const struct action *)(const void *)given->__actions;
    if (!needs_own(from, count < ACTIONS_MAX ? count : ACTIONS_MAX) && count <= ACTIONS_MAX) return 0;
    if (count > ACTIONS_MAX) return ENOMEM;
    long mapped = sys_call(SYS_mmap, NULL, ACTIONS_ROOM * sizeof(struct action), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped < 0 && mapped > -4096) return ENOMEM;
    actions->own = (struct action *)mapped;
    int error = 0, made = 0;
    for (int i = 0; i < count && error == 0; i++) {
        struct action *action = &actions->own[made];
        *action = from[i];
        if (touches_events(action)) {
            if (action->kind == ACTION_CLOSE) continue; /* for the child it is closed: nobody told it that it was open */
            int saved = errno;
            if (integrity_refused("replace", "the event descriptor", caller)) error = errno;
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
            error = open_here(actions, action);
        } else if (action->kind == ACTION_CHDIR) {
            error = enter(actions, sys_openat(actions->folder, action->chdir.path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
        } else if (action->kind == ACTION_FCHDIR) {
            int fd = source_of(actions->own, made - 1, action->fchdir.fd);
            error = enter(actions, sys_openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
        }
        if (made == ACTIONS_ROOM) error = ENOMEM;
    }
    if (error != 0) {
        actions_free(actions);
        return error;
    }
    actions->list = *given;
    actions->list.__allocated = made;
    actions->list.__used = made;
    actions->list.__actions = (struct __spawn_action *)(void *)actions->own;
    return 0;
}

void actions_free(struct actions *actions)
{
    while (actions->opened_count > 0) sys_close(actions->opened[--actions->opened_count]);
    if (actions->own != NULL) sys_call(SYS_munmap, actions->own, ACTIONS_ROOM * sizeof(struct action));
    if (actions->folder != AT_FDCWD) sys_close(actions->folder);
    actions->own = NULL;
    actions->folder = AT_FDCWD;
}

const posix_spawn_file_actions_t *actions_list(const struct actions *actions, const posix_spawn_file_actions_t *given)
{
    return actions->own != NULL ? &actions->list : given;
}
