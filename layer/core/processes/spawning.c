/* Doors of spawning: libc's ways to start a program that fork and execute inside libc. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* <wordexp.h> declares the door with a type of its own. */
#define WRDE_NOCMD   4
#define WRDE_NOSPACE 1

#include "files/streams.h"
#include "processes/actions.h"
#include "support/copied.h"
#include "processes/launch.h"
#include "support/lock.h"
#include "processes/processes.h"
#include "support/sys.h"
#include "events/events.h"
#include "files/files.h"

#define STREAMS         64
#define ANY_MODE_LENGTH 8

typedef int spawn_function(int *, const char *, const posix_spawn_file_actions_t *,
                           const posix_spawnattr_t *, char *const *, char *const *);

/* ---- posix_spawn ---- */

/* A file that is not a program is an error here, as in glibc since 2.15, which tries no shell. */
static int spawn(spawn_function *function, int *pid, const struct path *path, bool search,
                 const struct copied_actions *given, const posix_spawnattr_t *attributes,
                 const struct words *argv, const struct words *envp, const void *caller)
{
    int saved = errno;
    struct actions actions;
    int error = actions_prepare(&actions, given, caller);
    if (error != 0) return errno = error;
    struct launch_request request = {.dirfd = actions.folder,
                                     .path = path,
                                     .search = search,
                                     .argv = argv,
                                     .envp = envp,
                                     .above = actions.highest,
                                     .caller = caller};
    struct launch *launch = launch_prepare(&request);
    if (launch == NULL) {
        error = errno;
    } else {
        /* A name relative to a folder that the child enters first means the same to libc as it does
         * here. */
        error = function(pid, launch->path, actions_list(&actions), attributes, launch->argv,
                         launch->envp);
        launch_free(launch);
    }
    actions_free(&actions);
    /* glibc leaves the error in errno too, and Java reads it there. */
    errno = error != 0 ? error : saved;
    return error;
}

#define SPAWN(symbol, function, search)                                                            \
    static int judged_##symbol(int *pid, const struct path *path,                                  \
                               const struct copied_actions *actions,                               \
                               const posix_spawnattr_t *attributes, const struct words *argv,      \
                               const struct words *envp, const void *caller)                       \
    {                                                                                              \
        return spawn(function, pid, path, search, actions, attributes, argv, envp, caller);        \
    }

SPAWN(posix_spawn, real.posix_spawn, false)
SPAWN(posix_spawnp, real.posix_spawn, true)
SPAWN(pidfd_spawn, real.pidfd_spawn, false)
SPAWN(pidfd_spawnp, real.pidfd_spawn, true)

/* ---- system ---- */

/* `/bin/sh -c -- command`, with these file actions. 0 or the error. */
static int spawn_shell(pid_t *pid, const char *command, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, const void *caller)
{
    static char shell[] = "sh", option[] = "-c", end[] = "--";
    char *argv[] = {shell, option, end, (char *)(uintptr_t)command, NULL};
    struct path path = copied_own("/bin/sh");
    COPY_ACTIONS(own, actions);
    COPY_WORDS(words, argv);
    COPY_WORDS(variables, environ);
    int error = own.error ? own.error : words.error ? words.error : variables.error;
    return error ? error
                 : spawn(real.posix_spawn, pid, &path, false, &own, attributes, &words, &variables,
                         caller);
}

/* Calls of system() that run at the same time share what it changes in the process. */
LOCK(system_lock);
static unsigned system_count;
static struct sigaction system_interrupt, system_quit;

static int run_shell(const char *command, const void *caller)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t block, before, defaults;
    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, &before);
    if (!lock_take(&system_lock)) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        errno = EAGAIN;
        return -1;
    }
    if (system_count++ == 0) {
        sigaction(SIGINT, &ignore, &system_interrupt);
        sigaction(SIGQUIT, &ignore, &system_quit);
    }
    sigemptyset(&defaults);
    if (system_interrupt.sa_handler != SIG_IGN) sigaddset(&defaults, SIGINT);
    if (system_quit.sa_handler != SIG_IGN) sigaddset(&defaults, SIGQUIT);
    lock_give(&system_lock);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &before);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    pid_t pid = 0;
    int status = -1;
    int error = spawn_shell(&pid, command, NULL, &attributes, caller);
    posix_spawnattr_destroy(&attributes);
    if (error == 0) {
        long waited;
        do waited = sys_call(SYS_wait4, pid, &status, 0, NULL);
        while (waited == -EINTR);
        if (waited != pid) {
            status = -1;
            error = (int)-waited;
        }
    }
    bool locked = lock_take(&system_lock);
    if (--system_count == 0) {
        sigaction(SIGINT, &system_interrupt, NULL);
        sigaction(SIGQUIT, &system_quit, NULL);
    }
    if (locked) lock_give(&system_lock);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (error == ENOENT) return 127 << 8; /* no shell: as if it had said so itself */
    if (error != 0) errno = error;
    return status;
}

