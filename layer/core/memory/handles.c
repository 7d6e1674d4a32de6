/* Doors of libc functions whose handle is an address, if a module of Python lets the program choose
 * that handle as a number: multiprocessing's semaphores, the threads of signal and time, terminfo's
 * strings with the address of a text as parameter, curses' windows, and epoll. */
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "guard/guard.h"
#include "support/mappings.h"
#include "memory/native.h"
#include "cpython/python.h"
#include "memory/requests.h"
#include "libc/symbols.h"
#include "support/copied.h"
#include "support/folder.h"
#include "support/sys.h"

static const char pass_address[] = "pass an address by";

/* ---- semaphores ---- */

/* SemLock._rebuild(handle, …) takes any integer for an address. A named semaphore is a page of a
 * file that sem_open mapped. It is remembered until something is unmapped: a program can map such a
 * file itself, and other memory in its place. */
enum { KNOWN = 64 };
static _Atomic uint64_t known[KNOWN]; /* copied_page_key, read before the mapping */

static bool is_named(const sem_t *semaphore)
{
    _Atomic uint64_t *slot = &known[(uintptr_t)semaphore >> 12 & (KNOWN - 1)];
    struct mapping mapping;
    uint64_t key = copied_page_key((uintptr_t)semaphore);
    if ((uintptr_t)semaphore % 4096 != 0) return false;
    if (atomic_load_explicit(slot, memory_order_relaxed) == key) return true;
    if (!mapping_of(semaphore, &mapping) || mapping.low != (uintptr_t)semaphore) return false;
    if (strncmp(mapping.path, "/dev/shm/sem.", 13) != 0) return false;
    atomic_store_explicit(slot, key, memory_order_relaxed);
    return true;
}

static bool semaphore_refused(const sem_t *semaphore, const void *caller)
{
    if (!python.PySys_AddAuditHook || !guard_ready() || guard_ignores(FS_NATIVE) ||
        !requests_from_python("_multiprocessing", caller))
        return false;
    int error = errno;
    bool named = is_named(semaphore);
    errno = error;
    return !named && native_refused(pass_address, "SemLock", caller);
}

static bool closing_refused(const sem_t *semaphore, const void *caller)
{
    if (semaphore_refused(semaphore, caller)) return true;
    copied_forget();
    return false;
}

/* Locks of the interpreter and of other libraries are semaphores too. So each call site is looked
 * up once and remembered. */
enum { PASSERS = 32 };
static _Atomic(const void *) passers[PASSERS];

DOOR int sem_trywait(sem_t *semaphore)
{
    const void *caller = CALLER();
    _Atomic(const void *) *slot = &passers[(uintptr_t)caller >> 2 & (PASSERS - 1)];
    if (UNLIKELY(!real.sem_trywait)) guard_start();
    (void)SYMBOLS_HAVE(sem_trywait); /* before glibc 2.34 in libpthread */
    if (LIKELY(!python.PySys_AddAuditHook ||
               atomic_load_explicit(slot, memory_order_relaxed) == caller))
        return real.sem_trywait(semaphore);
    struct symbols_object object;
    if (symbols_object_of(caller, &object) && !strstr(object.path, "/_multiprocessing."))
        atomic_store_explicit(slot, caller, memory_order_relaxed);
    else if (semaphore_refused(semaphore, caller))
        return -1;
    return real.sem_trywait(semaphore);
}

/* ---- threads ---- */

/* The head of the list of a thread's robust mutexes lies in its struct pthread. The kernel knows
 * where. */
static uintptr_t robust_head(int thread)
{
    void *head = NULL;
    size_t size;
    return sys_call(SYS_get_robust_list, thread, &head, &size) == 0 ? (uintptr_t)head : 0;
}

