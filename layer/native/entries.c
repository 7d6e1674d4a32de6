/* Doors of what makes, moves and removes names. Each acts in the folder that was judged. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "sys.h"

/* The place of a path, judged. False where the call is to fail (errno is set). `place->parent` is what to act in where
 * `held` is true; else the original call is made. */
struct access {
    struct place place;
    bool held;
    bool shown; /* an alert was written, and the family that it was about */
    enum fs_family family;
};

/* With no descriptor left nothing can be held and judged, and some acts need none. What can be told by the name alone is
 * told: true where the act is refused. */
__attribute__((noinline)) static bool refused_by_name(int dirfd, const char *path, const char *verb, const void *caller)
{
    struct judged judged = {.family = FS_TMP, .verb = verb};
    size_t size = strnlen(path, PATH_MAX), at = 0;
    if (strstr(path, "..")) return false;
    if (path[0] != '/') {
        if (dirfd == AT_FDCWD) {
            long count = sys_call(SYS_getcwd, judged.path, sizeof judged.path);
            at = count > 1 ? (size_t)count - 1 : 0;
        } else {
            char link[32];
            files_magic_path(link, dirfd);
            long count = sys_readlinkat(AT_FDCWD, link, judged.path, sizeof judged.path - 1);
            at = count > 0 ? (size_t)count : 0;
        }
        if (judged.path[0] != '/' || at + 1 >= sizeof judged.path) return false;
        judged.path[at++] = '/';
    }
    if (size >= sizeof judged.path - at) return false;
    memcpy(judged.path + at, path, size + 1);
    if (strncmp(judged.path, "/tmp/", 5) != 0) return false;
    struct fs_request request = {.family = FS_TMP, .path = judged.path};
    judged.verdict = guard_decide(&request);
    return judged.verdict.mode != FS_ALLOW && files_refuse(&judged, caller);
}

/* `first` is the other name of the same act, NULL where there is none: one act makes one event. */
static bool enter(int dirfd, const char *path, const char *verb, const struct access *first, struct access *access,
                  const void *caller)
{
    access->held = false;
    access->shown = false;
    access->place.parent = -1;
    if (files_idle() || !path) return true;
    int error = errno;
    struct judged judged;
    int result = files_find_place(dirfd, path, &access->place);
    if (result != 0) {
        if ((result == -EMFILE || result == -ENFILE) && refused_by_name(dirfd, path, verb, caller)) return false;
        /* Where something is blocked, the call fails here: what stood in the way of judging may be gone a moment later. */
        errno = guard.blocks_any ? -result : error;
        return !guard.blocks_any;
    }
    bool found;
    if (access->place.whole) {
        int fd = sys_openat(dirfd, path, O_PATH | O_CLOEXEC, 0);
        found = fd >= 0 && files_judge_fd(fd, O_RDWR, &judged);
        if (fd >= 0) sys_close(fd);
    } else {
        found = files_judge_place(&access->place, O_RDWR, &judged);
    }
    judged.verb = verb;
    bool again = found && first && first->shown && first->family == judged.family && judged.verdict.mode == FS_ALERT;
    if (found && !again && files_refuse(&judged, caller)) {
        files_close_place(&access->place);
        return false;
    }
    if (found && judged.verdict.mode == FS_ALERT) {
        access->shown = true;
        access->family = judged.family;
    }
    access->held = !access->place.whole && guard.blocks_any;
    errno = error;
    return true;
}

static void leave(struct access *access)
{
    int error = errno;
    files_close_place(&access->place);
    errno = error;
}

/* One name: CALL acts in `dir` on `name`. Where it acts on the name as it was given, it is the very call that was made: a
 * library that was preloaded behind us may stand in front of that one alone. */
#define ENTRY(dirfd, path, verb, call)                                      \
    do {                                                                    \
        struct access access;                                               \
        if (!enter(dirfd, path, verb, NULL, &access, CALLER())) return -1;        \
        int dir = access.held ? access.place.parent : (dirfd);              \
        const char *name = access.held ? access.place.last : (path);        \
        __typeof__(call) result = call;                                     \
        leave(&access);                                                     \
        return result;                                                      \
    } while (0)

