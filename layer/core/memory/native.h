/* The rule native_code in the libc ring: memory that becomes executable, and libraries from places
 * that code in this process can write to. */
#ifndef FS_NATIVE_H
#define FS_NATIVE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "guard/guard.h"

/* At start: what time it is, and which program this is. */
void native_start(void);
/* A folder that libraries of this program come from (a prefix of Python's): in a local run, its
 * user may own it. At most 4. */
void native_trusts(const char *folder);

/* Asks the policy about `name` (a module, a library's path; NULL: nothing that a rule could name).
 */
struct fs_verdict native_decide(const char *name, const void *caller);

/* Whether code in this process could have written the file that `path` leads to. */
enum native_place {
    NATIVE_ABSENT, /* no such file */
    NATIVE_STEADY, /* no code in this process can change it, or a name on the way to it */
    NATIVE_OWN, /* can be changed, but lies where the program came from, and is as it was at the
                   start */
    NATIVE_WRITABLE /* under /tmp, in shared memory, without a name, newer than the program, or
                       anywhere else */
};
/* `resolved` gets the file's path, "" where there is none. */
enum native_place native_judge_place(const char *path, char resolved[PATH_MAX]);
/* It lies under /tmp or in shared memory, or has no name. */
bool native_fd_is_scratch(int fd, char resolved[PATH_MAX]);
/* The same for an object whose resolved path is known already. */
bool native_path_is_scratch(const char *resolved, const struct stat *status);
/* It has not changed since before the function began. A child gets that time from its parent. */
bool native_dates_before(const struct stat *status);
/* The same for a file outside /tmp. */
bool native_is_older(const char *path);
/* The library gives Python code access to all memory: _ctypes, _cffi_backend, CPython's test
 * helpers, PyGObject; apsw, whose VFS and file_control take addresses as integers; lupa, whose Lua
 * calls any function of any library. Outside Python: Node's koffi and ffi-rs, Ruby's fiddle and
 * ffi, Java's JNA. */
bool native_names_bridge(const char *name);
/* A module's name that is no text (a NUL, half of a surrogate pair): it counts as a bridge's, since
 * the loader goes by what stands behind its last dot. */
#define NATIVE_NO_TEXT "a name without text"

/* Returns true if it is refused: reported, and errno is EACCES. */
bool native_library_refused(const char *path, const char *given, const void *caller);

/* An interpreter is about to call `entry` of a library of Go's, which no door sees. */
bool native_go_refused(const void *entry, const void *caller);

/* The path to judge a library by, and to hand to the loader. Where something blocks and another
 * thread could change what `path` leads to, it is written to `own`, without links. */
const char *native_library_path(const char *path, char own[PATH_MAX]);
/* Any other act; `object`: what the event names, NULL: the library of `caller`. */
bool native_refused(const char *verb, const char *object, const void *caller);
/* Steps of libffi that pass in this thread: CPython 3.14 and newer make a closure while _ctypes is
 * imported, which is part of the import that an exception allowed. */
enum { NATIVE_CLOSURE_STEPS = 4 };
extern __thread uint8_t native_closures __attribute__((tls_model("initial-exec")));

bool native_map_refused(int protection, int flags, int fd, const void *caller);
bool native_protect_refused(const void *start, size_t size, int protection, const void *caller);
/* The range is memory of the guard's own, which no door may change: reported, and errno is EACCES.
 * madvise could turn the policy into zeros, which allow. */
bool native_guards(const void *start, size_t size, const void *caller);
/* This thread calls a door on behalf of `caller`; NULL: no longer. */
void native_asked_through(const void *caller, const void *frame);
/* The caller that native_asked_through set for this door, else `caller`. */
const void *native_caller(const void *caller);

/* For the interpreter ring: it has judged this library, and let this thread load it once. */
void native_library_is_judged(const char *path);

/* ctypes or cffi was imported into this process, and judged. */
extern atomic_bool native_bridge_known;

#endif
