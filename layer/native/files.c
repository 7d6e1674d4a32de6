#include "files.h"
#include "handler.h"
#include "interpreter.h"

#include <string.h>

#include "symbols.h"
#include "sys.h"

enum { HOPS = 40, SHORT_PATH = 256 };

static char tmp_path[PATH_MAX] = "/tmp";
static size_t tmp_size = 4;
static dev_t own_dev; /* this library's file, which is mapped: written to, it changes the guard's code */
static ino_t own_ino;

/* ---- start ---- */

void files_start(void)
{
    struct stat tmp, up, proc;
    int fd = sys_openat(AT_FDCWD, "/tmp", O_PATH | O_CLOEXEC, 0);
    if (fd >= 0 && sys_fstat(fd, &tmp) == 0) {
        guard.tmp_dev = tmp.st_dev;
        guard.tmp_ino = tmp.st_ino;
        guard.tmp_is_mount = sys_fstatat(fd, "..", &up, 0) == 0 && up.st_dev != tmp.st_dev;
        char magic[32];
        files_magic_path(magic, fd);
        long size = sys_readlinkat(AT_FDCWD, magic, tmp_path, sizeof tmp_path - 1);
        if (size > 0 && tmp_path[0] == '/') {
            tmp_path[size] = '\0';
            tmp_size = (size_t)size;
        } else {
            memcpy(tmp_path, "/tmp", 5);
            tmp_size = 4;
        }
    }
    if (fd >= 0) sys_close(fd);
    if (sys_fstatat(AT_FDCWD, "/proc/self/", &proc, 0) == 0) guard.proc_dev = proc.st_dev;
    struct symbols_object own;
    if (symbols_object_of((const void *)(uintptr_t)files_start, &own) && sys_fstatat(AT_FDCWD, own.path, &tmp, 0) == 0) {
        own_dev = tmp.st_dev;
        own_ino = tmp.st_ino;
        files_watch_name(own.path);
    }
}

/* ---- judging ---- */

bool files_idle(void)
{
    return guard_ignores(FS_TMP) && (guard_ignores(FS_HANDLER) || !handler_known()) && !guard.blocks_any;
}

void files_magic_path(char out[32], int fd)
{
    char digits[12];
    unsigned at = sizeof digits - 1;
    digits[at] = '\0';
    unsigned rest = fd < 0 ? 0 : (unsigned)fd;
    do digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    memcpy(out, "/proc/self/fd/", 14);
    memcpy(out + 14, digits + at, sizeof digits - at);
}

static const char *verb_of(int flags)
{
    if (flags & O_CREAT) return "create";
    if (flags & O_DIRECTORY) return "list";
    return (flags & O_ACCMODE) == O_RDONLY ? "open" : "write";
}

static bool is_under_tmp(const char *path)
{
    return strncmp(path, tmp_path, tmp_size) == 0 && (path[tmp_size] == '/' || path[tmp_size] == '\0');
}