/* Two names: (from_dir, from) and (to_dir, to). */
#define ENTRIES(dirfd1, path1, dirfd2, path2, verb, call)                   \
    do {                                                                    \
        struct access one, two;                                             \
        if (!enter(dirfd1, path1, verb, NULL, &one, CALLER())) return -1;         \
        if (!enter(dirfd2, path2, verb, &one, &two, CALLER())) {                  \
            leave(&one);                                                    \
            return -1;                                                      \
        }                                                                   \
        int from_dir = one.held ? one.place.parent : (dirfd1);              \
        int to_dir = two.held ? two.place.parent : (dirfd2);                \
        const char *from = one.held ? one.place.last : (path1);             \
        const char *to = two.held ? two.place.last : (path2);               \
        files_name_moves(from_dir, from, to_dir, to);                       \
        int result = call;                                                  \
        leave(&one);                                                        \
        leave(&two);                                                        \
        return result;                                                      \
    } while (0)

DOOR int mkdir(const char *path, mode_t mode)
{
    if (!guard_ready()) return real.mkdir(path, mode);
    ENTRY(AT_FDCWD, path, "create", access.held ? real.mkdirat(dir, name, mode) : real.mkdir(path, mode));
}

DOOR int mkdirat(int dirfd, const char *path, mode_t mode)
{
    if (!guard_ready()) return real.mkdirat(dirfd, path, mode);
    ENTRY(dirfd, path, "create", real.mkdirat(dir, name, mode));
}

DOOR int rmdir(const char *path)
{
    if (!guard_ready()) return real.rmdir(path);
    ENTRY(AT_FDCWD, path, "remove", access.held ? real.unlinkat(dir, name, AT_REMOVEDIR) : real.rmdir(path));
}

DOOR int unlink(const char *path)
{
    if (!guard_ready()) return real.unlink(path);
    ENTRY(AT_FDCWD, path, "remove", access.held ? real.unlinkat(dir, name, 0) : real.unlink(path));
}

DOOR int unlinkat(int dirfd, const char *path, int flags)
{
    if (!guard_ready()) return real.unlinkat(dirfd, path, flags);
    ENTRY(dirfd, path, "remove", real.unlinkat(dir, name, flags));
}

static int remove_at(int dir, const char *name)
{
    int result = real.unlinkat(dir, name, 0);
    return result != 0 && errno == EISDIR ? real.unlinkat(dir, name, AT_REMOVEDIR) : result;
}

DOOR int remove(const char *path)
{
    if (!guard_ready()) return real.remove(path);
    ENTRY(AT_FDCWD, path, "remove", access.held ? remove_at(dir, name) : real.remove(path));
}

DOOR int rename(const char *old, const char *new)
{
    if (!guard_ready()) return real.rename(old, new);
    ENTRIES(AT_FDCWD, old, AT_FDCWD, new, "rename",
            one.held || two.held ? real.renameat(from_dir, from, to_dir, to) : real.rename(old, new));
}

DOOR int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
    if (!guard_ready()) return real.renameat(old_dir, old, new_dir, new);
    ENTRIES(old_dir, old, new_dir, new, "rename", real.renameat(from_dir, from, to_dir, to));
}

DOOR int renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned flags)
{
    if (!guard_ready() || !real.renameat2) return (int)SYS_RESULT(sys_call(SYS_renameat2, old_dir, old, new_dir, new, flags));
    ENTRIES(old_dir, old, new_dir, new, "rename", real.renameat2(from_dir, from, to_dir, to, flags));
}