static bool is_thread(pthread_t thread)
{
    if (thread == pthread_self()) return true;
    uintptr_t own = robust_head(0), wanted = own - (uintptr_t)pthread_self() + (uintptr_t)thread;
    if (own == 0) return true; /* a sandbox that does not tell */
    char buffer[2048] __attribute__((aligned(8)));
    struct folder tasks = FOLDER_AT("/proc/self/task", buffer);
    if (tasks.fd < 0) return true;
    bool found = false;
    for (const char *name; !found && (name = folder_next(&tasks)) != NULL;) {
        int id = folder_id(name);
        found = id > 0 && robust_head(id) == wanted;
    }
    sys_close(tasks.fd);
    return found;
}

static bool thread_refused(pthread_t thread, const char *module, const char *object,
                           const void *caller)
{
    if (!python.PySys_AddAuditHook || !guard_ready() || guard_ignores(FS_NATIVE)) return false;
    if (!requests_from_python(module, caller)) return false;
    int error = errno;
    bool is = is_thread(thread);
    errno = error;
    return !is && native_refused(pass_address, object, caller);
}

/* ---- libc's own signals ---- */

/* The handler that changes the user in every thread makes the system call that it reads from a
 * place on a stack, whose thread may be gone. Before glibc 2.34 raise sends its signal, and so does
 * pidfd_send_signal to a thread, since Linux 6.9. */
enum { OWN_SIGNALS = 32, OWN_COUNT = 2 };

static bool signal_refused(int signal, const char *object, const void *caller)
{
    return UNLIKELY((unsigned)signal - OWN_SIGNALS < OWN_COUNT) && guard_ready() &&
           !guard_ignores(FS_NATIVE) && native_refused("run a handler of libc by", object, caller);
}

/* ---- epoll ---- */

/* Python's select gives the kernel an fd and, beside it, half a word of its stack. A library that
 * keeps addresses in its epoll set takes both together for one. */
DOOR int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
    if (python.PySys_AddAuditHook && event && native_decide(NULL, NULL).mode == FS_BLOCK &&
        requests_from_python("select", CALLER()) && event->data.fd == fd)
        event->data.u64 = (uint32_t)fd;
    if (UNLIKELY(!real.epoll_ctl)) guard_start();
    return real.epoll_ctl(set, operation, fd, event);
}

/* ---- terminfo ---- */

/* %s prints the text at a parameter, %l gives its length; both may have flags. "%P%%s" is one too:
 * the second % belongs to %P. */
static bool reads_text(const char *string)
{
    for (const char *at = string; at && (at = strchr(at, '%')) != NULL;) {
        at++;
        at += strspn(at, ":-+# .0123456789");
        if (*at == 's' || *at == 'l') return true;
    }
    return false;
}

/* As ncurses: nine parameters, of which the string says how many there are. */
DOOR char *tparm(const char *string, ...)
{
    long words[9];
    va_list list;
    va_start(list, string);
    for (unsigned i = 0; i < 9; i++) words[i] = va_arg(list, long);
    va_end(list);
    __typeof__(real.tparm) next = (__typeof__(next))symbols_behind(CALLER(), "tparm");
    if (python.PySys_AddAuditHook && guard_ready() && !guard_ignores(FS_NATIVE) &&
        UNLIKELY(reads_text(string)) && requests_from_python("_curses", CALLER()) &&
        native_refused(pass_address, "tparm", CALLER()))
        return NULL;
    if (!next) return NULL;
    return next(string, words[0], words[1], words[2], words[3], words[4], words[5], words[6],
                words[7], words[8]);
}

/* ---- curses ---- */

/* A window from a file, with a cursor that ncurses does not check: it reads and writes there. */
extern void *getwin(FILE *);
DOOR void *getwin(FILE *file)
{
    __typeof__(real.getwin) next = (__typeof__(next))symbols_behind(CALLER(), "getwin");
    if (python.PySys_AddAuditHook && guard_ready() && !guard_ignores(FS_NATIVE) &&
        requests_from_python("_curses", CALLER()) &&
        native_refused(pass_address, "getwin", CALLER()))
        return NULL;
    return next ? next(file) : NULL;
}

#include "doors_handles.gen.h"
