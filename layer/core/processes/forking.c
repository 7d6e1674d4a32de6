/* Doors that fork. */
#include "processes/forking.h"

#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cpython/attach.h"
#include "libc/symbols.h"
#include "guard/callers.h"
#include "guard/passes.h"
#include "network/first_bytes/inspect.h"
#include "network/names/apart.h"
#include "processes/processes.h"
#include "support/sys.h"
#include "v8/javascript.h"
#include "events/events.h"

#define NAMESPACES                                                                                 \
    (0x02000000ul /* CGROUP */ | 0x04000000ul /* UTS */ | 0x08000000ul /* IPC */ |                 \
     0x10000000ul /* USER */ | 0x20000000ul /* PID */ | 0x40000000ul /* NET */ |                   \
     0x00020000ul /* NEWNS */)

enum forking { FORK_REFUSED, FORK_PASSES, FORK_PROBATION };

/* libuv forks in one place, and only to execute. Letting its child get to the exec puts the
 * program's name and arguments into the event. JavaScript cannot make it do anything else. */
static bool is_libuv(const char *name)
{
    if (name[0] == '\0') return strcmp(guard_program_name, "node") == 0;
    return strncmp(name, "libuv.so.", 9) == 0 || strncmp(name, "libnode.so.", 11) == 0;
}

/* Before Python 3.10, this module starts programs by a fork. */
static bool is_subprocess(const char *name) { return strncmp(name, "_posixsubprocess.", 17) == 0; }

/* `executes`: it was to start a program, whose name is not known yet. */
static void report_refused(const struct fs_verdict *verdict, bool executes, const void *caller)
{
    struct act act = {.ring = RING_LIBC,
                      .family = FS_PROCESS,
                      .verb = executes ? "execute" : "fork",
                      .caller = caller};
    processes_report_blocked(&act, verdict);
    errno = EACCES;
}

/* `flags` of clone: with CLONE_VFORK the child may only execute, so that an alert can wait for that
 * and name the program. */
static enum forking judge_fork(unsigned long flags, const void *caller)
{
    if (UNLIKELY(passes_take_fork())) return FORK_PASSES;
    struct fs_verdict verdict = processes_judge_fork(flags, caller);
    if (LIKELY(verdict.mode == FS_ALLOW && verdict.reason != FS_RULE)) return FORK_PASSES;
    struct symbols_object object;
    const char *slash, *name = "none";
    if (symbols_object_of(caller, &object)) {
        slash = strrchr(object.path, '/');
        name = slash != NULL ? slash + 1 : object.path;
    }
    bool executes = (flags & CLONE_VFORK) != 0, libuv = is_libuv(name);
    /* The child cannot ask Python or V8 who its caller is. What was kept before goes with the fork.
     */
    if (guard.interpreted && (executes || libuv) && !guard_runs_covered) {
        struct act act = {.ring = RING_LIBC, .family = FS_PROCESS, .caller = caller};
        (void)interpreter_origin(&act);
    }
    if (verdict.mode == FS_BLOCK) {
        if ((processes_have_exceptions() || libuv) && !guard_on_probation()) return FORK_PROBATION;
        report_refused(&verdict, executes || libuv || is_subprocess(name), caller);
        return FORK_REFUSED;
    }
    /* With exceptions, the child's exec tells whether there is anything to report; what it does
     * instead is reported as a network connection or a file would be. */
    if (!executes && !libuv && !processes_is_shown(NULL) &&
        (verdict.mode == FS_ALLOW || !processes_have_exceptions())) {
        (void)events_report_path(FS_PROCESS, &verdict, "fork", NULL, caller);
    }
    return FORK_PASSES;
}

static __thread uint8_t forking
    __attribute__((tls_model("initial-exec"))); /* enum forking + 1, 0: nothing */