/* The path of an open object, "" where there is none. */
static void path_of(int fd, char path[PATH_MAX])
{
    char magic[32];
    files_magic_path(magic, fd);
    long size = sys_readlinkat(AT_FDCWD, magic, path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = '\0';
    /* The kernel marks what has no name any more. */
    if (size > 10 && strcmp(path + size - 10, " (deleted)") == 0) path[size - 10] = '\0';
}

static bool decide(struct judged *judged, enum fs_family family, int flags)
{
    judged->family = family;
    judged->verb = verb_of(flags);
    struct fs_request request = {.family = family, .path = judged->path};
    judged->verdict = guard_decide(&request);
    if (judged->path[0] == '\0' && judged->verdict.mode != FS_ALLOW) judged->verdict.reason = FS_MALFORMED;
    return judged->verdict.mode != FS_ALLOW || judged->verdict.reason == FS_RULE;
}

/* /tmp and what lies under it. The device does not tell: other file systems can be mounted below /tmp, and the files of an
 * overlay have the devices of its layers. */
static bool judge_tmp(const struct stat *status, int fd, const char *last, int flags, struct judged *judged)
{
    if (guard_ignores(FS_TMP)) return false;
    path_of(fd, judged->path);
    if (judged->path[0] == '\0' && (status->st_dev != guard.tmp_dev || guard.tmp_dev == 0)) return false;
    if (last && judged->path[0]) {
        size_t size = strlen(judged->path), more = strlen(last);
        if (size > 0 && judged->path[size - 1] == '/') size--;
        if (size + 1 + more >= sizeof judged->path) {
            judged->path[0] = '\0';
        } else {
            judged->path[size] = '/';
            memcpy(judged->path + size + 1, last, more + 1);
            if (judged->path[size + more] == '/') judged->path[size + more] = '\0';
        }
    }
    /* Where the path cannot be had, what lies on /tmp's own mount is under /tmp, and elsewhere we cannot know: refuse. */
    if (judged->path[0] == '\0' || is_under_tmp(judged->path)) return decide(judged, FS_TMP, flags);
    return false;
}

/* The folder that /tmp, or what it stands for, lies in. */
static bool is_tmp_parent(const char *path)
{
    size_t size = strlen(path);
    return size < tmp_size && strncmp(path, tmp_path, size) == 0 && tmp_path[size] == '/' && !strchr(tmp_path + size + 1, '/');
}

static bool writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC); }

/* Memory of a process through /proc, the event stream's file, and the guard's own. */
static bool judge_integrity(const struct stat *status, int fd, int flags, struct judged *judged)
{
    if (!writes(flags)) return false;
    if (status->st_dev == guard.proc_dev && guard.proc_dev != 0) {
        path_of(fd, judged->path);
        size_t size = strlen(judged->path);
        if (size > 4 && strcmp(judged->path + size - 4, "/mem") == 0) return decide(judged, FS_INTEGRITY, flags);
        return false;
    }
    if (UNLIKELY(own_ino != 0 && status->st_ino == own_ino && status->st_dev == own_dev)) {
        path_of(fd, judged->path);
        return decide(judged, FS_INTEGRITY, flags);
    }
    if (guard.event_is_file && status->st_dev == guard.event_dev && status->st_ino == guard.event_ino) {
        path_of(fd, judged->path);
        return decide(judged, FS_INTEGRITY, flags);
    }
    return false;
}

/* Most paths are what they say: absolute, no "..", no link on the way, and elsewhere than /tmp. The kernel can open just
 * these (openat2), so that the string alone tells where the object is: no look at the object, none at /proc. False where
 * the path may be more than that; `copy` is what was judged, whatever another thread writes into `path` meanwhile. */
static bool copy_plain(const char *path, char copy[PATH_MAX])
{
    if ((uintptr_t)path < 4096 || path[0] != '/') return false;
    size_t size = 0;
    for (; size < PATH_MAX - 1 && path[size] != '\0'; size++) {
        char byte = copy[size] = path[size];
        if (size == 0 || copy[size - 1] != '/') continue;
        /* A component begins: empty ones and those with a dot in front are left to the long way. */
        if (byte == '/' || (byte == '.' && (path[size + 1] == '/' || path[size + 1] == '.' || path[size + 1] == '\0'))) return false;
    }
    copy[size] = '\0';
    return size > 1 && size < PATH_MAX - 1 && copy[size - 1] != '/' && !is_under_tmp(copy);
}

static atomic_bool links_are_followed; /* openat2 is missing here */

static bool is_plain(const char *path, char copy[PATH_MAX])
{
    return !atomic_load_explicit(&links_are_followed, memory_order_relaxed) && copy_plain(path, copy);
}

