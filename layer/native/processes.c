/* Doors of processes: fork and execute. */
#include "inspect.h"
#include "processes.h"

#include "interpreter.h"

#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "state.h"
#include "symbols.h"
#include "sys.h"

#define NAMESPACES                                                                                              \
    (0x02000000ul /* CGROUP */ | 0x04000000ul /* UTS */ | 0x08000000ul /* IPC */ | 0x10000000ul /* USER */ |      \
     0x20000000ul /* PID */ | 0x40000000ul /* NET */ | 0x00020000ul /* NEWNS */)
#define MAX_ARGUMENTS 65536
#define FALL_BACK_NS 20000000

/* This thread's last refusal. */
static __thread struct {
    uint64_t object;
    struct timespec at;
} last_refusal __attribute__((tls_model("initial-exec")));

/* ---- judging ---- */

bool processes_resolve(int fd, char *resolved)
{
    char link[48];
    struct stat here, there;
    fs_program_descriptor_path(fd, link);
    long size = sys_readlinkat(AT_FDCWD, link, resolved, PATH_MAX - 1);
    resolved[size > 0 ? size : 0] = '\0';
    if (size <= 0 || resolved[0] != '/' || sys_fstat(fd, &here) != 0) return false;
    return here.st_nlink > 0 && sys_fstatat(AT_FDCWD, resolved, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

struct fs_verdict processes_decide(const char *resolved)
{
    struct fs_verdict verdict = {.mode = FS_ALLOW, .policy_mode = FS_ALLOW, .reason = FS_ALWAYS, .rule = UINT32_MAX};
    if (guard.is_wrapper || guard_ignores(FS_PROCESS)) return verdict;
    struct fs_request request = {.family = FS_PROCESS, .path = resolved, .facts = &guard.facts};
    verdict = guard_decide(&request);
    if (resolved == NULL && verdict.mode != FS_ALLOW) verdict.reason = FS_MALFORMED;
    return verdict;
}

bool processes_is_shown(void) { return guard_covered() || guard_noted(FS_PROCESS, NULL); }

void processes_report_blocked(const char *path, const char *arguments, const struct fs_verdict *verdict, const void *caller)
{
    struct timespec now;
    uint64_t object = guard_object_hash(path);
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t since = (int64_t)(now.tv_sec - last_refusal.at.tv_sec) * 1000000000 + (now.tv_nsec - last_refusal.at.tv_nsec);
    if (last_refusal.object == object && since >= 0 && since < FALL_BACK_NS) {
        last_refusal.object = 0; /* one fall-back, and no more */
        return;
    }
    last_refusal.object = object;
    last_refusal.at = now;
    struct guard_act act = {.ring = RING_LIBC, .family = FS_PROCESS, .path = path, .arguments = arguments, .caller = caller};
    act.verb = path != NULL ? "execute" : "fork";
    guard_report(&act, verdict, NULL, 0);
}

/* Some executable may run: a fork can then be the first half of starting it. */
static bool has_exceptions(void)
{
    static atomic_int known; /* 0: not counted yet, 1: none, 2: some */
    int state = atomic_load_explicit(&known, memory_order_relaxed);
    if (state != 0) return state == 2;
    state = 1;
    const struct fs_policy *policies[] = {guard.policy, guard.floor};
    for (unsigned i = 0; i < 2; i++) {
        if (policies[i] == NULL) continue;
        struct fs_section section = policies[i]->sections[FS_SECTION_PATHS];
        uint64_t end = (uint64_t)section.offset + (uint64_t)section.count * sizeof(struct fs_path);
        if (end > policies[i]->size) continue;
        const struct fs_path *paths = (const struct fs_path *)(const void *)((const char *)policies[i] + section.offset);
        for (uint32_t at = 0; at < section.count; at++)
            if (paths[at].family == FS_PROCESS) state = 2;
    }
    atomic_store_explicit(&known, state, memory_order_relaxed);
    return state == 2;
}

static struct fs_verdict fork_verdict(void)
{
    struct fs_verdict verdict = processes_decide(NULL);
    if (verdict.reason == FS_MALFORMED) verdict.reason = FS_NO_RULE;
    return verdict;
}

/* For the interpreter ring: a fork that the child's exec decides is allowed here. */
struct fs_verdict processes_judge_fork(void)
{
    /* Exceptions name programs. A fork that Python asks for by itself goes on as a copy of the function, and is none; the
     * one beneath an allowed subprocess is asked for by no event, and its child is on probation until it executes. */
    return fork_verdict();
}

struct fs_verdict processes_judge(const char *path, bool search, const char *environment_path, char *resolved)
{
    char named[PATH_MAX];
    int error = errno;
    resolved[0] = '\0';
    int fd = launch_open(AT_FDCWD, path, 0, search, environment_path, named);
    if (fd < 0) {
        /* It will not start, but somebody tried: judged by the name. */
        size_t size = strnlen(path, PATH_MAX - 1);
        memcpy(resolved, path, size);
        resolved[size] = '\0';
        errno = error;
        return processes_decide(resolved);
    }
    bool has_name = processes_resolve(fd, resolved);
    struct fs_verdict verdict = processes_decide(has_name ? resolved : NULL);
    struct fs_verdict integrity = guard_integrity();
    if (verdict.mode != FS_BLOCK && integrity.mode == FS_BLOCK) {
        struct fs_program program;
        const char *sentence = fs_program_check_object(fd, false, &program);
        if (program.fd >= 0) sys_close(program.fd);
        if ((sentence != NULL && program.error == 0) || !has_name) {
            verdict = integrity;
            verdict.reason = FS_STATIC;
        }
    }
    sys_close(fd);
    errno = error;
    return verdict;
}

/* ---- fork ---- */

/* libuv forks in one place, and only to execute: letting its child go as far as that puts the program's name and arguments
 * into the event. Nothing in JavaScript can make it do otherwise. */
static bool is_libuv(const void *caller)
{
    struct symbols_object object;
    if (!symbols_object_of(caller, &object)) return false;
    if (object.path[0] == '\0') return strcmp(guard_program_name, "node") == 0;
    const char *name = strrchr(object.path, '/');
    name = name != NULL ? name + 1 : object.path;
    return strncmp(name, "libuv.so.", 9) == 0 || strncmp(name, "libnode.so.", 11) == 0;
}

static enum processes_fork judge_fork(bool executes, const void *caller)
{
    if (UNLIKELY(interpreter_passes_fork())) return FORK_PASSES;
    struct fs_verdict verdict = fork_verdict();
    if (LIKELY(verdict.mode == FS_ALLOW)) return FORK_PASSES;
    bool libuv = is_libuv(caller);
    if (verdict.mode == FS_BLOCK) {
        if ((has_exceptions() || libuv) && !guard_on_probation()) return FORK_PROBATION;
        processes_report_blocked(NULL, NULL, &verdict, caller);
        errno = EACCES;
        return FORK_REFUSED;
    }
    /* With exceptions, the child's exec tells whether there is anything to report; what it does instead is reported as a
     * network connection or a file would be. */
    if (!executes && !libuv && !processes_is_shown() && !has_exceptions()) {
        struct guard_act act = {.ring = RING_LIBC, .family = FS_PROCESS, .verb = "fork", .caller = caller};
        guard_report(&act, &verdict, NULL, 0);
    }
    return FORK_PASSES;
}

enum processes_fork processes_ask_fork(bool executes, const void *caller)
{
    inspect_sharing_begins();
    enum processes_fork answer = judge_fork(executes, caller);
    if (answer == FORK_REFUSED) inspect_sharing_ends();
    return answer;
}

static void begin_child(enum processes_fork answer)
{
    last_refusal.object = 0;
    guard_after_fork(answer == FORK_PROBATION);
}

/* After what forks, where it was not refused. */
static long forked(long pid, enum processes_fork answer)
{
    int error = errno;
    if (pid == 0)
        begin_child(answer);
    else
        inspect_sharing_ends();
    errno = error;
    return pid;
}

DOOR pid_t fork(void)
{
    if (!guard_ready()) return real.fork();
    enum processes_fork answer = processes_ask_fork(false, CALLER());
    if (answer == FORK_REFUSED) return -1;
    return (pid_t)forked(real.fork(), answer);
}

/* A fork: a child that shares our memory could not be told apart from us. */
DOOR pid_t vfork(void)
{
    if (!guard_ready()) return real.fork();
    enum processes_fork answer = processes_ask_fork(true, CALLER());
    if (answer == FORK_REFUSED) return -1;
    return (pid_t)forked(real.fork(), answer);
}

extern pid_t _Fork(void);
DOOR pid_t _Fork(void)
{
    if (!real._Fork) {
        errno = ENOSYS; /* glibc before 2.34 */
        return -1;
    }
    if (!guard_ready()) return real._Fork();
    enum processes_fork answer = processes_ask_fork(false, CALLER());
    if (answer == FORK_REFUSED) return -1;
    return (pid_t)forked(real._Fork(), answer);
}

DOOR int daemon(int stay, int keep)
{
    if (!guard_ready()) return real.daemon(stay, keep);
    enum processes_fork answer = processes_ask_fork(false, CALLER());
    if (answer == FORK_REFUSED) return -1;
    int before = sys_getpid();
    int result = real.daemon(stay, keep);
    forked(sys_getpid() == before, answer);
    return result;
}

extern pid_t forkpty(int *, char *, const struct termios *, const struct winsize *);
DOOR pid_t forkpty(int *terminal, char *name, const struct termios *settings, const struct winsize *size)
{
    if (!real.forkpty) {
        errno = ENOSYS; /* older glibc has it in libutil, which is not loaded */
        return -1;
    }
    if (!guard_ready()) return real.forkpty(terminal, name, settings, size);
    enum processes_fork answer = processes_ask_fork(false, CALLER());
    if (answer == FORK_REFUSED) return -1;
    return (pid_t)forked(real.forkpty(terminal, name, settings, size), answer);
}

/* What goes with the memory. */
#define SHARED ((unsigned long)(CLONE_VM | CLONE_VFORK | CLONE_FILES))

struct clone_start {
    int (*function)(void *);
    void *argument;
    enum processes_fork answer;
};

/* Threads and processes of one memory that have descriptors of their own: what the folder says of ours is not all there is.
 * While one lives; that of a vfork lives until we go on, and of others the end is not told. Descriptors without the memory
 * would be used by a process that knows nothing of them. */
static bool refuses_descriptors(unsigned long flags, const void *caller)
{
    return (flags & (CLONE_FILES | CLONE_VM)) == CLONE_FILES && integrity_refused("share descriptors with", "clone", caller);
}

/* True where it begins, and ends when we go on. */
static bool parts_descriptors(unsigned long flags)
{
    if ((flags & (CLONE_FILES | CLONE_VM)) != CLONE_VM) return false;
    pending_move_begins();
    return (flags & CLONE_VFORK) != 0;
}

/* Runs in the child, on a copy of the parent's memory: `start` lies in the parent's frame as it was. */
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
        (void)parts_descriptors((unsigned)flags);
        return real.clone(function, stack, flags, argument, parent_tid, tls, child_tid);
    }
    if (((unsigned long)(unsigned)flags & NAMESPACES) != 0 && integrity_refused("make a namespace with", "clone", CALLER()))
        return -1;
    if (refuses_descriptors((unsigned)flags, CALLER())) return -1;
    enum processes_fork answer = processes_ask_fork((flags & CLONE_VFORK) != 0, CALLER());
    if (answer == FORK_REFUSED) return -1;
    /* Probation belongs to a process with memory of its own. Where nothing hangs on it, shared memory stays shared. */
    if ((flags & CLONE_VM) != 0 && answer != FORK_PROBATION) {
        bool waits = parts_descriptors((unsigned)flags);
        int pid = real.clone(function, stack, flags, argument, parent_tid, tls, child_tid);
        if (waits) pending_move_ends();
        return (int)forked(pid == 0 ? -1 : pid, answer);
    }
    flags &= ~(int)SHARED;
    struct clone_start start = {.function = function, .argument = argument, .answer = answer};
    return (int)forked(real.clone(start_clone, stack, flags, &start, parent_tid, tls, child_tid), answer);
}

