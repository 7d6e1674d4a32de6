/* Doors that make, move and remove names. Each acts in the folder that was judged. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "files/files.h"
#include "files/handler.h"
#include "support/sys.h"
#include "support/text.h"

/* A path of the caller's, and its place, judged. The door acts on `name` in `dir`: in the folder
 * that was judged if `in_folder` is true, otherwise as the caller did. */
struct access {
    int dirfd;
    const struct path *path;
    int dir;
    const char *name;
    struct place place;
    bool in_folder;
    bool shown; /* an alert about this family was written for this act */
    enum fs_family family;
};

/* With no fd left, the object cannot be opened and judged, but some acts need no fd. Judges by the
 * name alone, as far as that can tell. Returns true if the act is refused. */
__attribute__((noinline)) static bool refused_by_name(int dirfd, const struct path *path,
                                                      const char *verb, const void *caller)
{
    struct judged judged = {.family = FS_TMP, .verb = verb};
    size_t size = path->size, at = 0;
    if (strstr(path->text, "..")) return false;
    if (path->text[0] != '/') {
        if (dirfd == AT_FDCWD) {
            long count = sys_call(SYS_getcwd, judged.path, sizeof judged.path);
            at = count > 1 ? (size_t)count - 1 : 0;
        } else {
            char link[32];
            text_fd_path(link, dirfd);
            long count = sys_readlinkat(AT_FDCWD, link, judged.path, sizeof judged.path - 1);
            at = count > 0 ? (size_t)count : 0;
        }
        if (judged.path[0] != '/' || at + 1 >= sizeof judged.path) return false;
        judged.path[at++] = '/';
    }
    if (size >= sizeof judged.path - at) return false;
    memcpy(judged.path + at, path->text, size + 1);
    if (strncmp(judged.path, "/tmp/", 5) != 0) return false;
    struct fs_request request = {.family = FS_TMP, .path = judged.path, .caller = caller};
    judged.verdict = guard_decide(&request);
    return judged.verdict.mode != FS_ALLOW && files_refuse(&judged, caller);
}

/* What the act does to the object that the path names. */
enum effect { READS, MAKES, MOVES };

/* Reports, with the act's second path, or NULL where there is none. Returns true if the act must be
 * refused. */
static bool refuse(struct judged *judged, const struct access *second, const void *caller)
{
    struct judged *other = second ? files_judge_other(judged, second->dirfd, second->path) : NULL;
    judged->to = other ? other->path : NULL;
    bool refused = files_refuse(judged, caller);
    sys_scratch_free(other, sizeof *other);
    return refused;
}

/* Judges a path; returns false if the call must fail (errno is set). One act makes one event:
 * `first` is the path that was judged before, `second` the one that is judged next; NULL where
 * there is none. */
static bool enter(struct access *access, enum effect effect, const char *verb,
                  const struct access *first, const struct access *second, const void *caller)
{
    int dirfd = access->dir = access->dirfd;
    const struct path *path = access->path;
    access->name = path->text;
    access->in_folder = false;
    access->place.parent = -1;
    struct judged judged;
    int result = files_find_place(dirfd, path, &access->place);
    if (result != 0) {
        if ((result == -EMFILE || result == -ENFILE) && refused_by_name(dirfd, path, verb, caller))
            return false;
        /* While a rule blocks, fail here: what prevented judging may be gone by the time of the
         * call. */
        if (guard.blocks_any) errno = -result;
        return !guard.blocks_any;
    }
    bool found, again;
    int flags = effect == READS ? O_RDONLY : effect == MAKES ? O_RDWR | O_CREAT : O_RDWR;
    if (access->place.whole) {
        int fd = sys_openat(dirfd, path->text, O_PATH | O_CLOEXEC, 0);
        found = fd >= 0 && files_judge_fd(fd, flags, &judged, caller);
        if (fd >= 0) sys_close(fd);
    } else {
        found = (effect == MOVES && files_judge_entry(&access->place, &judged)) ||
                files_judge_place(&access->place, flags, &judged, caller);
    }
    judged.verb = verb;
    judged.from = first ? first->path->text : NULL;
    again = found && judged.verdict.mode == FS_ALERT &&
            ((access->shown && access->family == judged.family) ||
             (first && first->shown && first->family == judged.family));
    if (found && !again && refuse(&judged, second, caller)) {
        files_close_place(&access->place);
        return false;
    }
    if (found && judged.verdict.mode == FS_ALERT) {
        access->shown = true;
        access->family = judged.family;
    }
    if (!access->place.whole && guard.blocks_any) {
        access->in_folder = true;
        access->dir = access->place.parent;
        access->name = access->place.last;
    }
    return true;
}