/* libc's own would start the shell with an environment without the guard. */
DOOR int system(const char *command)
{
    if (!guard_ready() || launch_is_free()) return real.system(command);
    if (command == NULL) return run_shell("exit 0", CALLER()) == 0;
    return run_shell(command, CALLER());
}

/* ---- popen ---- */

/* Streams whose process this door must wait for. A stream that was closed by fclose keeps its slot
 * until libc reuses its address. The pointer is only compared, and the fd counts as ours only while
 * it is the pipe that we made. */
static struct {
    _Atomic(FILE *) stream;
    pid_t pid;
    int fd;
    ino_t pipe;
} streams[STREAMS];

static const FILE taken; /* its address marks a place that is being filled */

static int claim_stream(void)
{
    for (int i = 0; i < STREAMS; i++) {
        FILE *none = NULL;
        if (atomic_compare_exchange_strong(&streams[i].stream, &none, (FILE *)(uintptr_t)&taken))
            return i;
    }
    return -1;
}

static int find_stream(FILE *stream)
{
    for (int i = 0; i < STREAMS; i++)
        if (atomic_load(&streams[i].stream) == stream) return i;
    return -1;
}

/* Open streams of popen are not passed to the shell of the next one (POSIX). */
static int close_others(posix_spawn_file_actions_t *actions, int kept)
{
    int error = 0;
    for (int i = 0; i < STREAMS && error == 0; i++) {
        FILE *other = atomic_load(&streams[i].stream);
        if (other == NULL || other == &taken) continue;
        struct stat status;
        int fd = streams[i].fd;
        bool same = sys_fstat(fd, &status) == 0 && status.st_ino == streams[i].pipe &&
                    S_ISFIFO(status.st_mode);
        if (same && fd > 2 && fd != kept) error = posix_spawn_file_actions_addclose(actions, fd);
    }
    return error;
}

static FILE *open_process(const char *command, bool reads, bool keeps, const void *caller)
{
    int ends[2];
    long made = sys_call(SYS_pipe2, ends, O_CLOEXEC);
    if (made < 0) return errno = (int)-made, NULL;
    int ours = reads ? ends[0] : ends[1], theirs = reads ? ends[1] : ends[0];
    int place = claim_stream();
    FILE *stream = NULL;
    posix_spawn_file_actions_t actions;
    int error = place < 0 ? EMFILE : posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        /* A pipe end that is already the fd it must become would keep its close-on-exec mark in
         * older libcs. */
        int standard = reads ? 1 : 0;
        if (theirs == standard) {
            int other = sys_copy_above(theirs, 3);
            if (other < 0) error = -other;
            if (other >= 0) {
                sys_close(theirs);
                theirs = other;
            }
        }
        if (error == 0) error = close_others(&actions, theirs);
        if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, theirs, standard);
        if (error == 0) {
            stream = streams_open(ours, reads ? "r" : "w");
            if (stream == NULL) error = errno;
            ours = stream != NULL ? fileno(stream) : -1;
        }
        if (error == 0) error = spawn_shell(&streams[place].pid, command, &actions, NULL, caller);
        posix_spawn_file_actions_destroy(&actions);
    }
    sys_close(theirs);
    if (error != 0) {
        if (stream != NULL)
            fclose(stream);
        else
            sys_close(ours);
        if (place >= 0) atomic_store(&streams[place].stream, NULL);
        errno = error;
        return NULL;
    }
    if (keeps) sys_call(SYS_fcntl, ours, F_SETFD, 0);
    struct stat status;
    streams[place].fd = ours;
    streams[place].pipe = sys_fstat(ours, &status) == 0 ? status.st_ino : 0;
    int stale = find_stream(stream);
    if (stale >= 0) atomic_store(&streams[stale].stream, NULL);
    atomic_store(&streams[place].stream, stream);
    return stream;
}

