#include "processes/launch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>

#include "files/layer.h"
#include "files/files.h"
#include "files/made.h"
#include "files/steady.h"
#include "processes/processes.h"
#include "network/first_bytes/inspect.h"
#include "support/sys.h"
#include "support/text.h"
#include "events/events.h"

#define MAX_ARGUMENTS   (1u << 20)
#define HIGH_DESCRIPTOR 600
#define PREFIX          (2 * FS_PROGRAM_DEPTH)

bool launch_is_free(void)
{
    if (guard.is_wrapper) return false; /* COMMAND is still to come */
    for (unsigned family = 0; family < FS_INTEGRITY; family++)
        if (!guard_ignores((enum fs_family)family)) return false;
    return guard_integrity().mode == FS_ALLOW;
}

bool launch_ready(void) { return guard_ready() && !launch_is_free(); }

/* ---- finding ---- */

/* Opens one candidate. -EACCES if it is not a program that this user may execute. */
static int open_candidate(int dirfd, const char *name, int flags)
{
    int follow = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? O_NOFOLLOW : 0;
    int fd;
    struct stat status;
    if (name[0] == '\0' && (flags & AT_EMPTY_PATH) != 0) {
        char link[48];
        if (dirfd == AT_FDCWD) return -EACCES;
        fs_program_fd_path(dirfd, link);
        fd = sys_openat(AT_FDCWD, link, O_PATH | O_CLOEXEC, 0);
        if (fd == -ENOENT) fd = -EBADF;
    } else {
        fd = sys_openat(dirfd, name, O_PATH | O_CLOEXEC | follow, 0);
    }
    if (fd == -EMFILE || fd == -ENFILE) {
        /* Whether this is the right candidate can be found out without an fd. */
        int gone = name[0] == '\0' ? 0 : sys_fstatat(dirfd, name, &status, 0);
        if (gone != 0) return gone;
        if (name[0] != '\0' &&
            (!S_ISREG(status.st_mode) || sys_call(SYS_faccessat, dirfd, name, 1 /* X_OK */) != 0))
            return -EACCES;
    }
    if (fd < 0) return fd;
    char link[48];
    fs_program_fd_path(fd, link);
    int error = 0;
    if (sys_fstat(fd, &status) != 0)
        error = -EACCES;
    else if (S_ISLNK(status.st_mode))
        error = -ELOOP;
    else if (!S_ISREG(status.st_mode) || sys_call(SYS_faccessat, AT_FDCWD, link, 1 /* X_OK */) != 0)
        error = -EACCES;
    if (error == 0) return fd;
    sys_close(fd);
    return error;
}

int launch_open(int dirfd, const struct path *path, int flags, bool search, const char *search_path,
                char *named)
{
    const char *name = path->text;
    size_t size = path->size;
    if (path->error != 0) return -path->error;
    if (size >= PATH_MAX) return -ENAMETOOLONG;
    if (name[0] == '\0' && (flags & AT_EMPTY_PATH) == 0) return -ENOENT;
    if (!search || strchr(name, '/') != NULL) {
        memcpy(named, name, size + 1);
        return open_candidate(dirfd, named, flags);
    }
    if (search_path == NULL) search_path = "/bin:/usr/bin";
    bool denied = false;
    for (const char *at = search_path;; at++) {
        size_t length = strcspn(at, ":");
        if (length + 1 + size + 1 <= PATH_MAX) {
            memcpy(named, at, length);
            if (length > 0) named[length] = '/';
            memcpy(named + length + (length > 0), name, size + 1);
            int fd = open_candidate(dirfd, named, flags);
            if (fd >= 0) return fd;
            if (fd == -EACCES)
                denied = true;
            else if (fd != -ENOENT && fd != -ENOTDIR && fd != -ESTALE && fd != -ENODEV &&
                     fd != -ETIMEDOUT)
                return fd;
        }
        at += length;
        if (*at == '\0') return denied ? -EACCES : -ENOENT;
    }
}

/* ---- preparing ---- */

/* The loader obeys LD_PRELOAD only if real and effective ids are equal, so no other thread may
 * change them until the program starts. glibc announces a change to each thread by this signal, and
 * waits, so blocking it prevents the change. The core of the new program unblocks it; a program
 * without a core must not be started like this. */
