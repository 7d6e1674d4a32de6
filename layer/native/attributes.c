/* Doors of what changes or reads an object's attributes and size by its path. The object is held open (O_PATH), judged,
 * and reached through /proc/self/fd, so that a name that changes meanwhile changes nothing. */
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "files.h"
#include "sys.h"

struct target {
    int fd;          /* of the object, or of its folder where the last link is not followed; -1: call as asked */
    char path[320];  /* "/proc/self/fd/N", or "/proc/self/fd/N/NAME" */
};

static bool reach(int dirfd, const char *path, bool follow, int flags, const char *verb, struct target *target,
                  const void *caller)
{
    target->fd = -1;
    if (files_idle() || !path) return true;
    int error = errno;
    struct judged judged;
    struct place place = {.parent = -1};
    bool found;
    int missing = follow ? 0 : files_find_place(dirfd, path, &place);
    if (missing == 0 && (follow || place.whole)) {
        target->fd = files_hold(sys_openat(dirfd, path, O_PATH | O_CLOEXEC, 0));
        missing = target->fd < 0 ? target->fd : 0;
    }
    if (missing != 0) {
        /* Where something is blocked, the call fails here: what stood in the way of judging may be gone a moment later. */
        target->fd = -1;
        errno = guard.blocks_any ? -missing : error;
        return !guard.blocks_any;
    }
    if (follow || place.whole) {
        files_magic_path(target->path, target->fd);
        if (!follow) strcat(target->path, "/."); /* a folder, and not the link of /proc that leads to it */
        found = files_judge_fd(target->fd, flags, &judged);
    } else {
        target->fd = place.parent;
        files_magic_path(target->path, target->fd);
        size_t at = strlen(target->path), size = strlen(place.last);
        target->path[at++] = '/';
        memcpy(target->path + at, place.last, size + 1);
        found = files_judge_place(&place, flags, &judged);
    }
    judged.verb = verb;
    if (found && files_refuse(&judged, caller)) {
        files_release(target->fd);
        return false;
    }
    if (!guard.blocks_any) {
        files_release(target->fd);
        target->fd = -1;
    }
    errno = error;
    return true;
}

static void release(const struct target *target)
{
    if (target->fd >= 0) files_release(target->fd);
}

/* CALL acts on `name`, which is `path` itself or the way to the held object. */
#define TARGET(dirfd, path, follow, flags, verb, call)                               \
    do {                                                                             \
        struct target target;                                                        \
        if (!reach(dirfd, path, follow, flags, verb, &target, CALLER())) return -1;  \
        const char *name = target.fd >= 0 ? target.path : (path);                    \
        int dir = target.fd >= 0 ? AT_FDCWD : (dirfd);                               \
        (void)dir;                                                                   \
        __typeof__(call) result = call;                                              \
        int error = errno;                                                           \
        release(&target);                                                            \
        errno = error;                                                               \
        return result;                                                               \
    } while (0)

DOOR int truncate(const char *path, off_t size)
{
    if (!guard_ready()) return real.truncate(path, size);
    TARGET(AT_FDCWD, path, true, O_WRONLY | O_TRUNC, "truncate", real.truncate(name, size));
}

DOOR int chmod(const char *path, mode_t mode)
{
    if (!guard_ready()) return real.chmod(path, mode);
    TARGET(AT_FDCWD, path, true, O_WRONLY, "change", real.chmod(name, mode));
}

DOOR int lchmod(const char *path, mode_t mode)
{
    if (!guard_ready()) return real.lchmod(path, mode);
    TARGET(AT_FDCWD, path, false, O_WRONLY, "change", real.lchmod(name, mode));
}

DOOR int fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
    if (!guard_ready()) return real.fchmodat(dirfd, path, mode, flags);
    TARGET(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), O_WRONLY, "change", real.fchmodat(dir, name, mode, flags));
}

DOOR int chown(const char *path, uid_t user, gid_t group)
{
    if (!guard_ready()) return real.chown(path, user, group);
    TARGET(AT_FDCWD, path, true, O_WRONLY, "change", real.chown(name, user, group));
}

