/* Doors through which a program loads libraries, and changes memory. */
#include <dlfcn.h>
#include <link.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "files/files.h"
#include "files/made.h"
#include "guard/guard.h"
#include "events/events.h"
#include "memory/native.h"
#include "memory/requests.h"
#include "support/copied.h"
#include "support/mappings.h"
#include "support/text.h"
#include "libc/symbols.h"

static bool library_refused(const char *path, const void *caller)
{
    if (!path || !strchr(path, '/') || files_idle()) return false;
    struct path own = copied_own(path);
    return files_refuses_path(AT_FDCWD, &own, O_RDONLY | MADE_EXECUTES, "load", caller);
}

/* With RTLD_DEEPBIND, a library looks symbols up in itself and its dependencies first, and would
 * find libc's functions instead of the doors. So the flag is dropped. */
static int without_deepbind(int mode, const char *path, const void *caller)
{
    if (LIKELY(!(mode & RTLD_DEEPBIND))) return mode;
    struct fs_verdict verdict = guard_integrity();
    /* Where nothing blocks, it stays as it is. What the library does then passes no door: report
     * that. */
    if (verdict.mode == FS_ALLOW) verdict.mode = verdict.policy_mode = FS_ALERT;
    int error = errno;
    bool refused =
        events_report_path(FS_INTEGRITY, &verdict, "bind past the guard", path ? path : "", caller);
    errno = error;
    return refused ? mode & ~RTLD_DEEPBIND : mode;
}

/* Callers ask dlerror() for the reason, and Node crashes if there is none. Loading a path that
 * cannot exist provides one. */
static void *say_refused(const char *path)
{
    char words[512];
    (void)TEXT_JOIN(words, sizeof words, "/dev/null/refused by function_shield: ", path);
    (void)real.dlopen(words, RTLD_LAZY);
    errno = EACCES;
    return NULL;
}

/* The path to load, or NULL if it may not be loaded. libc searches a name without a folder by its
 * caller's library, so the door ends in a tail call of libc's function; a copy of the name must
 * outlive the door's frame, and is `copied_last`. */
static const char *judged_library(const char *path, int *mode, char own[2][PATH_MAX],
                                  const void *caller)
{
    struct path copy = copied_short(copied_last, path);
    if (UNLIKELY(copy.size == COPIED_SHORT)) copied_long(&copy, own[1], path);
    const char *judged = native_library_path(copy.text, own[0]);
    if (copy.error != 0 || library_refused(judged, caller) ||
        native_library_refused(judged, copy.text, caller))
        return say_refused(copy.text);
    *mode = without_deepbind(*mode, copy.text, caller);
    return COPIED_BY_HAND(judged, judged == copied_last ? path : judged);
}

DOOR void *dlopen(const char *path, int mode)
{
    if (UNLIKELY(!real.dlopen)) guard_start();
    (void)SYMBOLS_HAVE(dlopen); /* before glibc 2.34 in libdl */
    if (path != NULL && guard_ready()) {
        char own[2][PATH_MAX];
        path = judged_library(path, &mode, own, CALLER());
        if (path == NULL) return NULL;
        if (path == own[0] || path == own[1]) return real.dlopen(path, mode);
    }
    __attribute__((musttail)) return real.dlopen(path, mode);
}

/* A second libc in a namespace of its own would have no doors. */
DOOR void *dlmopen(Lmid_t namespace, const char *path, int mode)
{
    if (UNLIKELY(!real.dlmopen)) guard_start();
    (void)SYMBOLS_HAVE(dlmopen); /* before glibc 2.34 in libdl */
    if (namespace != LM_ID_BASE && guard_ready() &&
        integrity_refused("load a second libc beside", path ? path : "", CALLER()))
        return NULL;
    if (path != NULL && guard_ready()) {
        char own[2][PATH_MAX];
        path = judged_library(path, &mode, own, CALLER());
        if (path == NULL) return NULL;
        if (path == own[0] || path == own[1]) return real.dlmopen(namespace, path, mode);
    }
    __attribute__((musttail)) return real.dlmopen(namespace, path, mode);
}

/* Where /tmp is ephemeral, nothing in it is mapped executable. */
static bool made_runs(int fd, const void *caller)
{
    struct judged judged;
    if (LIKELY(!made_is_on) || !files_judge_fd(fd, O_RDONLY | MADE_EXECUTES, &judged, caller))
        return false;
    judged.verb = "execute";
    return files_refuse(&judged, caller);
}

static bool runs(char *path)
{
    struct fs_request request = {.family = FS_TMP, .path = path};
    return files_leads_under_tmp(path) && guard_decide(&request).mode != FS_ALLOW;
}

static bool mappings_run(const void *start, size_t size, const void *caller)
{
    char path[PATH_MAX];
    return UNLIKELY(made_is_on) && mappings_any(start, size, runs, path) &&
           files_refuse_running(path, caller);
}

static bool protection_refused(void *start, size_t size, int protection, const void *caller)
{
    if (native_guards(start, size, caller) ||
        (UNLIKELY(protection & PROT_EXEC) && guard_ready() &&
         (native_protect_refused(start, size, protection, caller) ||
          mappings_run(start, size, caller))))
        return true;
    copied_forget();
    return false;
}

DOOR int munmap(void *start, size_t size)
{
    if (native_guards(start, size, CALLER())) return -1;
    if (UNLIKELY(!real.munmap)) guard_start();
    copied_forget();
    int result = real.munmap(start, size);
    copied_forget(); /* for who asked in between whose memory it is */
    return result;
}

DOOR void *mremap(void *start, size_t size, size_t new_size, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    void *target = va_arg(list, void *);
    va_end(list);
    if (native_guards(start, size, CALLER())) return MAP_FAILED;
    if ((flags & MREMAP_FIXED) && native_guards(target, new_size, CALLER())) return MAP_FAILED;
    if (UNLIKELY(!real.mremap)) guard_start();
    copied_forget();
    return real.mremap(start, size, new_size, flags, target);
}

DOOR void *mmap(void *start, size_t size, int protection, int flags, int fd, off_t offset)
{
    if ((flags & MAP_FIXED) && native_guards(start, size, CALLER())) return MAP_FAILED;
    /* Python's mmap has no address, and hands on any flag: the memory at 0, and whatever is mapped
     * behind it, would be replaced. */
    if (UNLIKELY((flags & MAP_FIXED) && !start) && guard_ready() && !guard_ignores(FS_NATIVE) &&
        requests_from_python("mmap", CALLER()) &&
        native_refused("replace the memory at", "address 0", CALLER()))
        return MAP_FAILED;
    if (UNLIKELY(protection & PROT_EXEC) && guard_ready() &&
        (native_map_refused(protection, flags, fd, CALLER()) ||
         (!(flags & MAP_ANONYMOUS) && made_runs(fd, CALLER()))))
        return MAP_FAILED;
    if (UNLIKELY(!real.mmap)) guard_start();
    if (flags & MAP_FIXED) copied_forget();
    return real.mmap(start, size, protection, flags, fd, offset);
}

#include "doors_code.gen.h"
