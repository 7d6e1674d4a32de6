/* Doors of guard integrity that refuse some of their calls. Those that refuse every call are
 * generated (refusing.c). */
#include "guard/guard.h"
#include "events/events.h"
#include "support/copied.h"
#include "support/sys.h"

static bool leaving_refused(int flags, const void *caller)
{
    return flags != 0 && integrity_refused("leave shared state with", "unshare", caller);
}

/* A seccomp filter could answer the guard's own system calls. prctl takes five arguments in the
 * kernel. */
enum { SET_SECCOMP = 22, SET_SYSCALL_USER_DISPATCH = 59 };

static bool filter_refused(int option, const void *caller)
{
    return UNLIKELY(option == SET_SECCOMP || option == SET_SYSCALL_USER_DISPATCH) &&
           guard_ready() && integrity_refused("filter system calls with", "prctl", caller);
}

/* If the loader lacks memory or fds for a preloaded library, it starts the program without it.
 * The core needs more than libc, so a limit could leave enough for a program but too little for
 * the core. Limits below LEAST are refused, which costs nothing: no program runs with less. */
enum { DATA = 2, FDS = 7, MEMORY = 9, LEAST = 8 << 20 };
enum { LOADING = 1 << DATA | 1 << FDS | 1 << MEMORY };

static int limit(int pid, int resource, const void *limits, void *old, const void *caller)
{
    uint64_t copy[2];
    if (guard_ready() && limits && (unsigned)resource < 32 && LOADING >> resource & 1) {
        if (!copied_bytes(copy, limits, sizeof copy)) return errno = EFAULT, -1;
        bool lacks = resource == FDS ? pid != 0 && pid != sys_getpid() : *copy < LEAST;
        if (lacks && integrity_refused("limit", "what a program is loaded with", caller)) return -1;
        limits = COPIED_BY_HAND(copy, limits);
    }
    return real.prlimit64(pid, resource, limits, old);
}

extern int prlimit64(int, int, const void *, void *);
DOOR int prlimit64(int pid, int resource, const void *limits, void *old)
{
    return limit(pid, resource, limits, old, CALLER());
}

extern int setrlimit(int, const void *);
DOOR int setrlimit(int resource, const void *limits)
{
    return limit(0, resource, limits, NULL, CALLER());
}

#include "doors_integrity.gen.h"