#define IDS_CHANGE (1ull << (33 - 1))

static void block_id_changes(struct launch *launch)
{
    const uint64_t ids = IDS_CHANGE;
    launch->holds_ids =
        sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &ids, &launch->signals, sizeof ids) == 0;
}

static void release_ids(struct launch *launch)
{
    if (launch->holds_ids)
        sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &launch->signals, NULL, sizeof launch->signals);
    launch->holds_ids = false;
}

void launch_free(struct launch *launch)
{
    inspect_sharing_ends();
    if (launch->program.fd >= 0) files_release(launch->program.fd);
    if (launch->fd >= 0) sys_close(launch->fd);
    release_ids(launch);
    sys_call(SYS_munmap, launch, launch->size);
}

static struct launch *fail(struct launch *launch, int error)
{
    launch_free(launch);
    errno = error;
    return NULL;
}

static void join_arguments(struct launch *launch, char *const *argv)
{
    size_t at = 0;
    for (size_t i = 0; argv != NULL && argv[i] != NULL && at + 2 < sizeof launch->arguments; i++) {
        if (i > 0) launch->arguments[at++] = ' ';
        for (const char *from = argv[i]; *from != '\0' && at + 1 < sizeof launch->arguments; from++)
            launch->arguments[at++] = *from;
    }
    launch->arguments[at] = '\0';
}

/* `sh -c …`: the event about the shell has already shown what it starts. */
static bool is_command_line(const struct launch *launch)
{
    static const char *const shells[] = {"sh", "bash", "dash", "ash"};
    const char *name = strrchr(launch->resolved, '/');
    if (name == NULL || launch->argv == NULL || launch->argv[0] == NULL || launch->argv[1] == NULL)
        return false;
    const char *option = launch->argv[1];
    if (option[0] != '-' || option[1] == '-' || strchr(option, 'c') == NULL) return false;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(name + 1, shells[i]) == 0) return true;
    return false;
}

static struct act act_of(const struct launch *launch, const char *unguardable, const void *caller)
{
    return (struct act){.ring = RING_LIBC,
                        .family = FS_PROCESS,
                        .verb = "execute",
                        .path = launch->resolved,
                        .arguments = launch->arguments,
                        .unguardable = unguardable,
                        .caller = caller};
}

void launch_started(uint64_t *signals)
{
    const uint64_t ids = IDS_CHANGE;
    const struct timespec now = {0, 0};
    if (LIKELY(!(*signals & ids))) return;
    sys_call(SYS_rt_sigtimedwait, &ids, NULL, &now, sizeof ids);
    *signals &= ~ids;
}

/* The kernel gets the ELF that was judged, with the arguments that it would have made of the
 * scripts before it. */
static int plan_by_object(struct launch *launch, char *const *argv, char **arguments, int above)
{
    const struct fs_program *program = &launch->program;
    size_t at = 0;
    for (unsigned level = program->scripts; level-- > 0;) {
        arguments[at++] = (char *)(size_t)program->script[level].interpreter;
        if (program->script[level].argument[0] != '\0')
            arguments[at++] = (char *)(size_t)program->script[level].argument;
    }
    if (program->scripts > 0)
        arguments[at++] = launch->named[0] != '\0' ? launch->named : launch->resolved;
    size_t skip = program->scripts > 0 && argv != NULL && argv[0] != NULL ? 1 : 0;
    for (size_t i = skip; argv != NULL && argv[i] != NULL && i < MAX_ARGUMENTS; i++)
        arguments[at++] = argv[i];
    arguments[at] = NULL;
    launch->argv = arguments;
    const char *last =
        program->scripts > 0 ? program->script[program->scripts - 1].interpreter : launch->resolved;
    if (steady_path(last)) {
        launch->path = last;
        return 0;
    }
    /* Closes a TOCTOU race: until the kernel has it, neither another thread nor a file action of
     * the child makes this fd another program. */
    int high = sys_copy_above(program->fd, above < HIGH_DESCRIPTOR ? HIGH_DESCRIPTOR : above + 1);
    /* A child with few fds gets what there is. */
    if (high < 0) high = sys_copy_above(program->fd, above < 3 ? 3 : above + 1);
    if (high < 0) return high;
    sys_close(launch->program.fd);
    launch->program.fd = files_reserve(high);
    if (launch->program.fd < 0) return launch->program.fd;
    fs_program_fd_path(launch->program.fd, launch->fd_path);
    launch->path = launch->fd_path;
    return 0;
}

