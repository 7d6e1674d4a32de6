/* Doors that change or read an object's attributes or size by its path. The door opens the object
 * (O_PATH), judges it, and acts through /proc/self/fd. A name that changes in between changes
 * nothing. */
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "files/files.h"
#include "support/sys.h"
#include "support/text.h"

struct target {
    int fd; /* the object, or the link's folder; -1: make the caller's call */
    char path[320]; /* "/proc/self/fd/N", or "/proc/self/fd/N/NAME" */
};

static bool reach(int dirfd, const struct path *path, bool follow, int flags, const char *verb,
                  struct target *target, const void *caller)
{
    target->fd = -1;
    struct judged judged;
    struct place place = {.parent = -1};
    bool found;
    int missing = follow ? 0 : files_find_place(dirfd, path, &place);
    if (missing == 0 && (follow || place.whole)) {
        target->fd = files_reserve(sys_openat(dirfd, path->text, O_PATH | O_CLOEXEC, 0));
        missing = target->fd < 0 ? target->fd : 0;
    }
    if (missing != 0) {
        /* Judging failed. Do not make the call: what prevented judging may be gone by then. */
        target->fd = -1;
        if (guard.blocks_any) errno = -missing;
        return !guard.blocks_any;
    }
    if (follow || place.whole) {
        text_fd_path(target->path, target->fd);
        if (!follow) strcat(target->path, "/."); /* the folder, not the link in /proc */
        found = files_judge_fd(target->fd, flags, &judged, caller);
    } else {
        target->fd = place.parent;
        text_fd_path(target->path, target->fd);
        size_t at = strlen(target->path), size = strlen(place.last);
        target->path[at++] = '/';
        memcpy(target->path + at, place.last, size + 1);
        found = files_judge_place(&place, flags, &judged, caller);
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
    return true;
}

/* CALL acts on `name`: `path` itself, or the path in /proc of the object that is held open. Most of
 * these doors are generated: `target` in doors.table. */
#define TARGET(dirfd, given, follow, flags, verb, call)                                            \
    do {                                                                                           \
        struct target target;                                                                      \
        if (!reach(dirfd, given, follow, flags, verb, &target, caller)) return -1;                 \
        const char *name = target.fd >= 0 ? target.path : (given)->text;                           \
        int dir = target.fd >= 0 ? AT_FDCWD : (dirfd);                                             \
        (void)dir;                                                                                 \
        __typeof__(call) result = call;                                                            \
        if (target.fd >= 0) files_release(target.fd);                                              \
        return result;                                                                             \
    } while (0)

static int judged_fchownat(int dirfd, const struct path *path, uid_t user, gid_t group, int flags,
                           const void *caller)
{
    if (path->size == 0) {
        if ((flags & AT_EMPTY_PATH) && files_refuse_change(dirfd, caller)) return -1;
        return real.fchownat(dirfd, "", user, group, flags);
    }
    TARGET(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), O_WRONLY, "change",
           real.fchownat(dir, name, user, group, flags));
}

static int judged_utimensat(int dirfd, const struct path *path, const struct timespec times[2],
                            int flags, const void *caller)
{
    if (path->size == 0) return real.utimensat(dirfd, "", times, flags);
    TARGET(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), O_WRONLY, "change",
           real.utimensat(dir, name, times, flags));
}

#include "doors_attributes.gen.h"
