/* open(2), for every door that opens. */
#include <limits.h>
#include <string.h>

#include "files/source/also.h"
#include "files/files.h"
#include "guard/callers.h"
#include "files/handler.h"
#include "files/made.h"
#include "files/paths.h"
#include "files/places.h"
#include "events/sink.h"
#include "libc/symbols.h"
#include "support/sys.h"
#include "support/text.h"

static int fail(int error) { return errno = error, -1; }

/* Closes what was opened against the policy. */
__attribute__((noinline)) static int judge_opened(int fd, int flags, const void *caller)
{
    struct judged judged;
    if (files_judge_fd(fd, flags | MADE_NEW, &judged, caller) && files_refuse(&judged, caller)) {
        sys_close(fd);
        return fail(EACCES);
    }
    if (UNLIKELY(handler_watch)) handler_opened(fd, flags, NULL);
    return fd;
}

/* The same for what lies outside /tmp by its path: it may still be the handler's source. */
static int judge_plain(int fd, int flags, const char *path, const void *caller)
{
    struct stat status;
    bool sealed = handler_guards() && !guard_ignores(FS_HANDLER);
    if (UNLIKELY(sealed || guard.event_is_named) && sys_fstat(fd, &status) == 0 &&
        (sink_is(&status) || (sealed && (also_is_on || handler_is_source(&status)))))
        return judge_opened(fd, flags, caller);
    if (UNLIKELY(handler_watch)) handler_opened(fd, flags, path);
    return fd;
}

/* Returns true if libc's own function comes next: no other preloaded library interposes this
 * call. */
static bool opens_in_libc(void)
{
    static _Atomic signed char known;
    signed char answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (UNLIKELY(answer == 0)) {
        struct symbols_object opener, libc;
        bool same = symbols_object_of((void *)real.openat, &opener) &&
                    symbols_object_of((void *)real.dup3, &libc) &&
                    (opener.base == libc.base || strstr(opener.path, "/libpthread"));
        answer = same ? 1 : -1;
        atomic_store(&known, answer);
    }
    return answer > 0;
}

/* Flags for an inspection open: O_PATH, so that a thread that guesses the fd can neither read nor
 * write through it. */
static int inspection_flags(int flags)
{
    return O_PATH | O_CLOEXEC | (flags & (O_NOFOLLOW | O_DIRECTORY));
}

enum { AGAIN = -2 }; /* see FILES_AGAIN */
_Static_assert(((FILES_AGAIN | MADE_EXECUTES | MADE_NEW | MADE_NAMED) & ~FILES_OWN_BITS) == 0,
               "a caller could set it");

/* Opens the object of the inspection fd, if the policy allows it. If an object were opened first
 * and judged afterwards, another thread could read it or duplicate its fd meanwhile. Closes `fd`,
 * or returns it. */