static FILE *judged_popen(const char *command, const struct path *copied_mode, const void *caller)
{
    const char *mode = copied_mode->text;
    bool reads = false, writes = false, closes = false;
    for (const char *at = mode; *at != '\0'; at++) {
        if (*at == 'r')
            reads = true;
        else if (*at == 'w')
            writes = true;
        else if (*at == 'e')
            closes = true;
        else
            reads = writes = true;
        if (at - mode > ANY_MODE_LENGTH) reads = writes = true;
        if (reads && writes) break;
    }
    if (reads == writes) return errno = EINVAL, NULL;
    return open_process(command, reads, !closes, caller);
}

DOOR int pclose(FILE *stream)
{
    int place = find_stream(stream);
    if (place < 0) return real.pclose(stream);
    pid_t pid = streams[place].pid;
    atomic_store(&streams[place].stream, NULL);
    fclose(stream);
    int status = -1;
    long waited;
    do waited = sys_call(SYS_wait4, pid, &status, 0, NULL);
    while (waited == -EINTR);
    if (waited == pid) return status;
    errno = (int)-waited;
    return -1;
}

/* ---- what libc starts with an environment that we cannot reach ---- */

/* Reports. Returns true if the child may not start: errno is EACCES then. */
static bool refuses_unguarded(const char *what, const char *arguments, const void *caller)
{
    if (launch_is_free()) return false;
    struct fs_verdict verdict = processes_decide("/bin/sh", caller);
    struct fs_verdict integrity = guard_integrity();
    if (verdict.mode != FS_BLOCK && integrity.mode == FS_BLOCK) {
        verdict = integrity;
        verdict.reason = FS_STATIC;
    }
    struct act act = {.ring = RING_LIBC,
                      .family = FS_PROCESS,
                      .verb = what,
                      .path = "/bin/sh",
                      .arguments = arguments,
                      .caller = caller};
    if (verdict.mode == FS_BLOCK || !processes_is_shown(act.path))
        events_report(&act, &verdict, NULL, 0);
    if (verdict.mode == FS_BLOCK) errno = EACCES;
    return verdict.mode == FS_BLOCK;
}

/* Words that can list a folder: by wildcards of their own, or of a variable that they name. */
static bool can_list(const char *words)
{
    static const char wildcards[] = "*?[";
    if (strpbrk(words, wildcards) != NULL) return true;
    if (strchr(words, '$') == NULL) return false;
    for (char **at = environ; at != NULL && *at != NULL; at++)
        if (strpbrk(*at, wildcards) != NULL) return true;
    return strpbrk(words, "=:") != NULL; /* ${name:=word} makes the value here */
}

/* $((…)) is arithmetic, unless it is a command that begins with a bracket: that one WRDE_NOCMD
 * stops without an event. */
static bool has_command(const char *words)
{
    if (strchr(words, '`') != NULL) return true;
    for (const char *at = words; (at = strstr(at, "$(")) != NULL; at += 2) {
        if (at[2] != '(') return true;
        at++;
    }
    return false;
}

enum { WORDS_MAX = 1 << 17 }; /* what the kernel takes as one argument */

static int expand(const char *words, void *result, int flags, const void *caller)
{
    if (has_command(words)) {
        if ((flags & WRDE_NOCMD) == 0 && refuses_unguarded("execute", words, caller))
            flags |= WRDE_NOCMD;
    } else if (guard_integrity().mode == FS_BLOCK) {
        flags |= WRDE_NOCMD; /* a command that begins with a bracket */
    }
    if (!guard_ignores(FS_TMP) && can_list(words)) {
        struct judged judged;
        struct path tmp = copied_own("/tmp");
        (void)files_judge_path(AT_FDCWD, &tmp, O_RDONLY | O_DIRECTORY, &judged, caller);
        judged.verb = "list";
        /* No alert, which would be a guess: the words show what can happen, not what does. */
        if (judged.verdict.mode == FS_BLOCK && files_refuse(&judged, caller)) return WRDE_NOSPACE;
    }
    return real.wordexp(words, result, flags);
}

/* libc lists folders and starts shells internally, where no door sees it. Where a rule watches
 * that, commands and wildcards are refused. */
DOOR int wordexp(const char *words, void *result, int flags)
{
    if (!guard_ready() || launch_is_free()) return real.wordexp(words, result, flags);
    char *copy = sys_scratch(WORDS_MAX);
    long size = copy ? copied_string(copy, words, WORDS_MAX) : WORDS_MAX;
    int answer = WRDE_NOSPACE;
    if (size >= 0 && size < WORDS_MAX)
        answer = expand(COPIED_BY_HAND(copy, words), result, flags, CALLER());
    else
        errno = size < 0 ? EFAULT : E2BIG;
    sys_scratch_free(copy, WORDS_MAX);
    return answer;
}

#include "doors_spawning.gen.h"
