/* Doors of functions that list folders inside libc, or watch them. */
#include <dirent.h>
#include <fts.h>
#include <glob.h>
#include <string.h>
#include <sys/inotify.h>

#include "files/files.h"
#include "support/sys.h"
#include "support/text.h"

static DIR *judged_opendir(const struct path *path, const void *caller)
{
    if (path->size == 0) return real.opendir("");
    int fd = files_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC, 0, caller);
    if (fd < 0) return NULL;
    DIR *stream = fdopendir(fd);
    if (!stream) sys_close(fd);
    return stream;
}

static int judged_scandirat(int dirfd, const struct path *path, struct dirent ***list,
                            int (*select)(const struct dirent *),
                            int (*compare)(const struct dirent **, const struct dirent **),
                            const void *caller)
{
    int fd = files_open(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, caller);
    if (fd < 0) return -1;
    int count = real.scandirat(fd, ".", list, select, compare);
    sys_close(fd);
    return count;
}

static int judged_scandir(const struct path *path, struct dirent ***list,
                          int (*select)(const struct dirent *),
                          int (*compare)(const struct dirent **, const struct dirent **),
                          const void *caller)
{
    return judged_scandirat(AT_FDCWD, path, list, select, compare, caller);
}

/* A walk continues inside libc, past the doors. So its start decides, and a walk that starts above
 * /tmp is refused, because it would reach /tmp. */
static bool walk_refused(const struct path *path, const void *caller)
{
    struct judged judged;
    (void)files_judge_path(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, &judged, caller);
    judged.verb = "list";
    if (judged.verdict.mode != FS_ALLOW) return files_refuse(&judged, caller);
    struct stat start, above;
    if (sys_fstatat(AT_FDCWD, path->text, &start, 0) != 0) return false;
    char up[] = "/tmp/../../../../../../../..";
    for (size_t size = sizeof "/tmp/.." - 1; size < sizeof up; size += 3) {
        char folder[sizeof up];
        memcpy(folder, up, size);
        folder[size] = '\0';
        if (sys_fstatat(AT_FDCWD, folder, &above, 0) != 0) return false;
        if (above.st_dev == start.st_dev && above.st_ino == start.st_ino) {
            struct path tmp = copied_own("/tmp");
            return files_refuses_path(AT_FDCWD, &tmp, O_RDONLY | O_DIRECTORY, "list", caller);
        }
    }
    return false;
}

/* ---- ftw and nftw: they run inside libc and follow links, so each object is judged before the
 * caller's function is called for it ---- */

/* <ftw.h>, whose functions are doors with types of their own. */
enum { KIND_FOLDER = 1, KIND_UNKNOWN = 3, KIND_LINK = 4, KIND_LOST_LINK = 6 };
enum { CHANGES_FOLDER = 4, ANSWERS = 16, SKIP_FOLDER = 2 };
struct position {
    int base, level;
};

typedef int visit_function(const char *, const struct stat *, int, struct position *);

/* This thread's walk. The caller's function may begin another one inside it. */
static __thread struct walk {
    visit_function *visit;
    const void *caller;
    int flags;
    bool told; /* one walk makes one event */
} walk __attribute__((tls_model("initial-exec")));

static bool refuses(struct judged *judged)
{
    if (judged->verdict.mode == FS_ALLOW || walk.told) return judged->verdict.mode == FS_BLOCK;
    walk.told = true;
    judged->verb = "list";
    return files_refuse(judged, walk.caller);
}

/* Judges the object that libc saw. If the name leads to another object by now, the caller's
 * function is not called for it. */
static bool hides(const char *name, const struct stat *seen, int kind)
{
    struct judged judged;
    struct stat status;
    bool link = kind == KIND_LINK || kind == KIND_LOST_LINK, hidden;
    int fd = kind == KIND_UNKNOWN
                 ? -1
                 : sys_openat(AT_FDCWD, name, O_PATH | O_CLOEXEC | (link ? O_NOFOLLOW : 0), 0);
    if (fd < 0) {
        struct path path = copied_own(name);
        (void)files_judge_path(AT_FDCWD, &path, O_RDONLY | O_NOFOLLOW, &judged, walk.caller);
        return refuses(&judged);
    }
    hidden = files_judge_fd(fd, O_RDONLY, &judged, walk.caller) && refuses(&judged);
    if (!hidden && guard.blocks_any)
        hidden = sys_fstat(fd, &status) != 0 || status.st_dev != seen->st_dev ||
                 status.st_ino != seen->st_ino;
    sys_close(fd);
    return hidden;
}

static int visit(const char *path, const struct stat *seen, int kind, struct position *position)
{
    struct walk own = walk;
    bool inner = position != NULL && own.flags & CHANGES_FOLDER;
    int error = errno;
    bool hidden =
        hides(inner && path[position->base] != '\0' ? path + position->base : path, seen, kind);
    errno = error;
    if (hidden) return own.flags & ANSWERS && kind == KIND_FOLDER ? SKIP_FOLDER : 0;
    own.told = walk.told;
    int answer = own.visit(path, seen, kind, position);
    walk = own; /* the caller's function may have begun a walk */
    return answer;
}

