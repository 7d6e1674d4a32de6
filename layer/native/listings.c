/* Doors of what lists folders inside libc, and of what watches them. */
#include <dirent.h>
#include <fts.h>
#include <glob.h>
#include <string.h>
#include <sys/inotify.h>

#include "files.h"
#include "sys.h"

DOOR DIR *opendir(const char *path)
{
    if (!guard_ready() || files_idle() || !path || !*path) return real.opendir(path);
    int fd = files_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC, 0, CALLER());
    if (fd < 0) return NULL;
    DIR *stream = fdopendir(fd);
    if (!stream) {
        int error = errno;
        sys_close(fd);
        errno = error;
    }
    return stream;
}

DOOR int scandirat(int dirfd, const char *path, struct dirent ***list, int (*select)(const struct dirent *),
                   int (*compare)(const struct dirent **, const struct dirent **))
{
    if (!guard_ready() || files_idle()) return real.scandirat(dirfd, path, list, select, compare);
    int fd = files_open(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, CALLER());
    if (fd < 0) return -1;
    int count = real.scandirat(fd, ".", list, select, compare);
    int error = errno;
    sys_close(fd);
    errno = error;
    return count;
}

DOOR int scandir(const char *path, struct dirent ***list, int (*select)(const struct dirent *),
                 int (*compare)(const struct dirent **, const struct dirent **))
{
    if (!guard_ready() || files_idle()) return real.scandir(path, list, select, compare);
    int fd = files_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, CALLER());
    if (fd < 0) return -1;
    int count = real.scandirat(fd, ".", list, select, compare);
    int error = errno;
    sys_close(fd);
    errno = error;
    return count;
}

/* Walks go on inside libc: where one begins decides, and one that begins above /tmp would come to it. */
static bool walk_refused(const char *path, const void *caller)
{
    if (files_idle() || !path) return false;
    struct judged judged;
    judged.verdict = files_judge_path(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, judged.path, &judged.family);
    judged.verb = "list";
    if (judged.verdict.mode != FS_ALLOW) return files_refuse(&judged, caller);
    struct stat start, above;
    if (sys_fstatat(AT_FDCWD, path, &start, 0) != 0) return false;
    char up[] = "/tmp/../../../../../../../..";
    for (size_t size = sizeof "/tmp/.." - 1; size < sizeof up; size += 3) {
        char folder[sizeof up];
        memcpy(folder, up, size);
        folder[size] = '\0';
        if (sys_fstatat(AT_FDCWD, folder, &above, 0) != 0) return false;
        if (above.st_dev == start.st_dev && above.st_ino == start.st_ino) {
            judged.verdict = files_judge_path(AT_FDCWD, "/tmp", O_RDONLY | O_DIRECTORY, judged.path, &judged.family);
            return judged.verdict.mode != FS_ALLOW && files_refuse(&judged, caller);
        }
    }
    return false;
}

/* A walk that follows links comes to /tmp from anywhere. While /tmp is blocked, fts follows none. (nftw and ftw do: what they
 * would report of a link would change for honest programs.) */
static bool follows_nothing(void)
{
    if (files_idle() || !guard.blocks_any) return false;
    struct fs_request request = {.family = FS_TMP, .path = "/tmp"};
    return guard_decide(&request).mode == FS_BLOCK;
}

#define WALK(symbol, failure, path, ...)                                  \
    if (guard_ready() && walk_refused(path, CALLER())) return failure;    \
    return real.symbol(__VA_ARGS__)

/* Their own declarations differ in types that do not matter here. */
DOOR int guarded_ftw(const char *path, void *visit, int open) __asm__("ftw");
DOOR int guarded_ftw(const char *path, void *visit, int open) { WALK(ftw, -1, path, path, visit, open); }
DOOR int guarded_ftw64(const char *path, void *visit, int open) __asm__("ftw64");
DOOR int guarded_ftw64(const char *path, void *visit, int open) { WALK(ftw64, -1, path, path, visit, open); }
DOOR int guarded_nftw(const char *path, void *visit, int open, int flags) __asm__("nftw");
DOOR int guarded_nftw(const char *path, void *visit, int open, int flags) { WALK(nftw, -1, path, path, visit, open, flags); }
DOOR int guarded_nftw64(const char *path, void *visit, int open, int flags) __asm__("nftw64");
DOOR int guarded_nftw64(const char *path, void *visit, int open, int flags) { WALK(nftw64, -1, path, path, visit, open, flags); }