static enum processes_fork ask_raw(unsigned long flags, const void *caller)
{
    if ((flags & NAMESPACES) != 0 && integrity_refused("make a namespace with", "clone", caller)) return FORK_REFUSED;
    if (refuses_descriptors(flags, caller)) return FORK_REFUSED;
    return processes_ask_fork((flags & CLONE_VFORK) != 0, caller);
}

/* Without a stack of its own the child would run on ours while we wait, and return from this frame first: it gets memory of
 * its own. */
long processes_raw_clone(unsigned long flags, int *parent_tid, int *child_tid, unsigned long tls, const void *caller)
{
    enum processes_fork answer = ask_raw(flags, caller);
    if (answer == FORK_REFUSED) return -1;
#if defined(__x86_64__)
    long pid = sys_call(SYS_clone, flags & ~SHARED, NULL, parent_tid, child_tid, tls);
#else
    long pid = sys_call(SYS_clone, flags & ~SHARED, NULL, parent_tid, tls, child_tid);
#endif
    return SYS_RESULT(forked(pid, answer));
}

long processes_raw_clone3(uint64_t *flags, void *arguments, size_t size, const void *caller)
{
    enum processes_fork answer = ask_raw(*flags, caller);
    if (answer == FORK_REFUSED) return -1;
    *flags &= ~(uint64_t)SHARED;
    long pid = sys_call(435 /* clone3 */, arguments, size);
    return SYS_RESULT(forked(pid, answer));
}