DOOR int lchown(const char *path, uid_t user, gid_t group)
{
    if (!guard_ready()) return real.lchown(path, user, group);
    TARGET(AT_FDCWD, path, false, O_WRONLY, "change", real.lchown(name, user, group));
}

DOOR int fchownat(int dirfd, const char *path, uid_t user, gid_t group, int flags)
{
    if (!guard_ready() || (path && !*path)) return real.fchownat(dirfd, path, user, group, flags);
    TARGET(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), O_WRONLY, "change", real.fchownat(dir, name, user, group, flags));
}

DOOR int utime(const char *path, const struct utimbuf *times)
{
    if (!guard_ready()) return real.utime(path, times);
    TARGET(AT_FDCWD, path, true, O_WRONLY, "change", real.utime(name, times));
}

DOOR int utimes(const char *path, const struct timeval times[2])
{
    if (!guard_ready()) return real.utimes(path, times);
    TARGET(AT_FDCWD, path, true, O_WRONLY, "change", real.utimes(name, times));
}

DOOR int lutimes(const char *path, const struct timeval times[2])
{
    if (!guard_ready()) return real.lutimes(path, times);
    TARGET(AT_FDCWD, path, false, O_WRONLY, "change", real.lutimes(name, times));
}

DOOR int futimesat(int dirfd, const char *path, const struct timeval times[2])
{
    if (!guard_ready() || !path) return real.futimesat(dirfd, path, times);
    TARGET(dirfd, path, true, O_WRONLY, "change", real.futimesat(dir, name, times));
}

DOOR int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
    if (!guard_ready() || !path || !*path) return real.utimensat(dirfd, path, times, flags);
    TARGET(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), O_WRONLY, "change", real.utimensat(dir, name, times, flags));
}

DOOR int setxattr(const char *path, const char *key, const void *value, size_t size, int flags)
{
    if (!guard_ready()) return real.setxattr(path, key, value, size, flags);
    TARGET(AT_FDCWD, path, true, O_WRONLY, "change", real.setxattr(name, key, value, size, flags));
}

DOOR int lsetxattr(const char *path, const char *key, const void *value, size_t size, int flags)
{
    if (!guard_ready()) return real.lsetxattr(path, key, value, size, flags);
    TARGET(AT_FDCWD, path, false, O_WRONLY, "change", real.lsetxattr(name, key, value, size, flags));
}

DOOR ssize_t getxattr(const char *path, const char *key, void *value, size_t size)
{
    if (!guard_ready()) return real.getxattr(path, key, value, size);
    TARGET(AT_FDCWD, path, true, O_RDONLY, "read", real.getxattr(name, key, value, size));
}

DOOR ssize_t lgetxattr(const char *path, const char *key, void *value, size_t size)
{
    if (!guard_ready()) return real.lgetxattr(path, key, value, size);
    TARGET(AT_FDCWD, path, false, O_RDONLY, "read", real.lgetxattr(name, key, value, size));
}

DOOR ssize_t listxattr(const char *path, char *list, size_t size)
{
    if (!guard_ready()) return real.listxattr(path, list, size);
    TARGET(AT_FDCWD, path, true, O_RDONLY, "read", real.listxattr(name, list, size));
}

DOOR ssize_t llistxattr(const char *path, char *list, size_t size)
{
    if (!guard_ready()) return real.llistxattr(path, list, size);
    TARGET(AT_FDCWD, path, false, O_RDONLY, "read", real.llistxattr(name, list, size));
}

DOOR int removexattr(const char *path, const char *key)
{
    if (!guard_ready()) return real.removexattr(path, key);
    TARGET(AT_FDCWD, path, true, O_WRONLY, "change", real.removexattr(name, key));
}

DOOR int lremovexattr(const char *path, const char *key)
{
    if (!guard_ready()) return real.lremovexattr(path, key);
    TARGET(AT_FDCWD, path, false, O_WRONLY, "change", real.lremovexattr(name, key));
}

#include "aliases_attributes.gen.h"