/* Why a program may not run where /tmp is ephemeral ("it …"), or NULL if it may. `program`: the ELF
 * that runs it, by an fd. */
static const char *refused_in_tmp(const char *resolved, int program)
{
    char link[48], path[PATH_MAX];
    if (LIKELY(!made_is_on)) return NULL;
    text_copy(path, sizeof path, resolved);
    bool under = files_leads_under_tmp(path);
    if (!under && program >= 0) {
        fs_program_fd_path(program, link);
        long size = sys_readlinkat(AT_FDCWD, link, path, sizeof path - 1);
        path[size > 0 ? size : 0] = '\0';
        /* A path that is too long to be told may lie in /tmp. */
        under = size <= 0 || files_leads_under_tmp(path);
    }
    return under ? "lies in /tmp, which is ephemeral" : NULL;
}

/* Judges and reports what the kernel would run. `named`: it has a name in a folder, or nobody could
 * look. `*shown`: an event says that it starts. Returns 0 or an errno. */
static int refuses(struct launch *launch, bool enforce, bool named, bool *shown, const void *caller)
{
    struct fs_verdict *verdict = &launch->verdict;
    bool by_name = launch->fd < 0, in_tmp = false;
    if (verdict->mode == FS_BLOCK) {
        /* No exception would help: the event says so. */
        const char *why = fs_program_check_object(launch->fd, false, &launch->program);
        if (launch->program.error != 0) why = NULL;
        if (why != NULL) verdict->reason = FS_STATIC;
        struct act act = act_of(launch, why, caller);
        processes_report_blocked(&act, verdict);
        return EACCES;
    }
    const char *sentence =
        by_name ? NULL : fs_program_check_object(launch->fd, enforce, &launch->program);
    if (sentence == NULL) {
        sentence = refused_in_tmp(launch->resolved, launch->program.fd);
        in_tmp = sentence != NULL;
    }
    if (sentence == NULL && !named && enforce) sentence = "has no name in any folder";
    if (!by_name && sentence == NULL) block_id_changes(launch);
    if (sentence == NULL) sentence = layer_unloadable();
    if (sentence != NULL) release_ids(launch);
    if (sentence != NULL && enforce && launch->program.error != 0) return launch->program.error;
    if (sentence != NULL && launch->program.error == 0) {
        struct fs_verdict unguarded = guard_integrity();
        unguarded.reason = FS_STATIC;
        struct act act = act_of(launch, sentence, caller);
        if (in_tmp) act.family = FS_TMP;
        if (unguarded.mode == FS_BLOCK) {
            processes_report_blocked(&act, &unguarded);
            return EACCES;
        }
        unguarded.mode = FS_ALERT;
        if (verdict->mode == FS_ALLOW)
            events_report(&act, &unguarded, NULL, 0);
        else
            verdict->reason = FS_STATIC;
    }
    *shown = verdict->mode == FS_ALERT;
    if (verdict->mode == FS_ALLOW || !processes_is_shown(launch->resolved)) {
        const char *why = verdict->reason == FS_STATIC ? sentence : NULL;
        struct act act = act_of(launch, why, caller);
        events_report(&act, verdict, NULL, 0);
    }
    return 0;
}

struct launch *launch_prepare(const struct launch_request *request)
{
    size_t argc = request->argv != NULL ? request->argv->count : 0;
    char *const *variables = request->envp != NULL ? request->envp->list : NULL;
    size_t environment = environment_size(variables);
    if (environment == 0 || argc > MAX_ARGUMENTS) return errno = E2BIG, NULL;
    size_t arguments = (argc + PREFIX + 1) * sizeof(char *);
    size_t head = (sizeof(struct launch) + 15) & ~(size_t)15;
    size_t size = head + arguments + environment;
    long mapped =
        sys_call(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped < 0 && mapped > -4096) return errno = ENOMEM, NULL;
    struct launch *launch = (struct launch *)mapped;
    bool shares = inspect_sharing_begins();
    launch->size = size;
    launch->program.fd = launch->fd = -1;
    if (UNLIKELY(!shares)) return fail(launch, EAGAIN);
    char **room = (char **)(void *)((char *)launch + head);
    launch->argv = request->argv != NULL ? request->argv->list : NULL;