/* Reports if necessary. Sets EACCES if refused. */
static enum forking ask(unsigned long flags, const void *caller)
{
    enum forking answer = FORK_REFUSED;
    attach_forks();
    if (UNLIKELY(callers_matter)) callers_fork(caller);
    if (LIKELY(inspect_sharing_begins()))
        answer = judge_fork(flags, caller);
    else
        errno = EAGAIN;
    forking = answer == FORK_REFUSED ? 0 : (uint8_t)(answer + 1);
    if (answer == FORK_REFUSED) inspect_sharing_ends();
    return answer;
}

static void begin_child(enum forking answer)
{
    forking = 0;
    processes_forget_refusal();
    attach_forked();
    javascript_forked();
    guard_after_fork(answer == FORK_PROBATION);
}

/* In the child, within libc's fork, before other code's handlers (pthread_atfork): their acts are
 * the child's, and they must not meet locks of threads that the child does not have. */
static void begin_child_within(void)
{
    int error = errno;
    begin_child(forking == 0 ? FORK_PASSES : (enum forking)(forking - 1));
    errno = error;
}

extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);

void forking_start(void) { (void)__register_atfork(NULL, NULL, begin_child_within, NULL); }

/* After what forks, where it was not refused. */
static long forked(long pid, enum forking answer)
{
    int error = errno;
    bool begins = pid == 0 && forking != 0;
    forking = 0;
    if (begins) begin_child(answer);
    if (pid != 0) inspect_sharing_ends();
    errno = error;
    return pid;
}

#define FORK(flags, call)                                                                          \
    if (!guard_ready()) return call;                                                               \
    enum forking answer = ask(flags, CALLER());                                                    \
    if (answer == FORK_REFUSED) return -1;                                                         \
    return (pid_t)forked(call, answer)

DOOR pid_t fork(void) { FORK(0, real.fork()); }
/* A plain fork, because a child that shares the parent's memory could not be told from it. */
DOOR pid_t vfork(void) { FORK(CLONE_VFORK, real.fork()); }
extern pid_t _Fork(void);
DOOR pid_t _Fork(void) { FORK(0, real._Fork()); }

DOOR int daemon(int stay, int keep)
{
    if (!guard_ready()) return real.daemon(stay, keep);
    enum forking answer = ask(0, CALLER());
    if (answer == FORK_REFUSED) return -1;
    int before = sys_getpid();
    int result = real.daemon(stay, keep);
    forked(sys_getpid() == before, answer);
    return result;
}

extern pid_t forkpty(int *, char *, const struct termios *, const struct winsize *);
DOOR pid_t forkpty(int *terminal, char *name, const struct termios *settings,
                   const struct winsize *size)
{
    (void)SYMBOLS_HAVE(forkpty); /* older glibc has it in libutil */
    FORK(0, real.forkpty(terminal, name, settings, size));
}

/* Flags that require shared memory. */
#define SHARED ((unsigned long)(CLONE_VM | CLONE_SIGHAND | CLONE_VFORK | CLONE_FILES))

struct clone_start {
    int (*function)(void *);
    void *argument;
    enum forking answer;
};

/* Refuses a process that would share this one's fds but not its memory: its guard would not know
 * about changes to those fds. */
static bool refuses_shared_fds(unsigned long flags, const void *caller)
{
    return (flags & (CLONE_FILES | CLONE_VM)) == CLONE_FILES &&
           integrity_refused("share fds with", "clone", caller);
}

/* Notes a thread or process that shares this one's fd table, or shares the memory but has a table
 * of its own, which /proc/self/fd does not show. Returns true for the child of a vfork, which ends
 * before its parent goes on. The kernel does not report the end of any other. */
static bool parts_fds(unsigned long flags)
{
    if ((flags & CLONE_FILES) != 0) apart_shares_table();
    if ((flags & (CLONE_FILES | CLONE_VM)) != CLONE_VM) return false;
    pending_move_begins();
    return (flags & CLONE_VFORK) != 0;
}

/* Runs in the child, on a copy of the parent's memory: `start` lies in the parent's frame as it
 * was. */