__attribute__((noinline)) static int open_inspected(int fd, int flags, mode_t mode,
                                                    const void *caller)
{
    struct judged judged;
    struct stat status;
    /* Free the low fd: open returns the lowest one. */
    int own = flags & O_PATH ? -1 : sys_own_fd(fd);
    if (own >= 0) {
        sys_close(fd);
        fd = own;
    }
    fd = files_reserve(fd);
    if (fd < 0) return fail(-fd);
    bool found = files_judge_fd(fd, flags, &judged, caller);
    if (UNLIKELY(found && judged.gone) && flags & FILES_AGAIN) {
        files_release(fd);
        return AGAIN;
    }
    if (found && files_refuse(&judged, caller)) {
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
    text_fd_path(magic, fd);
    int opened = real.openat(
        AT_FDCWD, magic, flags & ~(O_NOFOLLOW | O_CREAT | O_EXCL | FILES_AGAIN | MADE_NAMED), mode);
    files_release(fd);
    if (UNLIKELY(handler_watch) && opened >= 0) handler_opened(opened, flags, NULL);
    return opened;
}

static int open_found(int dirfd, const char *name, int flags, mode_t mode, const void *caller)
{
    int fd = AGAIN;
    for (unsigned tries = FILES_TRIES; fd == AGAIN && tries > 0; tries--) {
        int seen = sys_openat(dirfd, name, inspection_flags(flags), 0);
        if (seen < 0) return fail(-seen);
        fd = open_inspected(seen, tries > 1 ? flags | FILES_AGAIN : flags, mode, caller);
    }
    return fd;
}

/* Inspects what `name` refers to, and opens it. If another preloaded library comes next, it gets
 * the call that was made, and the fd that it returns is judged. */
static int inspect_and_open(int dirfd, const char *name, int flags, mode_t mode, const void *caller)
{
    if (UNLIKELY(!opens_in_libc())) {
        int fd = real.openat(dirfd, name, flags, mode);
        return fd < 0 ? fd : judge_opened(fd, flags, caller);
    }
    return open_found(dirfd, name, flags, mode, caller);
}

/* Returns true if the plain way was taken; *fd is then the result. */
static bool open_and_judge_plain(const char *path, int flags, const void *caller, int *fd)
{
    if (UNLIKELY(files_is_memory(path))) return false;
    bool sealed = handler_guards() && !guard_ignores(FS_HANDLER);
    if (UNLIKELY(sealed || guard.event_is_named) && guard.blocks_any &&
        files_name_is_watched(path)) {
        /* It may be the handler's source or the event file, so it is inspected first, like
         * everything without a plain path. */
        int seen = places_open_plain(path, inspection_flags(flags));
        if (seen < 0) return false;
        *fd = open_inspected(seen, flags, 0, caller);
        return true;
    }
    *fd = places_open_plain(path, flags);
    if (*fd < 0) return false;
    *fd = judge_plain(*fd, flags, path, caller);
    return true;
}

/* An object behind a magic link of /proc: opens it without effect, judges it, then does what was
 * asked. */
static int open_magic(const struct place *place, int flags, const void *caller)
{
    int fd = inspect_and_open(place->parent, place->last, flags & ~(O_CREAT | O_EXCL | O_TRUNC), 0,
                              caller);
    struct stat status;
    if (fd >= 0 && (flags & O_TRUNC) && sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        sys_call(SYS_ftruncate, fd, 0);
    return fd;
}

/* A folder that was to be created or truncated: fails as in the kernel. */
static int open_folder(int dirfd, const char *path, int flags, mode_t mode, const void *caller)
{
    int fd = sys_openat(dirfd, path, inspection_flags(flags), 0);
    if (fd < 0) return fail(-fd);
    if ((flags & O_CREAT) && (flags & O_EXCL)) return sys_close(fd), fail(EEXIST);
    if (flags & (O_CREAT | O_TRUNC)) return sys_close(fd), fail(EISDIR);
    return open_inspected(fd, flags, mode, caller);
}

/* Opens a name in a judged folder. An existing file may be the handler's source, the event file or
 * the guard's own, so files with such names are inspected first. */
static int open_last(const struct place *place, int flags, mode_t mode, const void *caller)
{
    enum { TRIES = 8 };
    if (LIKELY(!files_name_is_watched(place->last) || !opens_in_libc())) {
        int fd = real.openat(place->parent, place->last, flags | O_NOFOLLOW, mode);
        return fd >= 0 && UNLIKELY(handler_guards() || guard.event_is_named)
                   ? judge_opened(fd, flags | MADE_NAMED, caller)
                   : fd;
    }
    for (unsigned tries = 0; tries < TRIES; tries++) {
        int seen = sys_openat(place->parent, place->last, inspection_flags(flags) | O_NOFOLLOW, 0);
        if (seen >= 0) {
            if ((flags & O_CREAT) && (flags & O_EXCL)) return sys_close(seen), fail(EEXIST);
            return open_inspected(seen, flags | O_NOFOLLOW | MADE_NAMED, mode, caller);
        }
        if (seen != -ENOENT || !(flags & O_CREAT)) return fail(-seen);
        int fd = real.openat(place->parent, place->last, flags | O_EXCL | O_NOFOLLOW, mode);
        if (fd >= 0 || errno != EEXIST || (flags & O_EXCL)) return fd;
    }
    return fail(EAGAIN);
}

/* Moves the folder to a high fd: open returns the lowest free one. */
static void move_aside(struct place *place)
{
    int own = sys_own_fd(place->parent);
    if (own < 0 || (own = files_reserve(own)) < 0) return;
    files_release(place->parent);
    place->parent = own;
}

/* An open that creates or truncates is decided before it happens, in a folder that is held open. */
__attribute__((noinline)) static int open_creating(int dirfd, const struct path *path, int flags,
                                                   mode_t mode, const void *caller)
{
    char *link = NULL;
    struct place place, before = {.parent = -1};
    struct judged judged;
    struct path at = *path;
    int base = dirfd, fd = -1;
    for (unsigned hop = 0;; hop++) {
        int error = hop < PLACES_HOPS ? files_find_place(base, &at, &place) : -ELOOP;
        if (error != 0) {
            sys_scratch_free(link, PATH_MAX);
            files_close_place(&before);
            return fail(-error);
        }
        if (place.whole) {
            /* A folder: it can be opened, not made. */
            fd = open_folder(base, at.text, flags, mode, caller);
            sys_scratch_free(link, PATH_MAX);
            files_close_place(&before);
            return fd;
        }
        sys_scratch_free(link, PATH_MAX);
        link = NULL;
        files_close_place(&before);
        if (files_judge_place(&place, flags, &judged, caller) && files_refuse(&judged, caller)) {
            files_close_place(&place);
            return fail(EACCES);
        }
        move_aside(&place);
        struct stat status;
        bool in_proc = guard.proc_dev != 0 && sys_fstat(place.parent, &status) == 0 &&
                       status.st_dev == guard.proc_dev;
        if (in_proc) {
            fd = open_magic(&place, flags, caller);
            break;
        }
        fd = open_last(&place, flags, mode, caller);
        if (fd >= 0 || errno != ELOOP || (flags & O_NOFOLLOW) ||
            ((flags & O_CREAT) && (flags & O_EXCL)))
            break;
        link = places_read_link(&place);
        if (link == NULL) {
            errno = ELOOP;
            break;
        }
        before = place;
        place.parent = -1;
        base = before.parent;
        at = copied_own(link);
    }
    files_close_place(&place);
    return fd;
}

/* O_TMPFILE makes a file without a name in a folder. */
__attribute__((noinline)) static int open_nameless(int dirfd, const char *path, int flags,
                                                   mode_t mode, const void *caller)
{
    struct judged judged;
    int folder = sys_openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder < 0) return fail(-folder);
    if (files_judge_fd(folder, O_CREAT | O_RDWR, &judged, caller) &&
        files_refuse(&judged, caller)) {
        sys_close(folder);
        return fail(EACCES);
    }
    int fd = real.openat(folder, ".", flags, mode);
    sys_close(folder);
    return fd;
}

/* Makes the caller's own call, because a library that was preloaded behind the guard may interpose
 * it. */
static int open_as_asked(int dirfd, const char *path, int flags, mode_t mode)
{
    return dirfd == AT_FDCWD ? real.open(path, flags, mode) : real.openat(dirfd, path, flags, mode);
}

/* The file does not exist. Report EACCES anyway, so that existing and missing paths under /tmp look
 * the same. */
__attribute__((noinline)) static void judge_missing(int dirfd, const struct path *path, int flags,
                                                    const void *caller)
{
    struct judged judged;
    if (paths_judge_creation(dirfd, path, flags, &judged, caller))
        (void)files_refuse(&judged, caller);
}

/* Returns true if a rule reported the act. */
__attribute__((noinline)) static bool report_creation(int dirfd, const struct path *path, int flags,
                                                      const void *caller)
{
    struct judged judged;
    int error = errno;
    bool found = paths_judge_creation(dirfd, path, flags, &judged, caller);
    if (found) files_refuse(&judged, caller);
    errno = error;
    return found;
}

__attribute__((noinline)) static bool report_nameless(int dirfd, const char *path,
                                                      const void *caller)
{
    struct judged judged;
    int error = errno;
    int folder = sys_openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    bool found = folder >= 0 && files_judge_fd(folder, O_CREAT | O_RDWR, &judged, caller);
    if (found) files_refuse(&judged, caller);
    if (folder >= 0) sys_close(folder);
    errno = error;
    return found;
}

/* Nothing is refused: inspect first, then make the call unchanged. If the inspection found nothing,
 * judge what was opened, since the name may refer to another object by then. */
static int open_reported(int dirfd, const struct path *path, int flags, mode_t mode, bool nameless,
                         const void *caller)
{
    bool seen = nameless ? report_nameless(dirfd, path->text, caller)
                         : report_creation(dirfd, path, flags, caller);
    int fd = open_as_asked(dirfd, path->text, flags, mode);
    return fd >= 0 && !seen ? judge_opened(fd, flags, caller) : fd;
}

static int open_judged(int dirfd, const struct path *copy, int flags, mode_t mode,
                       const void *caller)
{
    const char *path = copy->text;
    bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
    bool creating = !(flags & O_PATH) && (flags & (O_CREAT | O_TRUNC)) && !nameless;
    if (LIKELY(!creating && !nameless)) {
        int fd = -1;
        if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_NOCTTY)) ==
                O_RDONLY &&
            opens_in_libc() && open_and_judge_plain(path, flags, caller, &fd))
            return fd;
        if (guard.blocks_any && opens_in_libc()) {
            fd = open_found(dirfd, path, flags, mode, caller);
        } else {
            fd = open_as_asked(dirfd, path, flags, mode);
            if (fd >= 0) return judge_opened(fd, flags, caller);
        }
        if (errno == ENOENT && strncmp(path, "/tmp/", 5) == 0)
            judge_missing(dirfd, copy, flags, caller);
        return fd;
    }
    if (!guard.blocks_any) return open_reported(dirfd, copy, flags, mode, nameless, caller);
    return nameless ? open_nameless(dirfd, path, flags, mode, caller)
                    : open_creating(dirfd, copy, flags, mode, caller);
}

