/* Events about files. Every open in Python passes here. A path that clearly concerns no rule leaves
 * after a few nanoseconds, and the libc ring, which sees the object, decides on it. */
#include <limits.h>
#include <string.h>

#include <sys/stat.h>

#include "guard/callers.h"
#include "guard/passes.h"
#include "python/arguments.h"
#include "python/frames.h"
#include "support/copied.h"
#include "python/hooks/archive.h"
#include "python/hooks/hook.h"
#include "python/hooks/seal.h"
#include "support/sys.h"
#include "events/events.h"
#include "files/source/also.h"
#include "files/files.h"
#include "files/handler.h"
#include "support/text.h"

/* Whether relative names may lead under /tmp. */
enum { UNKNOWN, ELSEWHERE, MOVES };
static atomic_int where;

static bool folder_is_suspect(void)
{
    char folder[PATH_MAX];
    int known = atomic_load_explicit(&where, memory_order_relaxed);
    if (known == ELSEWHERE) return false;
    bool suspect = sys_call(SYS_getcwd, folder, sizeof folder) < 0 || text_begins(folder, "/tmp") ||
                   text_begins(folder, "/proc");
    if (known == UNKNOWN && !suspect)
        atomic_store_explicit(&where, ELSEWHERE, memory_order_relaxed);
    return suspect;
}

/* The string alone makes an inspection necessary. `relative`: names are relative to the current
 * folder. */
static bool suspicious(const char *path, bool relative)
{
    if (path[0] == '/') {
        switch (path[1]) {
        case 't':
            if (text_begins(path, "/tmp")) return true;
            break;
        case 'p':
            if (text_begins(path, "/proc")) return true;
            break;
        case 'd':
            if (text_begins(path, "/dev/fd") || text_begins(path, "/dev/std")) return true;
            break;
        }
    } else if (relative && folder_is_suspect()) {
        return true;
    }
    /* "..", "//" and "/./": where a name bends. */
    if (path[0] == '.' && path[1] == '.') return true;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        if (slash[1] == '/' || (slash[1] == '.' && (slash[2] == '.' || slash[2] == '/')))
            return true;
    return UNLIKELY(also_is_on) || seal_names(path) || archive_is(path);
}

static bool is_kind(int dirfd, const char *path, mode_t kind)
{
    struct stat status;
    return sys_fstatat(dirfd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           (status.st_mode & S_IFMT) == kind;
}

static bool nothing_to_do(void)
{
    return guard_ignores(FS_TMP) && !guard.blocks_any &&
           (guard_ignores(FS_HANDLER) || !handler_guards());
}

/* A name of an event, in memory of Python's that does not change, and the folder that it is
 * relative to. */
struct name {
    PyObject *object; /* for the error; NULL: none */
    const char *path; /* NULL: there is nothing to judge */
    int dirfd;
};

/* 0: allowed; 1: reported, and let through; -1: refused. `other`: the act's second name, or NULL.
 * `from`: as act has it. */
static int judge(const struct name *name, const struct name *other, const char *from, int flags,
                 const char *verb)
{
    struct judged judged;
    const char *path = name->path;
    struct path own = copied_own(path);
    (void)files_judge_path(name->dirfd, &own, flags, &judged, NULL);
    const enum fs_family family = judged.family;
    const struct fs_verdict verdict = judged.verdict;
    const char *resolved = judged.path, *shown = resolved[0] ? resolved : path;
    struct act act = {.family = family, .verb = verb, .path = shown, .from = from};
    if (LIKELY(verdict.mode == FS_ALLOW)) {
        if (UNLIKELY(guard_tells_allowed())) hook_used(&act, &verdict);
        return 0;
    }
    if (family == FS_HANDLER && verdict.mode != FS_BLOCK && archive_is(path) &&
        (flags & O_ACCMODE) == O_RDONLY && archive_import_reads()) {
        passes_archive(resolved);
        return 0;
    }
    if (family == FS_HANDLER && (flags & O_ACCMODE) == O_RDONLY && UNLIKELY(also_is_on) &&
        also_lists(resolved) && !also_was_executed(resolved) &&
        (frames_import_reads() || frames_interpreter_reads())) {
        /* A compiled file may name another source than the one beside it. */
        also_read(resolved);
        passes_archive(resolved);
        return 0;
    }
    /* Tracebacks and inspect ask for source lines and cope without them: every unhandled exception
     * would raise an alarm. A read without a frame may come from any callback, so it is quiet only
     * if it is refused. */
    if (family == FS_HANDLER && (flags & O_ACCMODE) == O_RDONLY &&
        (frames_linecache_reads() || (verdict.mode == FS_BLOCK && frames_interpreter_reads()))) {
        guard_note(FS_HANDLER, verdict.mode, shown);
        if (verdict.mode != FS_BLOCK) return 1;
        python.PyErr_SetString(*python.PyExc_PermissionError, "no source");
        return -1;
    }
    struct judged *found = NULL;
    if (other && other->path) {
        struct path second = copied_own(other->path);
        found = files_judge_other(&judged, other->dirfd, &second);
    }
    if (found) act.to = found->path;
    int result = hook_verdict(&act, &verdict, shown, name->object) == 0 ? 1 : -1;
    sys_scratch_free(found, sizeof *found);
    return result;
}

static int answer(int judged) { return judged < 0 ? -1 : 0; }

static const char *verb_of(int flags)
{
    if (flags & O_CREAT) return "create";
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) ? "write" : "open";
}