void processes_parts(unsigned long flags) { (void)parts_descriptors(flags); }

long processes_judge_raw_clone(unsigned long flags, const void *caller)
{
    enum processes_fork answer = ask_raw(flags, caller);
    if (answer == FORK_PROBATION) {
        struct fs_verdict verdict = fork_verdict();
        processes_report_blocked(NULL, NULL, &verdict, caller);
        errno = EACCES;
    }
    if (answer != FORK_REFUSED) inspect_sharing_ends(); /* the child begins when this is left */
    if (answer == FORK_PASSES) processes_parts(flags);
    return answer == FORK_PASSES ? 0 : -1;
}

/* ---- execute ---- */

static int execute(struct launch *launch, int dirfd, const char *name, int flags)
{
    long error;
    if (launch->by_descriptor)
        error = sys_call(SYS_execveat, dirfd, name, launch->argv, launch->envp, flags);
    else
        error = sys_call(SYS_execve, launch->path, launch->argv, launch->envp);
    launch_free(launch);
    errno = (int)-error;
    return -1;
}

static int execute_at(int dirfd, const char *path, char *const *argv, char *const *envp, int flags, const void *caller)
{
    struct launch_request request = {
        .dirfd = dirfd, .path = path, .flags = flags, .argv = argv, .envp = envp, .caller = caller};
    struct launch *launch = launch_prepare(&request);
    return launch == NULL ? -1 : execute(launch, dirfd, path, flags);
}