/* Both paths of an act. With the effect MOVES, the second one's object is replaced. */
static bool enter_both(struct access *one, struct access *two, enum effect effect, const char *verb,
                       const void *caller)
{
    if (!enter(one, MOVES, verb, NULL, two, caller)) return false;
    if (enter(two, effect, verb, one, NULL, caller)) {
        handler_name_moves(one->dir, one->name, two->dir, two->name);
        return true;
    }
    files_close_place(&one->place);
    return false;
}

static int leave_both(struct access *one, struct access *two, int result)
{
    files_close_place(&one->place);
    files_close_place(&two->place);
    return result;
}

/* One path: CALL acts in `dir` on `name`. If the path is used as given, the door calls the same
 * function as the caller did: a library preloaded after ours may interpose that one only. */
#define ENTRY(dirfd_, path_, effect, verb, call)                                                   \
    ENTRY_AFTER(NULL, dirfd_, path_, effect, verb, call)
#define ENTRY_AFTER(first, dirfd_, path_, effect, verb, call)                                      \
    do {                                                                                           \
        struct access access;                                                                      \
        access.dirfd = (dirfd_);                                                                   \
        access.path = (path_);                                                                     \
        access.shown = false;                                                                      \
        if (!enter(&access, effect, verb, first, NULL, caller)) return -1;                         \
        int dir = access.dir;                                                                      \
        const char *name = access.name;                                                            \
        (void)dir;                                                                                 \
        __typeof__(call) result = call;                                                            \
        files_close_place(&access.place);                                                          \
        return result;                                                                             \
    } while (0)

/* Two paths, `one` and `two`. */
#define ENTRIES(dirfd1, path1, dirfd2, path2, effect, verb, call)                                  \
    do {                                                                                           \
        struct access one, two;                                                                    \
        one.dirfd = (dirfd1);                                                                      \
        one.path = (path1);                                                                        \
        one.shown = two.shown = false;                                                             \
        two.dirfd = (dirfd2);                                                                      \
        two.path = (path2);                                                                        \
        if (!enter_both(&one, &two, effect, verb, caller)) return -1;                              \
        return leave_both(&one, &two, call);                                                       \
    } while (0)

static int judged_mkdir(const struct path *path, mode_t mode, const void *caller)
{
    ENTRY(AT_FDCWD, path, MAKES, "create",
          access.in_folder ? real.mkdirat(dir, name, mode) : real.mkdir(name, mode));
}

int files_make_folder(const struct path *path, const void *caller)
{
    return judged_mkdir(path, 0700, caller);
}

static int judged_mkdirat(int dirfd, const struct path *path, mode_t mode, const void *caller)
{
    ENTRY(dirfd, path, MAKES, "create", real.mkdirat(dir, name, mode));
}

static int judged_rmdir(const struct path *path, const void *caller)
{
    ENTRY(AT_FDCWD, path, MOVES, "remove",
          access.in_folder ? real.unlinkat(dir, name, AT_REMOVEDIR) : real.rmdir(name));
}

static int judged_unlink(const struct path *path, const void *caller)
{
    ENTRY(AT_FDCWD, path, MOVES, "remove",
          access.in_folder ? real.unlinkat(dir, name, 0) : real.unlink(name));
}

static int judged_unlinkat(int dirfd, const struct path *path, int flags, const void *caller)
{
    ENTRY(dirfd, path, MOVES, "remove", real.unlinkat(dir, name, flags));
}