static int start_clone(void *start_)
{
    struct clone_start start = *(struct clone_start *)start_;
    begin_child(start.answer);
    return start.function(start.argument);
}

DOOR int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
    va_list rest;
    va_start(rest, argument);
    pid_t *parent_tid = va_arg(rest, pid_t *);
    void *tls = va_arg(rest, void *);
    pid_t *child_tid = va_arg(rest, pid_t *);
    va_end(rest);
    if (!guard_ready() || (flags & CLONE_THREAD) != 0) {
        (void)parts_fds((unsigned)flags);
        return real.clone(function, stack, flags, argument, parent_tid, tls, child_tid);
    }
    if (((unsigned long)(unsigned)flags & NAMESPACES) != 0 &&
        integrity_refused("make a namespace with", "clone", CALLER()))
        return -1;
    if (refuses_shared_fds((unsigned)flags, CALLER())) return -1;
    enum forking answer = ask((unsigned)flags, CALLER());
    if (answer == FORK_REFUSED) return -1;
    /* Probation needs a process with memory of its own. If the child is not on probation, shared
     * memory stays shared. */
    if ((flags & CLONE_VM) != 0 && answer != FORK_PROBATION) {
        bool waits = parts_fds((unsigned)flags);
        int pid = real.clone(function, stack, flags, argument, parent_tid, tls, child_tid);
        if (waits) pending_moves_unseen();
        return (int)forked(pid == 0 ? -1 : pid, answer);
    }
    flags &= ~(int)SHARED;
    struct clone_start start = {.function = function, .argument = argument, .answer = answer};
    return (int)forked(real.clone(start_clone, stack, flags, &start, parent_tid, tls, child_tid),
                       answer);
}

/* `also`: flags by which it is judged as well. */
static enum forking ask_raw(unsigned long flags, unsigned long also, const void *caller)
{
    if ((flags & NAMESPACES) != 0 && integrity_refused("make a namespace with", "clone", caller))
        return FORK_REFUSED;
    if (refuses_shared_fds(flags, caller)) return FORK_REFUSED;
    return ask(flags | also, caller);
}

/* Without a stack of its own, the child would run on the waiting parent's stack and return from
 * this frame first. So it gets memory of its own. */
long forking_raw_clone(unsigned long flags, int *parent_tid, int *child_tid, unsigned long tls,
                       const void *caller)
{
    enum forking answer = ask_raw(flags, 0, caller);
    if (answer == FORK_REFUSED) return -1;
#if defined(__x86_64__)
    long pid = sys_call(SYS_clone, flags & ~SHARED, NULL, parent_tid, child_tid, tls);
#else
    long pid = sys_call(SYS_clone, flags & ~SHARED, NULL, parent_tid, tls, child_tid);
#endif
    return SYS_RESULT(forked(pid, answer));
}

long forking_raw_clone3(uint64_t *flags, void *arguments, size_t size, const void *caller)
{
    enum forking answer = ask_raw(*flags, 0, caller);
    if (answer == FORK_REFUSED) return -1;
    *flags &= ~(uint64_t)SHARED;
    long pid = sys_call(435 /* clone3 */, arguments, size);
    return SYS_RESULT(forked(pid, answer));
}

void forking_parts(unsigned long flags) { (void)parts_fds(flags); }

long forking_judges_raw_clone(unsigned long flags, const void *caller)
{
    /* None of our code can run in the child, which is as if it shared the memory. */
    enum forking answer = ask_raw(flags, CLONE_VM, caller);
    if (answer == FORK_PROBATION) {
        struct fs_verdict verdict = processes_judge_fork(CLONE_VM, caller);
        report_refused(&verdict, false, caller);
    }
    forking = 0;
    if (answer != FORK_REFUSED) inspect_sharing_ends(); /* the child begins when this is left */
    if (answer == FORK_PASSES) forking_parts(flags);
    return answer == FORK_PASSES ? 0 : -1;
}

#include "doors_forking.gen.h"