/* Opens what is_plain copied, if it holds no link; -1 where the long way is due. */
static int open_copied(const char *copy, int flags)
{
    int fd = sys_open_no_links(copy, flags);
    if (fd == -ENOSYS || fd == -EPERM) atomic_store(&links_are_followed, true);
    return fd < 0 ? -1 : fd;
}

static int open_plain(const char *path, int flags, char copy[PATH_MAX])
{
    return is_plain(path, copy) ? open_copied(copy, flags) : -1;
}

bool files_judge_fd(int fd, int flags, struct judged *judged)
{
    struct stat status;
    if (sys_fstat(fd, &status) != 0) return false;
    if (UNLIKELY(files_handler_sealed()) && !guard_ignores(FS_HANDLER) && handler_is_source(&status)) {
        path_of(fd, judged->path);
        if (UNLIKELY(interpreter_passes_archive(judged->path))) return false;
        return decide(judged, FS_HANDLER, flags);
    }
    if (UNLIKELY(writes(flags)) && judge_integrity(&status, fd, flags, judged)) return true;
    return judge_tmp(&status, fd, NULL, flags, judged);
}

bool files_judge_place(const struct place *place, int flags, struct judged *judged)
{
    struct stat status;
    if (place->outside) return false;
    if (place->whole || sys_fstat(place->parent, &status) != 0) return false;
    return judge_tmp(&status, place->parent, place->last, flags, judged);
}

bool files_refuse(const struct judged *judged, const void *caller)
{
    if (!guard_noted(judged->family, judged->path)) {
        struct guard_act act = {
            .ring = RING_LIBC, .family = judged->family, .verb = judged->verb, .path = judged->path, .caller = caller};
        guard_report(&act, &judged->verdict, NULL, 0);
    }
    if (judged->verdict.mode != FS_BLOCK) return false;
    errno = EACCES;
    return true;
}

/* A descriptor that only names its object (O_PATH) is what the guard holds for the time of a look; nobody has another of /tmp.
 * A copy would last. */
bool files_refuse_copy(int copy, const void *caller)
{
    struct judged judged;
    if (copy < 0 || !guard.blocks_any || guard_ignores(FS_TMP)) return false;
    long flags = sys_call(SYS_fcntl, copy, F_GETFL);
    if (LIKELY(flags < 0 || !(flags & O_PATH))) return false;
    int error = errno;
    bool found = files_judge_fd(copy, O_RDONLY, &judged);
    judged.verb = "duplicate";
    if (found && files_refuse(&judged, caller)) return true;
    errno = error;
    return false;
}

/* ---- places ---- */

void files_close_place(struct place *place)
{
    if (place->parent >= 0) files_release(place->parent);
    place->parent = -1;
}