static int remove_at(int dir, const char *name)
{
    int result = real.unlinkat(dir, name, 0);
    return result != 0 && errno == EISDIR ? real.unlinkat(dir, name, AT_REMOVEDIR) : result;
}

static int judged_remove(const struct path *path, const void *caller)
{
    ENTRY(AT_FDCWD, path, MOVES, "remove",
          access.in_folder ? remove_at(dir, name) : real.remove(name));
}

static int judged_rename(const struct path *old, const struct path *new, const void *caller)
{
    ENTRIES(AT_FDCWD, old, AT_FDCWD, new, MOVES, "rename",
            one.in_folder || two.in_folder ? real.renameat(one.dir, one.name, two.dir, two.name)
                                           : real.rename(one.name, two.name));
}

static int judged_renameat(int old_dir, const struct path *old, int new_dir, const struct path *new,
                           const void *caller)
{
    ENTRIES(old_dir, old, new_dir, new, MOVES, "rename",
            real.renameat(one.dir, one.name, two.dir, two.name));
}

static int judged_renameat2(int old_dir, const struct path *old, int new_dir,
                            const struct path *new, unsigned flags, const void *caller)
{
    ENTRIES(old_dir, old, new_dir, new, MOVES, "rename",
            real.renameat2(one.dir, one.name, two.dir, two.name, flags));
}

/* A hard link would give an object under /tmp a second name. With AT_SYMLINK_FOLLOW the object at
 * the end of the link is judged too. `*object`: that object, by a reserved fd; -1 if the name will
 * do.
 */
static bool link_follows(struct access *one, const struct access *two, int flags, int *object,
                         const void *caller)
{
    int dirfd = one->dirfd;
    const struct path *path = one->path;
    *object = -1;
    if (!(flags & (AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))) return true;
    struct judged judged;
    int fd =
        path->size > 0 ? files_reserve(sys_openat(dirfd, path->text, O_PATH | O_CLOEXEC, 0)) : -1;
    bool found = files_judge_fd(fd >= 0 ? fd : dirfd, O_RDWR, &judged, caller);
    judged.verb = "link";
    if (found && refuse(&judged, two, caller)) {
        if (fd >= 0) files_release(fd);
        return false;
    }
    if (found && judged.verdict.mode == FS_ALERT) {
        one->shown = true;
        one->family = judged.family;
    }
    /* The symbolic link may lead elsewhere by the time of the call: link the object that was
     * inspected. */
    if (fd >= 0 && guard.blocks_any && (flags & AT_SYMLINK_FOLLOW))
        *object = fd;
    else if (fd >= 0)
        files_release(fd);
    return true;
}

static int judged_link(const struct path *old, const struct path *new, const void *caller)
{
    ENTRIES(AT_FDCWD, old, AT_FDCWD, new, MAKES, "link",
            one.in_folder || two.in_folder ? real.linkat(one.dir, one.name, two.dir, two.name, 0)
                                           : real.link(one.name, two.name));
}

static int judged_linkat(int old_dir, const struct path *old, int new_dir, const struct path *new,
                         int flags, const void *caller)
{
    int object, result = -1;
    struct access one, two;
    one.dirfd = old_dir;
    one.path = old;
    two.dirfd = new_dir;
    two.path = new;
    one.shown = two.shown = false;
    if (!link_follows(&one, &two, flags, &object, caller)) return -1;
    if (enter_both(&one, &two, MAKES, "link", caller)) {
        char magic[32];
        if (object >= 0) {
            text_fd_path(magic, object);
            one.dir = AT_FDCWD;
            one.name = magic;
        }
        result = real.linkat(one.dir, one.name, two.dir, two.name, flags);
        leave_both(&one, &two, 0);
    }
    if (object >= 0) files_release(object);
    return result;
}

/* Instead of the target, which is text that a later act may read otherwise. */
static const struct access target_text = {.path = &(const struct path){"", 0, 0}};

