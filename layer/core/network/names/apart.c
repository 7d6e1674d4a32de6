/* Calls of libc with an fd table of their own. See apart.h. */
#include "network/names/apart.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "guard/guard.h"
#include "support/sys.h"

#ifndef __WCLONE
#define __WCLONE 0x80000000
#endif
enum { CLOSE_RANGE = 436, SET_PARENT_DEATH_SIGNAL = 1, FDS_WITHOUT_CLOSE_RANGE = 4096 };

struct child {
    void (*work)(void *context);
    void *context;
    int parent;
    _Atomic bool done; /* written by the child: it shares our memory, and it came to its end */
};

static void close_from(unsigned first, unsigned last)
{
    if (first > last || sys_call(CLOSE_RANGE, first, last, 0) != -ENOSYS) return;
    /* For Linux before 5.9. An fd that stays open here is closed a moment later than in the
     * program. */
    for (unsigned fd = first; fd <= last && fd < FDS_WITHOUT_CLOSE_RANGE; fd++) sys_close((int)fd);
}

/* The table is a copy: what the program closes meanwhile must be closed. Only events go on. */
static void empty_the_table(void)
{
    int kept = guard.event_fd;
    if (kept > 0) close_from(0, (unsigned)kept - 1);
    close_from((unsigned)(kept + 1), ~0u);
}

/* The child has the stack of its parent, who sleeps: it must not return from here. */
__attribute__((noinline)) static long start(struct child *child)
{
    long pid = sys_call(SYS_clone, CLONE_VM | CLONE_VFORK, 0, 0, 0, 0);
    if (pid != 0) return pid;
    /* The child must not outlive the program. Lambda refuses this call, and ends all processes
     * together anyway. */
    sys_call(SYS_prctl, SET_PARENT_DEATH_SIGNAL, SIGKILL, 0, 0, 0);
    if (sys_call(SYS_getppid) == child->parent) {
        empty_the_table();
        child->work(child->context);
        atomic_store(&child->done, true);
    }
    sys_exit(0);
}

static uint64_t bit(int number) { return UINT64_C(1) << (number - 1); }

/* Blocks signals, because the program's handlers would run in the child too. Not signals without
 * a handler that end both processes. */
static void block_signals(uint64_t *before)
{
    static const int ends[] = {SIGHUP, SIGINT, SIGALRM, SIGTERM};
    struct {
        uintptr_t handler;
        uint64_t rest[3];
    } action;
    uint64_t blocked = ~UINT64_C(0);
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
        if (sys_call(SYS_rt_sigaction, ends[i], NULL, &action, sizeof blocked) == 0 &&
            action.handler == (uintptr_t)SIG_DFL)
            blocked &= ~bit(ends[i]);
    sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, before, sizeof blocked);
}

/* Returns the child's wait status, or -errno where there was none. */
static long run(struct child *child)
{
    int status = 0;
    uint64_t before;
    child->parent = sys_getpid();
    block_signals(&before);
    long pid = start(child);
    if (pid > 0) {
        while (sys_call(SYS_wait4, pid, &status, (long)(unsigned)__WCLONE, 0) == -EINTR) {
        }
    }
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    return pid < 0 ? pid : status;
}

static atomic_bool table_is_shared;

void apart_shares_table(void) { atomic_store(&table_is_shared, true); }

/* Since glibc 2.32: nonzero until libc makes the first thread. */
extern const char __libc_single_threaded __attribute__((weak));

/* Returns true if this is the only thread; no other can start meanwhile. libc's variable never
 * returns to "one thread", so ask the kernel: the links of this folder count the threads. */
static bool is_alone(void)
{
    enum { LINKS_OF_A_FOLDER = 2 };
    struct stat tasks;
    if (atomic_load(&table_is_shared)) return false;
    if (&__libc_single_threaded != NULL && __libc_single_threaded) return true;
    return guard.proc_dev != 0 && sys_fstatat(AT_FDCWD, "/proc/self/task", &tasks, 0) == 0 &&
           tasks.st_dev == guard.proc_dev && tasks.st_nlink == LINKS_OF_A_FOLDER + 1;
}

static void run_here(void (*work)(void *context), void *context)
{
    uint64_t before;
    block_signals(&before);
    work(context);
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
}

static void nothing(void *context) { (void)context; }

/* qemu's user mode makes a child with a copy of the memory, or none. Asked once. */
static bool shares_memory(void)
{
    enum { UNKNOWN, YES, NO };
    static _Atomic uint8_t known;
    uint8_t answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (LIKELY(answer != UNKNOWN)) return answer == YES;
    struct child child = {.work = nothing};
    long status = run(&child);
    answer = atomic_load(&child.done) ? YES : status == 0 || status == -EINVAL ? NO : UNKNOWN;
    atomic_store_explicit(&known, answer, memory_order_relaxed);
    return answer != NO;
}

enum apart apart_run(void (*work)(void *context), void *context, bool leaves_nothing)
{
    struct child child = {.work = work, .context = context};
    bool here = leaves_nothing && is_alone();
    long status = 0;
    int state;
    if (!here && !shares_memory()) return APART_IMPOSSIBLE;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    if (here)
        run_here(work, context);
    else
        status = run(&child);
    int error = errno;
    pthread_setcancelstate(state, NULL);
    errno = error;
    if (here || LIKELY(atomic_load(&child.done))) return APART_DONE;
    /* The child crashed, so the program must crash too, as it would without the guard. */
    if (status > 0 && WIFSIGNALED((int)status) && WTERMSIG((int)status) != SIGKILL)
        sys_call(SYS_tgkill, sys_getpid(), sys_call(SYS_gettid), WTERMSIG((int)status));
    return APART_FAILED;
}
