/* The interpreter releases its lock for most of its libc calls. A door that must name the Python
 * caller takes the lock for a moment, like a callback from a C library.
 *
 * Only for callers in the interpreter and its own modules. At such a call they hold no lock that a
 * thread with the interpreter's lock could wait for, and they make no such call from a signal
 * handler. For other libraries neither is certain (sqlite calls open with its mutex held).
 *
 * The garbage collector is paused meanwhile, because it would run finalisers, and so any code,
 * inside a door. */
#include "cpython/attach.h"

#include <string.h>

#include "guard/guard.h"
#include "cpython/python.h"
#include "libc/symbols.h"
#include "support/sys.h"

static bool armed, own_current; /* own_current: the current state is this thread's own, not the
                                   whole process's (3.12) */
static atomic_bool several;
static int process; /* the process that was armed, or a child that has its lock */
static __thread bool had_lock __attribute__((tls_model("initial-exec"))); /* at its last fork */

void attach_start(void)
{
    own_current = python.minor >= 12;
    process = sys_getpid();
    armed = python.current && python.finalizing;
}

void attach_forks(void)
{
    const void *own = armed && python_is_running() ? python.PyGILState_GetThisThreadState() : NULL;
    had_lock = own && own == python.current();
}

void attach_forked(void)
{
    if (had_lock && process != 0) process = sys_getpid();
}

bool attach_several(void) { return atomic_load_explicit(&several, memory_order_relaxed); }

void attach_sees_import(void)
{
    if (attach_several() || !python_is_running()) return;
    if (python.PyInterpreterState_GetID(python.PyInterpreterState_Get()) != 0)
        atomic_store_explicit(&several, true, memory_order_relaxed);
}

bool attach_is_interpreter(const void *address)
{
    struct symbols_object theirs, own;
    return symbols_object_of(address, &theirs) &&
           symbols_object_of((const void *)python.PyEval_GetFrame, &own) && own.base == theirs.base;
}

bool attach_is_python_code(const void *caller)
{
    struct symbols_object theirs;
    if (!caller || !symbols_object_of(caller, &theirs)) return false;
    if (attach_is_interpreter(caller)) return true;
    const char *slash = strrchr(theirs.path, '/');
    /* A call by ctypes counts as Python's own. */
    return strstr(theirs.path, "/lib-dynload/") != NULL ||
           strncmp(slash ? slash + 1 : theirs.path, "libffi.", 7) == 0;
}

bool attach_begin(struct attach *attach, const void *caller)
{
    attach->taken = false;
    if (!armed || !attach_is_python_code(caller) || !python_is_running() || python.finalizing())
        return false;
    const void *own = python.PyGILState_GetThisThreadState(), *current = python.current();
    if (!own) return false;
    if (own != current) {
        /* Before 3.12, a thread may hold the lock through another interpreter's state, and
         * nothing tells that it does. */
        if (own_current ? current != NULL : atomic_load_explicit(&several, memory_order_relaxed))
            return false;
        /* In a forked child the thread that had the lock may not exist: CPython 3.12 and newer
         * release the lock before vfork. */
        if (sys_getpid() != process) return false;
        attach->state = python.PyGILState_Ensure();
        attach->taken = true;
    }
    attach->collects = python.collect_not && python.collect_not() != 0;
    return true;
}

void attach_end(const struct attach *attach)
{
    if (attach->collects) python.collect();
    if (attach->taken) python.PyGILState_Release(attach->state);
}