/* `parent` is our own copy of the folder's path, which ends after `start` bytes; `copy` is as long. */
static int open_parent(int dirfd, char *parent, char *copy, size_t start, bool *outside)
{
    if (start == 0) return sys_openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    size_t slash = start - 1;
    parent[start] = '\0';
    if (slash > 0) parent[slash] = '\0';
    int fd = slash > 0 ? open_plain(parent, O_PATH | O_DIRECTORY | O_CLOEXEC, copy) : -1;
    /* /tmp itself lies in a folder that is outside it. */
    *outside = fd >= 0 && !is_tmp_parent(parent);
    if (fd >= 0) return fd;
    if (slash > 0) parent[slash] = '/';
    return sys_openat(dirfd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

__attribute__((noinline)) static int open_long_parent(int dirfd, const char *path, size_t start, bool *outside)
{
    char parent[PATH_MAX], copy[PATH_MAX];
    memcpy(parent, path, start);
    return open_parent(dirfd, parent, copy, start, outside);
}

/* The stack of a thread or of a signal handler may be small, and most paths are short. */
__attribute__((noinline)) static int open_short_parent(int dirfd, const char *path, size_t start, bool *outside)
{
    char parent[SHORT_PATH], copy[SHORT_PATH];
    memcpy(parent, path, start);
    return open_parent(dirfd, parent, copy, start, outside);
}

int files_find_place(int dirfd, const char *path, struct place *place)
{
    *place = (struct place){.parent = -1};
    if (!sys_readable(path, 1)) return -EFAULT;
    size_t size = strnlen(path, PATH_MAX);
    if (size == 0) return -ENOENT;
    if (size == PATH_MAX) return -ENAMETOOLONG;
    size_t end = size;
    while (end > 0 && path[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') start--;
    size_t length = end - start;
    if (length == 0 || (length == 1 && path[start] == '.') || (length == 2 && path[start] == '.' && path[start + 1] == '.')) {
        place->whole = true;
        return 0;
    }
    if (length > NAME_MAX) return -ENAMETOOLONG;
    memcpy(place->last, path + start, length);
    if (end < size) place->last[length++] = '/';
    place->last[length] = '\0';
    int fd = (start < SHORT_PATH ? open_short_parent : open_long_parent)(dirfd, path, start, &place->outside);
    if (fd < 0) return fd;
    /* Who closed a standard descriptor, to open another in its place, gets that number. */
    if (UNLIKELY(fd <= 2)) {
        int high = (int)sys_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
        sys_close(fd);
        if (high < 0) return high;
        fd = high;
    }
    fd = files_hold(fd);
    if (fd < 0) return fd;
    place->parent = fd;
    return 0;
}

/* ---- open ---- */

/* Where a symbolic link leads, in memory of its own; NULL where `place` is none. */
static char *read_link(const struct place *place)
{
    char byte, *link;
    if (sys_readlinkat(place->parent, place->last, &byte, 1) < 0 || (link = sys_scratch(PATH_MAX)) == NULL) return NULL;
    if (sys_readlinkat(place->parent, place->last, link, PATH_MAX - 1) > 0) return link; /* the memory is zeros */
    sys_scratch_free(link, PATH_MAX);
    return NULL;
}

/* The object that creating at `path` would make or touch, links followed. 0 or -errno; `*known` is an object that exists. */
static bool judge_creation(int dirfd, const char *path, int flags, struct judged *judged)
{
    char *link = NULL;
    struct place place = {.parent = -1}, before = {.parent = -1};
    const char *at = path;
    int base = dirfd;
    bool found = false;
    for (unsigned hop = 0; hop < HOPS; hop++) {
        int missing = files_find_place(base, at, &place);
        sys_scratch_free(link, PATH_MAX);
        link = NULL;
        if (missing != 0 || place.whole) break;
        files_close_place(&before);
        if (files_judge_place(&place, flags, judged)) {
            found = true;
            break;
        }
        link = (flags & (O_NOFOLLOW | O_EXCL)) ? NULL : read_link(&place);
        if (link == NULL) break;
        before = place;
        place.parent = -1;
        base = before.parent;
        at = link;
    }
    sys_scratch_free(link, PATH_MAX);
    files_close_place(&before);
    files_close_place(&place);
    return found;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* Closes what was opened against the policy. */
__attribute__((noinline)) static int judge_opened(int fd, int flags, const void *caller)
{
    struct judged judged;
    int error = errno;
    if (files_judge_fd(fd, flags, &judged) && files_refuse(&judged, caller)) {
        sys_close(fd);
        return fail(EACCES);
    }
    if (UNLIKELY(handler_watch)) handler_opened(fd, flags, NULL);
    errno = error;
    return fd;
}

/* The same for what lies outside /tmp by its path: it may still be the handler's source. */
static int judge_plain(int fd, int flags, const char *path, const void *caller)
{
    struct stat status;
    if (UNLIKELY(files_handler_sealed()) && !guard_ignores(FS_HANDLER) && sys_fstat(fd, &status) == 0 && handler_is_source(&status))
        return judge_opened(fd, flags, caller);
    if (UNLIKELY(handler_watch)) handler_opened(fd, flags, path);
    return fd;
}

/* Nobody was preloaded behind us who wants to see this call. */
static bool opens_in_libc(void)
{
    static _Atomic signed char known;
    signed char answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (UNLIKELY(answer == 0)) {
        struct symbols_object opener, libc;
        bool same = symbols_object_of((void *)real.openat, &opener) && symbols_object_of((void *)real.dup3, &libc) &&
                    (opener.base == libc.base || strstr(opener.path, "/libpthread"));
        answer = same ? 1 : -1;
        atomic_store(&known, answer);
    }
    return answer > 0;
}

/* What opens as a look: it can be neither read nor written by whoever guesses the number. */
static int look_flags(int flags) { return O_PATH | O_CLOEXEC | (flags & (O_NOFOLLOW | O_DIRECTORY)); }

/* Opens what the look `fd` holds, if the policy allows it. An object that is opened first and judged afterwards is open for
 * as long as that takes, and another thread reads it by its number, or takes a copy. Closes `fd`, or makes it the answer. */
__attribute__((noinline)) static int open_seen(int fd, int flags, mode_t mode, const void *caller)
{
    struct judged judged;
    struct stat status;
    /* The answer is the lowest number that is free, as it always is. */
    int own = flags & O_PATH ? -1 : sys_own_number(fd);
    if (own >= 0) {
        sys_close(fd);
        fd = own;
    }
    fd = files_hold(fd);
    if (fd < 0) return fail(-fd);
    if (files_judge_fd(fd, flags, &judged) && files_refuse(&judged, caller)) {
        files_release(fd);
        return fail(EACCES);
    }
    if (flags & O_PATH) {
        files_let_go(fd);
        if (!(flags & O_CLOEXEC)) sys_call(SYS_fcntl, fd, F_SETFD, 0);
        return fd;
    }
    if ((flags & O_NOFOLLOW) && sys_fstat(fd, &status) == 0 && S_ISLNK(status.st_mode)) {
        files_release(fd);
        return fail(ELOOP);
    }
    char magic[32];
    files_magic_path(magic, fd);
    int opened = real.openat(AT_FDCWD, magic, flags & ~(O_NOFOLLOW | O_CREAT | O_EXCL), mode);
    int error = errno;
    files_release(fd);
    if (UNLIKELY(handler_watch) && opened >= 0) handler_opened(opened, flags, NULL);
    errno = error;
    return opened;
}

/* Looks at what `name` leads to, and opens it. A library that was preloaded behind us and wants to see the call sees the one that
 * was made, which then is judged by what it opened. */
static int open_looking(int dirfd, const char *name, int flags, mode_t mode, const void *caller)
{
    if (UNLIKELY(!opens_in_libc())) {
        int fd = real.openat(dirfd, name, flags, mode);
        return fd < 0 ? fd : judge_opened(fd, flags, caller);
    }
    int seen = sys_openat(dirfd, name, look_flags(flags), 0);
    return seen < 0 ? fail(-seen) : open_seen(seen, flags, mode, caller);
}

/* True where the plain way was taken: *fd is the answer. In a frame of its own, which ends before the long way begins. */
__attribute__((noinline)) static bool open_and_judge_plain(const char *path, int flags, const void *caller, int *fd)
{
    char copy[PATH_MAX];
    if (!is_plain(path, copy)) return false;
    if (UNLIKELY(files_handler_sealed() && files_name_is_watched(copy)) && !guard_ignores(FS_HANDLER) && guard.blocks_any) {
        /* It may be the handler's source: looked at first, as everything that is no plain path. */
        int seen = open_copied(copy, look_flags(flags));
        if (seen < 0) return false;
        *fd = open_seen(seen, flags, 0, caller);
        return true;
    }
    *fd = open_copied(copy, flags);
    if (*fd < 0) return false;
    *fd = judge_plain(*fd, flags, copy, caller);
    return true;
}

/* An object behind a magic link of /proc: opened without any effect, judged, then what was asked is done. */
static int open_magic(const struct place *place, int flags, const void *caller)
{
    int fd = open_looking(place->parent, place->last, flags & ~(O_CREAT | O_EXCL | O_TRUNC), 0, caller);
    struct stat status;
    if (fd >= 0 && (flags & O_TRUNC) && sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) sys_call(SYS_ftruncate, fd, 0);
    return fd;
}

/* A folder that was to be made or cut: it fails as the kernel would have it. */
static int open_folder(int dirfd, const char *path, int flags, mode_t mode, const void *caller)
{
    int fd = sys_openat(dirfd, path, look_flags(flags), 0);
    if (fd < 0) return fail(-fd);
    if ((flags & O_CREAT) && (flags & O_EXCL)) return sys_close(fd), fail(EEXIST);
    if (flags & (O_CREAT | O_TRUNC)) return sys_close(fd), fail(EISDIR);
    return open_seen(fd, flags, mode, caller);
}

/* In a folder that was judged. What exists may be the handler's source, the file of events, or the guard's own: by such a name
 * it is looked at first. */
static int open_last(const struct place *place, int flags, mode_t mode, const void *caller)
{
    enum { TRIES = 8 };
    if (LIKELY(!files_name_is_watched(place->last) || !opens_in_libc())) {
        int fd = real.openat(place->parent, place->last, flags | O_NOFOLLOW, mode);
        return fd >= 0 && UNLIKELY(files_handler_sealed() || guard.event_is_file) ? judge_opened(fd, flags, caller) : fd;
    }
    for (unsigned tries = 0; tries < TRIES; tries++) {
        int seen = sys_openat(place->parent, place->last, look_flags(flags) | O_NOFOLLOW, 0);
        if (seen >= 0) {
            if ((flags & O_CREAT) && (flags & O_EXCL)) return sys_close(seen), fail(EEXIST);
            return open_seen(seen, flags | O_NOFOLLOW, mode, caller);
        }
        if (seen != -ENOENT || !(flags & O_CREAT)) return fail(-seen);
        int fd = real.openat(place->parent, place->last, flags | O_EXCL | O_NOFOLLOW, mode);
        if (fd >= 0 || errno != EEXIST || (flags & O_EXCL)) return fd;
    }
    return fail(EAGAIN);
}

/* Holds the folder by a number that nobody waits for: the answer is the lowest that is free, as it always is. */
static void hold_aside(struct place *place)
{
    int own = sys_own_number(place->parent);
    if (own < 0 || (own = files_hold(own)) < 0) return;
    files_release(place->parent);
    place->parent = own;
}

/* Opening that has an effect of its own is decided before it happens, in a folder that is held. */
__attribute__((noinline)) static int open_creating(int dirfd, const char *path, int flags, mode_t mode, const void *caller)
{
    char *link = NULL;
    struct place place, before = {.parent = -1};
    struct judged judged;
    const char *at = path;
    int base = dirfd, fd = -1;
    for (unsigned hop = 0;; hop++) {
        int error = hop < HOPS ? files_find_place(base, at, &place) : -ELOOP;
        if (error != 0) {
            sys_scratch_free(link, PATH_MAX);
            files_close_place(&before);
            return fail(-error);
        }
        if (place.whole) {
            /* A folder: it can be opened, not made. */
            fd = open_folder(base, at, flags, mode, caller);
            int missing = errno;
            sys_scratch_free(link, PATH_MAX);
            files_close_place(&before);
            errno = missing;
            return fd;
        }
        sys_scratch_free(link, PATH_MAX);
        link = NULL;
        files_close_place(&before);
        if (files_judge_place(&place, flags, &judged) && files_refuse(&judged, caller)) {
            files_close_place(&place);
            return fail(EACCES);
        }
        hold_aside(&place);
        struct stat status;
        bool in_proc = guard.proc_dev != 0 && sys_fstat(place.parent, &status) == 0 && status.st_dev == guard.proc_dev;
        if (in_proc) {
            fd = open_magic(&place, flags, caller);
            break;
        }
        fd = open_last(&place, flags, mode, caller);
        if (fd >= 0 || errno != ELOOP || (flags & O_NOFOLLOW) || ((flags & O_CREAT) && (flags & O_EXCL))) break;
        link = read_link(&place);
        if (link == NULL) {
            errno = ELOOP;
            break;
        }
        before = place;
        place.parent = -1;
        base = before.parent;
        at = link;
    }
    int error = errno;
    files_close_place(&place);
    errno = error;
    return fd;
}

/* O_TMPFILE makes a file without a name in a folder. */
__attribute__((noinline)) static int open_nameless(int dirfd, const char *path, int flags, mode_t mode, const void *caller)
{
    struct judged judged;
    int folder = sys_openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder < 0) return fail(-folder);
    if (files_judge_fd(folder, O_CREAT | O_RDWR, &judged) && files_refuse(&judged, caller)) {
        sys_close(folder);
        return fail(EACCES);
    }
    int fd = real.openat(folder, ".", flags, mode);
    int error = errno;
    sys_close(folder);
    errno = error;
    return fd;
}

/* The very call that was made, as far as can be told: a library that was preloaded behind us may stand in front of it. */
static int open_as_asked(int dirfd, const char *path, int flags, mode_t mode)
{
    return dirfd == AT_FDCWD ? real.open(path, flags, mode) : real.openat(dirfd, path, flags, mode);
}

/* Nothing is there to be kept from anybody: by its name, who asks for a file under /tmp is told what others are told. */
__attribute__((noinline)) static void judge_missing(int dirfd, const char *path, int flags, const void *caller)
{
    struct judged judged;
    int error = errno;
    bool refused = judge_creation(dirfd, path, flags, &judged) && files_refuse(&judged, caller);
    errno = refused ? EACCES : error;
}

/* Whether a rule had something to say. */
__attribute__((noinline)) static bool report_creation(int dirfd, const char *path, int flags, const void *caller)
{
    struct judged judged;
    int error = errno;
    bool found = judge_creation(dirfd, path, flags, &judged);
    if (found) files_refuse(&judged, caller);
    errno = error;
    return found;
}

__attribute__((noinline)) static bool report_nameless(int dirfd, const char *path, const void *caller)
{
    struct judged judged;
    int error = errno;
    int folder = sys_openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    bool found = folder >= 0 && files_judge_fd(folder, O_CREAT | O_RDWR, &judged);
    if (found) files_refuse(&judged, caller);
    if (folder >= 0) sys_close(folder);
    errno = error;
    return found;
}

/* Nothing is refused: look first, then let the call be just what it was. Where nothing was seen, the name may have led
 * elsewhere by then: what was opened says. */
static int open_reported(int dirfd, const char *path, int flags, mode_t mode, bool nameless, const void *caller)
{
    bool seen = nameless ? report_nameless(dirfd, path, caller) : report_creation(dirfd, path, flags, caller);
    int fd = open_as_asked(dirfd, path, flags, mode);
    return fd >= 0 && !seen ? judge_opened(fd, flags, caller) : fd;
}

int files_open(int dirfd, const char *path, int flags, mode_t mode, const void *caller)
{
    if (files_idle() || !path) return open_as_asked(dirfd, path, flags, mode);
    bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
    bool creating = !(flags & O_PATH) && (flags & (O_CREAT | O_TRUNC)) && !nameless;
    if (LIKELY(!creating && !nameless)) {
        int fd = -1;
        if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_NOCTTY)) == O_RDONLY &&
            opens_in_libc() && open_and_judge_plain(path, flags, caller, &fd))
            return fd;
        if (guard.blocks_any && opens_in_libc()) {
            fd = sys_openat(dirfd, path, look_flags(flags), 0);
            if (fd >= 0) return open_seen(fd, flags, mode, caller);
            fd = fail(-fd);
        } else {
            fd = open_as_asked(dirfd, path, flags, mode);
            if (fd >= 0) return judge_opened(fd, flags, caller);
        }
        if (errno == ENOENT && strncmp(path, "/tmp/", 5) == 0) judge_missing(dirfd, path, flags, caller);
        return fd;
    }
    if (!guard.blocks_any) return open_reported(dirfd, path, flags, mode, nameless, caller);
    return nameless ? open_nameless(dirfd, path, flags, mode, caller) : open_creating(dirfd, path, flags, mode, caller);
}

struct fs_verdict files_judge_path(int dirfd, const char *path, int flags, char *resolved, enum fs_family *family)
{
    struct judged judged;
    struct fs_verdict allowed = {.mode = FS_ALLOW, .reason = FS_NO_RULE, .rule = UINT32_MAX};
    int error = errno;
    bool found = false;
    if (!files_idle() && path) {
        char copy[PATH_MAX];
        bool reads = !writes(flags) && !(flags & O_CREAT) && !files_handler_sealed();
        int fd = reads ? open_plain(path, O_PATH | O_CLOEXEC, copy) : -1;
        if (fd >= 0) {
            sys_close(fd);
            errno = error;
            return allowed;
        }
        fd = sys_openat(dirfd, path, O_PATH | O_CLOEXEC | (flags & (O_NOFOLLOW | O_DIRECTORY)), 0);
        if (fd >= 0) {
            found = files_judge_fd(fd, flags, &judged);
            sys_close(fd);
        } else {
            found = judge_creation(dirfd, path, flags, &judged);
        }
    }
    errno = error;
    if (!found) return allowed;
    if (resolved) memcpy(resolved, judged.path, strlen(judged.path) + 1);
    if (family) *family = judged.family;
    return judged.verdict;
}

/* ---- doors ---- */

static mode_t mode_of(int flags, unsigned mode) { return (flags & (O_CREAT | O_TMPFILE)) ? (mode_t)mode : 0; }

/* The third argument is there only when something may be created; reading a register that nobody filled is harmless. */
#define OPEN_MODE(last)                                                    \
    __builtin_va_list list;                                                \
    __builtin_va_start(list, last);                                        \
    mode_t mode = mode_of(flags, __builtin_va_arg(list, unsigned));        \
    __builtin_va_end(list)

DOOR int open(const char *path, int flags, ...)
{
    OPEN_MODE(flags);
    if (!guard_ready()) return real.open(path, flags, mode);
    return files_open(AT_FDCWD, path, flags, mode, CALLER());
}

DOOR int __open_2(const char *path, int flags)
{
    if (!guard_ready()) return real.__open_2(path, flags);
    return files_open(AT_FDCWD, path, flags, 0, CALLER());
}

DOOR int openat(int dirfd, const char *path, int flags, ...)
{
    OPEN_MODE(flags);
    if (!guard_ready()) return real.openat(dirfd, path, flags, mode);
    return files_open(dirfd, path, flags, mode, CALLER());
}

DOOR int __openat_2(int dirfd, const char *path, int flags)
{
    if (!guard_ready()) return real.__openat_2(dirfd, path, flags);
    return files_open(dirfd, path, flags, 0, CALLER());
}

DOOR int creat(const char *path, mode_t mode)
{
    if (!guard_ready()) return real.creat(path, mode);
    return files_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode, CALLER());
}

DOOR int open_by_handle_at(int mount, struct file_handle *handle, int flags)
{
    int fd = real.open_by_handle_at(mount, handle, flags);
    if (fd < 0 || !guard_ready() || files_idle()) return fd;
    return judge_opened(fd, flags, CALLER());
}

#include "aliases_files.gen.h"