int files_open(int dirfd, const struct path *copy, int flags, mode_t mode, const void *caller)
{
    if (files_idle()) return open_as_asked(dirfd, copy->text, flags, mode);
    int fd = open_judged(dirfd, copy, flags & ~FILES_OWN_BITS, mode, caller);
    if (UNLIKELY(callers_matter)) callers_opened();
    return fd;
}

static mode_t mode_of(int flags, unsigned mode)
{
    return (flags & (O_CREAT | O_TMPFILE)) ? (mode_t)mode : 0;
}

/* The third argument is there only when something may be created; reading a register that nobody
 * filled is harmless. */
#define OPEN_MODE(last)                                                                            \
    __builtin_va_list list;                                                                        \
    __builtin_va_start(list, last);                                                                \
    mode_t mode = mode_of(flags, __builtin_va_arg(list, unsigned));                                \
    __builtin_va_end(list)

/* `dirfd`, `path`, `flags`: by hand, since C has no other name for the argument that may be
 * missing. */
#define OPEN(dirfd, path, bare)                                                                    \
    OPEN_MODE(flags);                                                                              \
    if (!files_ready()) return bare;                                                               \
    COPY_PATH(copy, path);                                                                         \
    if (copy.error) return fail(copy.error);                                                       \
    return files_open(dirfd, &copy, flags, mode, CALLER())

DOOR int open(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD, path, real.open(path, flags, mode));
}
DOOR int openat(int dirfd, const char *path, int flags, ...)
{
    OPEN(dirfd, path, real.openat(dirfd, path, flags, mode));
}

static int judged___open_2(const struct path *path, int flags, const void *caller)
{
    return files_open(AT_FDCWD, path, flags, 0, caller);
}

static int judged___openat_2(int dirfd, const struct path *path, int flags, const void *caller)
{
    return files_open(dirfd, path, flags, 0, caller);
}

static int judged_creat(const struct path *path, mode_t mode, const void *caller)
{
    return files_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode, caller);
}

DOOR int open_by_handle_at(int mount, struct file_handle *handle, int flags)
{
    int fd = real.open_by_handle_at(mount, handle, flags);
    if (fd < 0 || !guard_ready() || files_idle()) return fd;
    return judge_opened(fd, flags & ~FILES_OWN_BITS, CALLER());
}

#include "doors_opening.gen.h"