    launch->fd = launch_open(request->dirfd, request->path, request->flags, request->search,
                             request->search ? getenv("PATH") : NULL, launch->named);
    bool enforce = guard_integrity().mode == FS_BLOCK;
    /* A process without a free fd may still execute: without enforcement, it is judged by the name
     * alone. */
    bool by_name = !enforce && (launch->fd == -EMFILE || launch->fd == -ENFILE);
    if (launch->fd < 0 && !by_name) return fail(launch, -launch->fd);
    join_arguments(launch, launch->argv);
    bool named = by_name || processes_resolve(launch->fd, launch->resolved);
    if (by_name) memcpy(launch->resolved, launch->named, sizeof launch->resolved);
    launch->verdict = processes_decide(named ? launch->resolved : NULL, request->caller);
    bool steady = enforce && launch->named[0] == '/' && steady_path(launch->named), shown = false;
    int error = refuses(launch, enforce, named, &shown, request->caller);
    if (error != 0) return fail(launch, error);

    char *arena = (char *)launch + head + arguments;
    if (!environment_build(&launch->environment, variables, enforce,
                           shown && is_command_line(launch), arena, environment))
        return fail(launch, E2BIG);
    launch->envp = launch->environment.list;
    if (launch->environment.dropped[0] != '\0') {
        struct fs_verdict integrity = guard_integrity();
        struct act act = {.ring = RING_LIBC,
                          .family = FS_INTEGRITY,
                          .verb = "set",
                          .path = launch->environment.dropped,
                          .caller = request->caller};
        events_report(&act, &integrity, NULL, 0);
    }

    /* Executes by the caller's own name if no other thread can make that lead elsewhere, because
     * programs look at the name that they were started by. Otherwise, and if nothing is enforced,
     * see above. */
    for (unsigned level = 0; steady && level < launch->program.scripts; level++)
        steady = steady_path(launch->program.script[level].interpreter);
    launch->path = launch->named;
    launch->by_fd = request->dirfd != AT_FDCWD || request->flags != 0;
    if (!enforce || (steady && !launch->by_fd)) return launch;
    launch->by_fd = false;
    if (request->dirfd != AT_FDCWD)
        launch->named[0] = '\0'; /* the interpreter cannot use such a name */
    error = plan_by_object(launch, launch->argv, room, request->above);
    return error < 0 ? fail(launch, -error) : launch;
}

/* ---- for the interpreter ring ---- */

bool launch_is_missing(const char *path, const char *environment_path)
{
    char named[PATH_MAX];
    int error = errno;
    struct path own = copied_own(path);
    int fd = launch_open(AT_FDCWD, &own, 0, true, environment_path, named);
    if (fd >= 0) sys_close(fd);
    errno = error;
    return fd == -ENOENT;
}

struct fs_verdict launch_judge(const char *path, bool search, const char *environment_path,
                               char *resolved)
{
    char named[PATH_MAX];
    int error = errno;
    resolved[0] = '\0';
    struct path own = copied_own(path); /* the interpreter's */
    int fd = launch_open(AT_FDCWD, &own, 0, search, environment_path, named);
    if (fd < 0) {
        /* It will not start, but the attempt is judged, by its name. */
        text_copy(resolved, PATH_MAX, path);
        errno = error;
        return processes_decide(resolved, NULL);
    }
    bool has_name = processes_resolve(fd, resolved);
    struct fs_verdict verdict = processes_decide(has_name ? resolved : NULL, NULL);
    struct fs_verdict integrity = guard_integrity();
    /* Blocked or only reported, no exception would help. */
    if (integrity.mode != FS_ALLOW && verdict.mode <= integrity.mode) {
        struct fs_program program;
        const char *sentence = fs_program_check_object(fd, false, &program);
        if (sentence == NULL) sentence = refused_in_tmp(resolved, program.fd);
        if (program.fd >= 0) sys_close(program.fd);
        bool nameless = !has_name && verdict.mode != FS_BLOCK;
        if ((sentence != NULL && program.error == 0) || nameless) {
            verdict = integrity;
            verdict.reason = FS_STATIC;
        }
    }
    sys_close(fd);
    errno = error;
    return verdict;
}