int hook_open(PyObject *arguments)
{
    if (guard_thread.note_family == FS_TMP + 1 || guard_thread.note_family == FS_HANDLER + 1)
        guard_thread.note_family = 0;
    hook_forget();
    if (nothing_to_do()) return 0;
    PyObject *object = argument(arguments, 0);
    const char *path = argument_text(object);
    if (!path) return 0;
    size_t size = strlen(path);
    if (UNLIKELY(size > 4 && memcmp(path + size - 4, ".pyc", 4) == 0) && hook_passes_over(path)) {
        python.PyErr_SetString(*python.PyExc_PermissionError, path);
        return -1;
    }
    /* os.open has no mode, and may have a dir_fd that the event does not show, so the libc ring
     * judges its relative names. */
    bool relative = path[0] == '/' || !argument_is_none(argument(arguments, 1));
    if (LIKELY(!suspicious(path, relative)) || !relative || !python_is_running()) return 0;
    long flags = argument_number(argument(arguments, 2), O_RDONLY) & ~FILES_OWN_BITS;
    /* Opening a folder for writing means that an opener makes a file in it (tempfile); that open is
     * the act. */
    if ((flags & O_ACCMODE) != O_RDONLY && !(flags & O_DIRECTORY) &&
        is_kind(AT_FDCWD, path, S_IFDIR))
        return 0;
    const struct name name = {object, path, AT_FDCWD};
    return answer(judge(&name, NULL, NULL, (int)flags, verb_of((int)flags)));
}

/* Returns true if the name makes an inspection necessary. */
static bool read_name(struct name *name, const struct hook_row *row, PyObject *arguments, int at,
                      int dirfd_at)
{
    PyObject *object = argument(arguments, at);
    *name = (struct name){object, argument_text(object), AT_FDCWD};
    if (argument_is_none(object)) {
        name->object = NULL;
        if (row->flags & O_DIRECTORY) name->path = "."; /* dlopen(None): no file */
    }
    if (dirfd_at >= 0) {
        long given = argument_number(argument(arguments, dirfd_at), -1);
        if (given >= 0) name->dirfd = (int)given;
    }
    return name->path && (name->dirfd != AT_FDCWD || suspicious(name->path, true));
}

int hook_path(const struct hook_row *row, PyObject *arguments)
{
    if (nothing_to_do()) return 0;
    struct name one, two = {NULL, NULL, 0};
    bool suspect = read_name(&one, row, arguments, row->path, row->dirfd);
    if (row->other_path >= 0)
        suspect |= read_name(&two, row, arguments, row->other_path, row->other_dirfd);
    if (!suspect) return 0;
    /* The event does not show whether the link itself is meant (follow_symlinks). The libc ring
     * sees that. */
    if (row->flags == FOLLOW && is_kind(one.dirfd, one.path, S_IFLNK)) return 0;
    /* Only os.symlink has another argument, the target, before the path. */
    const char *from = row->path > 0 ? "" : NULL;
    int judged = one.path ? judge(&one, &two, from, row->flags, row->verb) : 0;
    /* One act makes one event: of two names, the note holds the first that was reported, and the
     * door stays quiet about the other. */
    if (judged == 0 && two.path) judged = judge(&two, NULL, one.path, row->flags, row->verb);
    return answer(judged);
}

/* A name without a slash is searched for among the libraries' folders, not in the current folder.
 */
int hook_library(const struct hook_row *row, PyObject *arguments)
{
    const char *name = argument_text(argument(arguments, row->path));
    if (!name || !strchr(name, '/')) return 0;
    return hook_path(row, arguments) == 0 ? hook_native_library(name) : -1;
}

static int judge_database(const struct hook_row *row, PyObject *object)
{
    const char *path = argument_text(object);
    if (!path || !*path || strcmp(path, ":memory:") == 0) return 0;
    char plain[PATH_MAX];
    if (text_begins(path, "file:")) {
        /* In a URI the path follows an empty or local authority. If it is encoded (%2F), the libc
         * ring sees the file. */
        path += 5;
        if (text_begins(path, "//localhost/"))
            path += 11;
        else if (text_begins(path, "///"))
            path += 2;
        size_t size = strcspn(path, "?#%");
        if (path[size] == '%' || size == 0 || size >= sizeof plain) return 0;
        memcpy(plain, path, size);
        plain[size] = '\0';
        path = plain;
    }
    if (!suspicious(path, true)) return 0;
    const struct name name = {object, path, AT_FDCWD};
    int judged = judge(&name, NULL, NULL, row->flags, row->verb);
    /* Between the event and the act, another hook may act itself. */
    if (!hook_has_other_hooks()) callers_keep();
    return answer(judged);
}

/* A Path is asked for its text here, and again by the module: the libc ring judges that one. */
int hook_database(const struct hook_row *row, PyObject *arguments)
{
    PyObject *object = nothing_to_do() ? NULL : argument(arguments, 0);
    PyObject *text = object ? python.PyOS_FSPath(object) : NULL;
    if (!text) {
        python.PyErr_Clear();
        return 0;
    }
    int judged = judge_database(row, text);
    python.Py_DecRef(text);
    return judged;
}

int hook_directory(const struct hook_row *row, PyObject *arguments)
{
    (void)row;
    (void)arguments;
    /* The event comes before the act, and another thread may ask in between: from now on every
     * question goes to the kernel. */
    atomic_store_explicit(&where, MOVES, memory_order_relaxed);
    return 0;
}