static bool walks_refused(char *const *paths, const void *caller)
{
    for (unsigned i = 0; paths && paths[i] && i < 4096; i++)
        if (walk_refused(paths[i], caller)) return true;
    return false;
}

static int fts_options(int options)
{
    if (!(options & FTS_LOGICAL) || !guard_ready() || !follows_nothing()) return options;
    return (options & ~FTS_LOGICAL) | FTS_PHYSICAL;
}

DOOR void *guarded_fts_open(char *const *paths, int options, void *compare) __asm__("fts_open");
DOOR void *guarded_fts_open(char *const *paths, int options, void *compare)
{
    if (guard_ready() && walks_refused(paths, CALLER())) return NULL;
    return real.fts_open(paths, fts_options(options), compare);
}

DOOR void *guarded_fts64_open(char *const *paths, int options, void *compare) __asm__("fts64_open");
DOOR void *guarded_fts64_open(char *const *paths, int options, void *compare)
{
    if (guard_ready() && walks_refused(paths, CALLER())) return NULL;
    return real.fts64_open(paths, fts_options(options), compare);
}

/* glob opens folders inside libc; it takes functions of ours for that. */
static void *list_open(const char *path) { return opendir(path); }
static void list_close(void *stream) { closedir(stream); }

static bool ours(int flags) { return guard_ready() && !files_idle() && !(flags & GLOB_ALTDIRFUNC); }

DOOR int guarded_glob(const char *pattern, int flags, int (*failed)(const char *, int), glob_t *found) __asm__("glob");
DOOR int guarded_glob(const char *pattern, int flags, int (*failed)(const char *, int), glob_t *found)
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

DOOR int guarded_glob64(const char *pattern, int flags, int (*failed)(const char *, int), void *found) __asm__("glob64");
DOOR int guarded_glob64(const char *pattern, int flags, int (*failed)(const char *, int), void *found)
{
    /* The same layout on 64-bit systems. */
    if (!ours(flags)) return real.glob64(pattern, flags, failed, found);
    return guarded_glob(pattern, flags, failed, found);
}

DOOR int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    if (!guard_ready() || files_idle()) return real.inotify_add_watch(fd, path, mask);
    struct judged judged;
    int held = files_hold(sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC | (mask & IN_DONT_FOLLOW ? O_NOFOLLOW : 0), 0));
    if (held < 0) return real.inotify_add_watch(fd, path, mask);
    bool found = files_judge_fd(held, O_RDONLY, &judged);
    judged.verb = "watch";
    if (found && files_refuse(&judged, CALLER())) {
        files_release(held);
        return -1;
    }
    char magic[32];
    files_magic_path(magic, held);
    bool by_object = guard.blocks_any && !(mask & IN_DONT_FOLLOW);
    int watch = real.inotify_add_watch(fd, by_object ? magic : path, mask);
    int error = errno;
    files_release(held);
    errno = error;
    return watch;
}

DOOR int fanotify_mark(int fd, unsigned flags, uint64_t mask, int dirfd, const char *path)
{
    struct judged judged;
    if (guard_ready() && !files_idle()) {
        judged.verdict = files_judge_path(dirfd, path ? path : ".", O_RDONLY, judged.path, &judged.family);
        judged.verb = "watch";
        if (judged.verdict.mode != FS_ALLOW && files_refuse(&judged, CALLER())) return -1;
    }
    return real.fanotify_mark(fd, flags, mask, dirfd, path);
}

#include "aliases_listings.gen.h"