/* A link to an object under /tmp would be another name for it: with AT_SYMLINK_FOLLOW the object is judged as well. */
static bool link_follows(int dirfd, const char *path, int flags, int *held, const void *caller)
{
    *held = -1;
    if (!(flags & (AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) || files_idle()) return true;
    struct judged judged;
    int fd = path && *path ? files_hold(sys_openat(dirfd, path, O_PATH | O_CLOEXEC, 0)) : -1;
    bool found = files_judge_fd(fd >= 0 ? fd : dirfd, O_RDWR, &judged);
    judged.verb = "link";
    if (found && files_refuse(&judged, caller)) {
        if (fd >= 0) files_release(fd);
        return false;
    }
    /* The link may lead elsewhere by the time of the act: what was looked at is what gets the name. */
    if (fd >= 0 && guard.blocks_any && (flags & AT_SYMLINK_FOLLOW))
        *held = fd;
    else if (fd >= 0)
        files_release(fd);
    return true;
}

DOOR int link(const char *old, const char *new)
{
    if (!guard_ready()) return real.link(old, new);
    ENTRIES(AT_FDCWD, old, AT_FDCWD, new, "link",
            one.held || two.held ? real.linkat(from_dir, from, to_dir, to, 0) : real.link(old, new));
}

DOOR int linkat(int old_dir, const char *old, int new_dir, const char *new, int flags)
{
    if (!guard_ready()) return real.linkat(old_dir, old, new_dir, new, flags);
    int held;
    if (!link_follows(old_dir, old, flags, &held, CALLER())) return -1;
    if (held < 0) ENTRIES(old_dir, old, new_dir, new, "link", real.linkat(from_dir, from, to_dir, to, flags));
    struct access one, two;
    int result = -1;
    if (enter(old_dir, old, "link", NULL, &one, CALLER())) {
        if (enter(new_dir, new, "link", &one, &two, CALLER())) {
            char magic[32];
            files_magic_path(magic, held);
            result = real.linkat(AT_FDCWD, magic, two.held ? two.place.parent : new_dir, two.held ? two.place.last : new, flags);
            leave(&two);
        }
        leave(&one);
    }
    int error = errno;
    files_release(held);
    errno = error;
    return result;
}

DOOR int symlink(const char *target, const char *path)
{
    if (!guard_ready()) return real.symlink(target, path);
    ENTRY(AT_FDCWD, path, "link", access.held ? real.symlinkat(target, dir, name) : real.symlink(target, path));
}

DOOR int symlinkat(const char *target, int dirfd, const char *path)
{
    if (!guard_ready()) return real.symlinkat(target, dirfd, path);
    ENTRY(dirfd, path, "link", real.symlinkat(target, dir, name));
}

DOOR ssize_t readlink(const char *path, char *buffer, size_t size)
{
    if (!guard_ready()) return real.readlink(path, buffer, size);
    ENTRY(AT_FDCWD, path, "read", access.held ? real.readlinkat(dir, name, buffer, size) : real.readlink(path, buffer, size));
}

DOOR ssize_t readlinkat(int dirfd, const char *path, char *buffer, size_t size)
{
    if (!guard_ready() || (path && !*path)) return real.readlinkat(dirfd, path, buffer, size);
    ENTRY(dirfd, path, "read", real.readlinkat(dir, name, buffer, size));
}

extern void __chk_fail(void) __attribute__((noreturn));

DOOR ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room) __chk_fail();
    if (!guard_ready()) return real.readlink(path, buffer, size);
    ENTRY(AT_FDCWD, path, "read", access.held ? real.readlinkat(dir, name, buffer, size) : real.readlink(path, buffer, size));
}

DOOR ssize_t __readlinkat_chk(int dirfd, const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room) __chk_fail();
    if (!guard_ready() || !*path) return real.readlinkat(dirfd, path, buffer, size);
    ENTRY(dirfd, path, "read", real.readlinkat(dir, name, buffer, size));
}

/* Older libcs export mknod under another name only; the system call is the same everywhere. */
static int make_node(int dir, const char *name, mode_t mode, dev_t device)
{
    return (int)SYS_RESULT(sys_call(SYS_mknodat, dir, name, mode, device));
}

DOOR int mknod(const char *path, mode_t mode, dev_t device)
{
    if (!guard_ready()) return make_node(AT_FDCWD, path, mode, device);
    ENTRY(AT_FDCWD, path, "create", make_node(dir, name, mode, device));
}

DOOR int mknodat(int dirfd, const char *path, mode_t mode, dev_t device)
{
    if (!guard_ready()) return make_node(dirfd, path, mode, device);
    ENTRY(dirfd, path, "create", make_node(dir, name, mode, device));
}

DOOR int __xmknod(int version, const char *path, mode_t mode, dev_t *device)
{
    (void)version;
    if (!guard_ready()) return make_node(AT_FDCWD, path, mode, *device);
    ENTRY(AT_FDCWD, path, "create", make_node(dir, name, mode, *device));
}

DOOR int __xmknodat(int version, int dirfd, const char *path, mode_t mode, dev_t *device)
{
    (void)version;
    if (!guard_ready()) return make_node(dirfd, path, mode, *device);
    ENTRY(dirfd, path, "create", make_node(dir, name, mode, *device));
}

DOOR int mkfifo(const char *path, mode_t mode)
{
    if (!guard_ready()) return real.mkfifo(path, mode);
    ENTRY(AT_FDCWD, path, "create", make_node(dir, name, (mode & 07777) | S_IFIFO, 0));
}

DOOR int mkfifoat(int dirfd, const char *path, mode_t mode)
{
    if (!guard_ready()) return real.mkfifoat(dirfd, path, mode);
    ENTRY(dirfd, path, "create", make_node(dir, name, (mode & 07777) | S_IFIFO, 0));
}

#include "aliases_entries.gen.h"