/* As libc's: a file that the kernel does not know how to execute is a shell script. */
static int execute_searched(const char *file, char *const *argv, char *const *envp, const void *caller)
{
    struct launch_request request = {
        .dirfd = AT_FDCWD, .path = file, .search = true, .argv = argv, .envp = envp, .caller = caller};
    char named[PATH_MAX];
    struct launch *launch = launch_prepare(&request);
    if (launch != NULL) (void)execute(launch, AT_FDCWD, file, 0);
    if (errno != ENOEXEC) return -1;
    size_t argc = 0;
    while (argv != NULL && argv[argc] != NULL) argc++;
    if (argc > MAX_ARGUMENTS) {
        errno = E2BIG;
        return -1;
    }
    int fd = launch_open(AT_FDCWD, file, 0, true, getenv("PATH"), named);
    if (fd < 0) {
        errno = -fd;
        return -1;
    }
    sys_close(fd);
    size_t size = (argc + 3) * sizeof(char *);
    long mapped = sys_call(SYS_mmap, NULL, size, 3 /* PROT_READ | PROT_WRITE */, 0x22 /* PRIVATE, ANONYMOUS */, -1, 0);
    if (mapped < 0 && mapped > -4096) {
        errno = ENOMEM;
        return -1;
    }
    char **list = (char **)mapped;
    static char shell[] = "/bin/sh";
    list[0] = shell;
    list[1] = named;
    for (size_t i = 1; i < argc; i++) list[i + 1] = argv[i];
    list[argc > 0 ? argc + 1 : 2] = NULL;
    int result = execute_at(AT_FDCWD, shell, list, envp, 0, caller);
    sys_call(SYS_munmap, list, size);
    return result;
}

DOOR int execve(const char *path, char *const *argv, char *const *envp)
{
    if (!guard_ready() || launch_is_free()) return real.execve(path, argv, envp);
    return execute_at(AT_FDCWD, path, argv, envp, 0, CALLER());
}

DOOR int execv(const char *path, char *const *argv)
{
    if (!guard_ready() || launch_is_free()) return real.execv(path, argv);
    return execute_at(AT_FDCWD, path, argv, environ, 0, CALLER());
}

DOOR int execvp(const char *file, char *const *argv)
{
    if (!guard_ready() || launch_is_free()) return real.execvp(file, argv);
    return execute_searched(file, argv, environ, CALLER());
}

DOOR int execvpe(const char *file, char *const *argv, char *const *envp)
{
    if (!guard_ready() || launch_is_free()) return real.execvpe(file, argv, envp);
    return execute_searched(file, argv, envp, CALLER());
}