static int visit_plain(const char *path, const struct stat *seen, int kind)
{
    return visit(path, seen, kind, NULL);
}

static int judged_ftw(const struct path *path, void *visit_, int open, const void *caller)
{
    if (walk_refused(path, caller)) return -1;
    if (guard_ignores(FS_TMP)) return real.ftw(path->text, visit_, open);
    struct walk before = walk;
    walk = (struct walk){.visit = (visit_function *)visit_, .caller = caller};
    int result = real.ftw(path->text, (void *)visit_plain, open);
    walk = before;
    return result;
}

static int judged_nftw(const struct path *path, void *visit_, int open, int flags,
                       const void *caller)
{
    if (walk_refused(path, caller)) return -1;
    if (guard_ignores(FS_TMP)) return real.nftw(path->text, visit_, open, flags);
    struct walk before = walk;
    walk = (struct walk){.visit = (visit_function *)visit_, .caller = caller, .flags = flags};
    int result = real.nftw(path->text, (void *)visit, open, flags);
    walk = before;
    return result;
}

/* ---- fts ---- */

static bool walks_refused(const struct words *paths, const void *caller)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct path path = copied_own(paths->list[i]);
        if (walk_refused(&path, caller)) return true;
    }
    return false;
}

/* Judges the folder that libc opens next: its path may lead elsewhere since the walk listed it. */
static bool enters_refused(const FTS *tree, const void *caller)
{
    if (!guard_ready() || files_idle() || !tree->fts_cur || tree->fts_cur->fts_info != FTS_D)
        return false;
    struct path path = copied_own(tree->fts_cur->fts_accpath);
    return walk_refused(&path, caller);
}

DOOR FTSENT *guarded_fts_read(FTS *tree) __asm__("fts_read");
DOOR FTSENT *guarded_fts_read(FTS *tree)
{
    if (enters_refused(tree, CALLER())) tree->fts_cur->fts_instr = FTS_SKIP;
    return real.fts_read(tree);
}

DOOR FTSENT *guarded_fts_children(FTS *tree, int options) __asm__("fts_children");
DOOR FTSENT *guarded_fts_children(FTS *tree, int options)
{
    return enters_refused(tree, CALLER()) ? NULL : real.fts_children(tree, options);
}

/* glob opens folders inside libc, unless it is given functions for it (GLOB_ALTDIRFUNC): these. */
static void *list_open(const char *path) { return opendir(path); }
static void list_close(void *stream) { closedir(stream); }

static bool ours(int flags) { return guard_ready() && !files_idle() && !(flags & GLOB_ALTDIRFUNC); }

DOOR int guarded_glob(const char *pattern, int flags, int (*failed)(const char *, int),
                      glob_t *found) __asm__("glob");
DOOR int guarded_glob(const char *pattern, int flags, int (*failed)(const char *, int),
                      glob_t *found)
{
    if (!ours(flags)) return real.glob(pattern, flags, failed, found);
    found->gl_opendir = list_open;
    found->gl_closedir = list_close;
    found->gl_readdir = (struct dirent * (*)(void *)) readdir;
    found->gl_stat = (int (*)(const char *, struct stat *))stat;
    found->gl_lstat = (int (*)(const char *, struct stat *))lstat;
    int result = real.glob(pattern, flags | GLOB_ALTDIRFUNC, failed, found);
    found->gl_flags &= ~GLOB_ALTDIRFUNC;
    return result;
}

DOOR int guarded_glob64(const char *pattern, int flags, int (*failed)(const char *, int),
                        void *found) __asm__("glob64");
DOOR int guarded_glob64(const char *pattern, int flags, int (*failed)(const char *, int),
                        void *found)
{
    /* glob_t and glob64_t have the same layout on 64-bit systems. */
    if (!ours(flags)) return real.glob64(pattern, flags, failed, found);
    return guarded_glob(pattern, flags, failed, found);
}

static int judged_inotify_add_watch(int fd, const struct path *path, uint32_t mask,
                                    const void *caller)
{
    struct judged judged;
    int object = files_reserve(sys_openat(
        AT_FDCWD, path->text, O_PATH | O_CLOEXEC | (mask & IN_DONT_FOLLOW ? O_NOFOLLOW : 0), 0));
    if (object < 0) return real.inotify_add_watch(fd, path->text, mask);
    bool found = files_judge_fd(object, O_RDONLY, &judged, caller);
    judged.verb = "watch";
    if (found && files_refuse(&judged, caller)) {
        files_release(object);
        return -1;
    }
    char magic[32];
    text_fd_path(magic, object);
    bool by_object = guard.blocks_any && !(mask & IN_DONT_FOLLOW);
    int watch = real.inotify_add_watch(fd, by_object ? magic : path->text, mask);
    files_release(object);
    return watch;
}

static int judged_fanotify_mark(int fd, unsigned flags, uint64_t mask, int dirfd,
                                const struct path *path, const void *caller)
{
    struct path here = copied_own(".");
    if (files_refuses_path(dirfd, path ? path : &here, O_RDONLY, "watch", caller)) return -1;
    return real.fanotify_mark(fd, flags, mask, dirfd, path ? path->text : NULL);
}

#include "doors_listings.gen.h"