static int judged_symlink(const char *target, const struct path *path, const void *caller)
{
    ENTRY_AFTER(&target_text, AT_FDCWD, path, MAKES, "link",
                access.in_folder ? real.symlinkat(target, dir, name) : real.symlink(target, name));
}

static int judged_symlinkat(const char *target, int dirfd, const struct path *path,
                            const void *caller)
{
    ENTRY_AFTER(&target_text, dirfd, path, MAKES, "link", real.symlinkat(target, dir, name));
}

static ssize_t judged_readlink(const struct path *path, char *buffer, size_t size,
                               const void *caller)
{
    ENTRY(AT_FDCWD, path, READS, "read",
          access.in_folder ? real.readlinkat(dir, name, buffer, size)
                           : real.readlink(name, buffer, size));
}

static ssize_t judged_readlinkat(int dirfd, const struct path *path, char *buffer, size_t size,
                                 const void *caller)
{
    if (path->size == 0) return real.readlinkat(dirfd, "", buffer, size);
    ENTRY(dirfd, path, READS, "read", real.readlinkat(dir, name, buffer, size));
}

extern void __chk_fail(void) __attribute__((noreturn));

static ssize_t bare___readlink_chk(const char *path, char *buffer, size_t size, size_t room)
{
    if (size > room) __chk_fail();
    return real.readlink(path, buffer, size);
}
#define bare___readlink_chk bare___readlink_chk

static ssize_t judged___readlink_chk(const struct path *path, char *buffer, size_t size,
                                     size_t room, const void *caller)
{
    if (size > room) __chk_fail();
    return judged_readlink(path, buffer, size, caller);
}

static ssize_t bare___readlinkat_chk(int dirfd, const char *path, char *buffer, size_t size,
                                     size_t room)
{
    if (size > room) __chk_fail();
    return real.readlinkat(dirfd, path, buffer, size);
}
#define bare___readlinkat_chk bare___readlinkat_chk

static ssize_t judged___readlinkat_chk(int dirfd, const struct path *path, char *buffer,
                                       size_t size, size_t room, const void *caller)
{
    if (size > room) __chk_fail();
    return judged_readlinkat(dirfd, path, buffer, size, caller);
}

/* Older libcs export mknod only under another name. The system call is the same in all. */
static int make_node(int dir, const char *name, mode_t mode, dev_t device)
{
    return (int)SYS_RESULT(sys_call(SYS_mknodat, dir, name, mode, device));
}
#define bare_mknod(path, mode, device)             make_node(AT_FDCWD, path, mode, device)
#define bare_mknodat(dirfd, path, mode, device)    make_node(dirfd, path, mode, device)
#define bare___xmknod(version, path, mode, device) make_node(AT_FDCWD, path, mode, *(device))
#define bare___xmknodat(version, dirfd, path, mode, device) make_node(dirfd, path, mode, *(device))

static int judged_mknodat(int dirfd, const struct path *path, mode_t mode, dev_t device,
                          const void *caller)
{
    ENTRY(dirfd, path, MAKES, "create", make_node(dir, name, mode, device));
}

static int judged_mknod(const struct path *path, mode_t mode, dev_t device, const void *caller)
{
    return judged_mknodat(AT_FDCWD, path, mode, device, caller);
}

static int judged___xmknod(int version, const struct path *path, mode_t mode, dev_t *device,
                           const void *caller)
{
    (void)version;
    return judged_mknodat(AT_FDCWD, path, mode, *device, caller);
}

static int judged___xmknodat(int version, int dirfd, const struct path *path, mode_t mode,
                             dev_t *device, const void *caller)
{
    (void)version;
    return judged_mknodat(dirfd, path, mode, *device, caller);
}

static int judged_mkfifoat(int dirfd, const struct path *path, mode_t mode, const void *caller)
{
    return judged_mknodat(dirfd, path, (mode & 07777) | S_IFIFO, 0, caller);
}

static int judged_mkfifo(const struct path *path, mode_t mode, const void *caller)
{
    return judged_mkfifoat(AT_FDCWD, path, mode, caller);
}

#include "doors_entries.gen.h"