/* The list of execl, execlp and execle as an array: in a mapping of its own, because a list may be long. */
struct list {
    size_t size;
    char **argv;
};

static bool read_list(struct list *out, const char *first, va_list arguments, char *const **envp)
{
    va_list counted;
    size_t count = 0;
    va_copy(counted, arguments);
    for (const char *at = first; at != NULL && count <= MAX_ARGUMENTS; count++) at = va_arg(counted, const char *);
    va_end(counted);
    out->size = (count + 1) * sizeof(char *);
    long mapped = count > MAX_ARGUMENTS
                      ? -E2BIG
                      : sys_call(SYS_mmap, NULL, out->size, 3 /* PROT_READ | PROT_WRITE */, 0x22, -1, 0);
    if (mapped < 0 && mapped > -4096) {
        errno = (int)-mapped;
        return false;
    }
    out->argv = (char **)mapped;
    const char *at = first;
    for (size_t i = 0; i < count; i++) {
        out->argv[i] = (char *)(uintptr_t)at;
        at = va_arg(arguments, const char *);
    }
    out->argv[count] = NULL;
    if (envp != NULL) *envp = va_arg(arguments, char *const *);
    return true;
}

static int finish_list(const struct list *list, int result)
{
    sys_call(SYS_munmap, list->argv, list->size);
    return result;
}

DOOR int execl(const char *path, const char *first, ...)
{
    struct list list;
    va_list rest;
    va_start(rest, first);
    bool read = read_list(&list, first, rest, NULL);
    va_end(rest);
    if (!read) return -1;
    if (!guard_ready() || launch_is_free()) return finish_list(&list, real.execv(path, list.argv));
    return finish_list(&list, execute_at(AT_FDCWD, path, list.argv, environ, 0, CALLER()));
}

DOOR int execlp(const char *file, const char *first, ...)
{
    struct list list;
    va_list rest;
    va_start(rest, first);
    bool read = read_list(&list, first, rest, NULL);
    va_end(rest);
    if (!read) return -1;
    if (!guard_ready() || launch_is_free()) return finish_list(&list, real.execvp(file, list.argv));
    return finish_list(&list, execute_searched(file, list.argv, environ, CALLER()));
}

DOOR int execle(const char *path, const char *first, ...)
{
    struct list list;
    va_list rest;
    char *const *envp = NULL;
    va_start(rest, first);
    bool read = read_list(&list, first, rest, &envp);
    va_end(rest);
    if (!read) return -1;
    if (!guard_ready() || launch_is_free()) return finish_list(&list, real.execve(path, list.argv, envp));
    return finish_list(&list, execute_at(AT_FDCWD, path, list.argv, envp, 0, CALLER()));
}

DOOR int fexecve(int fd, char *const *argv, char *const *envp)
{
    if (!guard_ready() || launch_is_free()) return real.fexecve(fd, argv, envp);
    if (fd < 0) {
        errno = EINVAL;
        return -1;
    }
    return execute_at(fd, "", argv, envp, AT_EMPTY_PATH, CALLER());
}

extern int execveat(int, const char *, char *const *, char *const *, int);
DOOR int execveat(int dirfd, const char *path, char *const *argv, char *const *envp, int flags)
{
    if (!guard_ready() || launch_is_free())
        return (int)SYS_RESULT(sys_call(SYS_execveat, dirfd, path, argv, envp, flags));
    if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) != 0) {
        errno = EINVAL;
        return -1;
    }
    return execute_at(dirfd, path, argv, envp, flags, CALLER());
}

/* A program that was executed by its descriptor has the descriptor's number for a name until Linux 6.14. Gives it the name
 * of its file, so that `ps` and the program itself see what they would see without us. */
__attribute__((constructor)) static void restore_name(void)
{
    const char *started = (const char *)getauxval(AT_EXECFN);
    static const char by_proc[] = "/proc/thread-self/fd/";
    if (started == NULL || strncmp(started, by_proc, sizeof by_proc - 1) != 0) return;
    char self[PATH_MAX];
    long size = sys_readlinkat(AT_FDCWD, "/proc/self/exe", self, sizeof self - 1);
    if (size <= 0) return;
    self[size] = '\0';
    const char *name = strrchr(self, '/');
    int fd = sys_openat(AT_FDCWD, "/proc/thread-self/comm", O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) return;
    if (name != NULL) sys_write(fd, name + 1, strlen(name + 1));
    sys_close(fd);
}

#include "aliases_processes.gen.h"
