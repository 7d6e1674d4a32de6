#include "launch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "processes.h"
#include "state.h"
#include "inspect.h"
#include "sys.h"

#define MAX_ARGUMENTS (1u << 20)
#define MAX_LINKS 40
#define HIGH_DESCRIPTOR 600
#define PREFIX (2 * FS_PROGRAM_DEPTH)

bool launch_is_free(void)
{
    if (guard.is_wrapper) return false; /* COMMAND is still to come */
    for (unsigned family = 0; family < FS_INTEGRITY; family++)
        if (!guard_ignores((enum fs_family)family)) return false;
    return guard_integrity().mode == FS_ALLOW;
}

/* ---- steadiness ---- */

/* Root may write anywhere, and is no attacker that a guard inside his process could hold (design: he is not root). For
 * him the system's own folders count as steady and all others do not, so that races are closed for his tests as well. */
static bool is_system_path(const char *path)
{
    static const char *const folders[] = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/", "/var/lang/", "/var/runtime/"};
    if (strstr(path, "/..") != NULL) return false;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0) return true;
    return false;
}

static bool may_write(int folder)
{
    long error = sys_call(SYS_faccessat, folder, ".", 2 /* W_OK */);
    if (error == 0) return true;
    if (error == -EROFS) return false;
    struct stat status;
    return sys_fstat(folder, &status) != 0 || status.st_uid == (uid_t)sys_call(SYS_geteuid); /* an owner may chmod */
}

bool launch_is_steady(const char *path)
{
    char rest[PATH_MAX], link[PATH_MAX];
    size_t size = strnlen(path, sizeof rest);
    if (path[0] != '/' || size == sizeof rest) return false;
    if (sys_call(SYS_geteuid) == 0) return is_system_path(path);
    memcpy(rest, path, size + 1);
    char *at = rest;
    int folder = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    bool steady = folder >= 0;
    for (unsigned links = 0; steady;) {
        while (*at == '/') at++;
        if (*at == '\0') break;
        if (may_write(folder)) {
            steady = false;
            break;
        }
        size_t length = strcspn(at, "/");
        char after = at[length];
        at[length] = '\0';
        int next = sys_openat(folder, at, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
        struct stat status;
        if (next == -ENOENT) break; /* and nobody can make it */
        if (next < 0 || sys_fstat(next, &status) != 0) {
            if (next >= 0) sys_close(next);
            steady = false;
            break;
        }
        if (S_ISLNK(status.st_mode)) {
            long got = sys_readlinkat(next, "", link, sizeof link);
            sys_close(next);
            size_t left = after != '\0' ? strlen(at + length + 1) + 1 : 0;
            if (got <= 0 || ++links > MAX_LINKS || (size_t)got + left + 1 > sizeof link) {
                steady = false;
                break;
            }
            link[got] = '\0';
            if (left > 0) {
                link[got] = '/';
                memcpy(link + got + 1, at + length + 1, left);
            }
            memcpy(rest, link, (size_t)got + left + 1);
            at = rest;
            if (rest[0] == '/') {
                sys_close(folder);
                folder = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
                steady = folder >= 0;
            }
            continue;
        }
        if (after == '\0') {
            sys_close(next);
            break;
        }
        if (!S_ISDIR(status.st_mode)) {
            sys_close(next);
            steady = false;
            break;
        }
        sys_close(folder);
        folder = next;
        at += length + 1;
    }
    if (folder >= 0) sys_close(folder);
    return steady;
}

/* ---- finding ---- */

/* Opens one candidate. -EACCES for what is no program that we may execute. */
static int open_candidate(int dirfd, const char *name, int flags)
{
    int follow = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? O_NOFOLLOW : 0;
    int fd;
    struct stat status;
    if (name[0] == '\0' && (flags & AT_EMPTY_PATH) != 0) {
        char link[48];
        if (dirfd == AT_FDCWD) return -EACCES;
        fs_program_descriptor_path(dirfd, link);
        fd = sys_openat(AT_FDCWD, link, O_PATH | O_CLOEXEC, 0);
        if (fd == -ENOENT) fd = -EBADF;
    } else {
        fd = sys_openat(dirfd, name, O_PATH | O_CLOEXEC | follow, 0);
    }
    if (fd == -EMFILE || fd == -ENFILE) {
        /* Whether this candidate is the one can be told without a descriptor. */
        int gone = name[0] == '\0' ? 0 : sys_fstatat(dirfd, name, &status, 0);
        if (gone != 0) return gone;
        if (name[0] != '\0' && (!S_ISREG(status.st_mode) || sys_call(SYS_faccessat, dirfd, name, 1 /* X_OK */) != 0)) return -EACCES;
    }
    if (fd < 0) return fd;
    char link[48];
    fs_program_descriptor_path(fd, link);
    int error = 0;
    if (sys_fstat(fd, &status) != 0) error = -EACCES;
    else if (S_ISLNK(status.st_mode)) error = -ELOOP;
    else if (!S_ISREG(status.st_mode) || sys_call(SYS_faccessat, AT_FDCWD, link, 1 /* X_OK */) != 0) error = -EACCES;
    if (error == 0) return fd;
    sys_close(fd);
    return error;
}

int launch_open(int dirfd, const char *path, int flags, bool search, const char *search_path, char *named)
{
    char name[PATH_MAX];
    if (path == NULL) return -EFAULT;
    size_t size = strnlen(path, sizeof name);
    if (size == sizeof name) return -ENAMETOOLONG;
    memcpy(name, path, size);
    name[size] = '\0';
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
            else if (fd != -ENOENT && fd != -ENOTDIR && fd != -ESTALE && fd != -ENODEV && fd != -ETIMEDOUT)
                return fd;
        }
        at += length;
        if (*at == '\0') return denied ? -EACCES : -ENOENT;
    }
}

/* ---- preparing ---- */

void launch_free(struct launch *launch)
{
    inspect_sharing_ends();
    if (launch->program.fd >= 0) sys_close(launch->program.fd);
    if (launch->fd >= 0) sys_close(launch->fd);
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

/* `sh -c …`: what it starts is what its command line said, and the event about the shell has shown that. */
static bool is_command_line(const struct launch *launch)
{
    static const char *const shells[] = {"sh", "bash", "dash", "ash"};
    const char *name = strrchr(launch->resolved, '/');
    if (name == NULL || launch->argv == NULL || launch->argv[0] == NULL || launch->argv[1] == NULL) return false;
    const char *option = launch->argv[1];
    if (option[0] != '-' || option[1] == '-' || strchr(option, 'c') == NULL) return false;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(name + 1, shells[i]) == 0) return true;
    return false;
}

static void report(const struct launch *launch, enum fs_family family, const char *verb, const char *path,
                   const struct fs_verdict *verdict, const void *caller)
{
    struct guard_act act = {.ring = RING_LIBC, .family = family, .verb = verb, .path = path, .caller = caller};
    if (family == FS_PROCESS) act.arguments = launch->arguments;
    guard_report(&act, verdict, NULL, 0);
}

/* The kernel gets the ELF that was judged, with the arguments that it would have made of the scripts before it. */
static void plan_by_object(struct launch *launch, char *const *argv, char **arguments)
{
    const struct fs_program *program = &launch->program;
    size_t at = 0;
    for (unsigned level = program->scripts; level-- > 0;) {
        arguments[at++] = (char *)(size_t)program->script[level].interpreter;
        if (program->script[level].argument[0] != '\0') arguments[at++] = (char *)(size_t)program->script[level].argument;
    }
    if (program->scripts > 0) arguments[at++] = launch->named[0] != '\0' ? launch->named : launch->resolved;
    size_t skip = program->scripts > 0 && argv != NULL && argv[0] != NULL ? 1 : 0;
    for (size_t i = skip; argv != NULL && argv[i] != NULL && i < MAX_ARGUMENTS; i++) arguments[at++] = argv[i];
    arguments[at] = NULL;
    launch->argv = arguments;
    const char *last = program->scripts > 0 ? program->script[program->scripts - 1].interpreter : launch->resolved;
    if (launch_is_steady(last)) {
        launch->path = last;
        return;
    }
    /* Out of the way of the numbers that file actions name. */
    int high = (int)sys_call(SYS_fcntl, program->fd, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
    if (high >= 0) {
        sys_close(launch->program.fd);
        launch->program.fd = high;
    }
    fs_program_descriptor_path(launch->program.fd, launch->descriptor_path);
    launch->path = launch->descriptor_path;
}

struct launch *launch_prepare(const struct launch_request *request)
{
    size_t argc = 0, environment = environment_size(request->envp);
    while (request->argv != NULL && request->argv[argc] != NULL && argc <= MAX_ARGUMENTS) argc++;
    if (environment == 0 || argc > MAX_ARGUMENTS) {
        errno = E2BIG;
        return NULL;
    }
    size_t arguments = (argc + PREFIX + 2) * sizeof(char *);
    size_t head = (sizeof(struct launch) + 15) & ~(size_t)15;
    size_t size = head + arguments + environment;
    long mapped = sys_call(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped < 0 && mapped > -4096) {
        errno = ENOMEM;
        return NULL;
    }
    struct launch *launch = (struct launch *)mapped;
    inspect_sharing_begins();
    launch->size = size;
    launch->program.fd = -1;
    char **room = (char **)(void *)((char *)launch + head);
    /* Our own list: what is judged below must not change while it is. The strings are shown, and not judged. */
    char **own = room + PREFIX + 1;
    for (size_t i = 0; i < argc; i++) own[i] = request->argv[i];
    own[argc] = NULL;
    launch->argv = request->argv != NULL ? own : NULL;

    launch->fd = launch_open(request->dirfd, request->path, request->flags, request->search,
                             request->search ? getenv("PATH") : NULL, launch->named);
    bool enforce = guard_integrity().mode == FS_BLOCK;
    /* A process that has used up its descriptors may execute all the same: without enforcement, by the name alone. */
    bool by_name = !enforce && (launch->fd == -EMFILE || launch->fd == -ENFILE);
    if (launch->fd < 0 && !by_name) return fail(launch, -launch->fd);
    join_arguments(launch, launch->argv);
    bool named = by_name || processes_resolve(launch->fd, launch->resolved);
    if (by_name) memcpy(launch->resolved, launch->named, sizeof launch->resolved);
    launch->verdict = processes_decide(named ? launch->resolved : NULL);
    struct fs_verdict *verdict = &launch->verdict;
    if (verdict->mode == FS_BLOCK) {
        processes_report_blocked(launch->resolved, launch->arguments, verdict, request->caller);
        return fail(launch, EACCES);
    }

    bool absolute = launch->named[0] == '/';
    bool steady = enforce && absolute && launch_is_steady(launch->named);
    const char *sentence = by_name ? NULL : fs_program_check_object(launch->fd, enforce, &launch->program);
    if (sentence == NULL && !named && enforce) sentence = "has no name in any folder";
    if (sentence != NULL && enforce && launch->program.error != 0) return fail(launch, launch->program.error);
    if (sentence != NULL && launch->program.error == 0) {
        struct fs_verdict unguarded = guard_integrity();
        unguarded.reason = FS_STATIC;
        if (unguarded.mode == FS_BLOCK) {
            processes_report_blocked(launch->resolved, launch->arguments, &unguarded, request->caller);
            return fail(launch, EACCES);
        }
        unguarded.mode = FS_ALERT;
        if (verdict->mode == FS_ALLOW) report(launch, FS_PROCESS, "execute", launch->resolved, &unguarded, request->caller);
    }
    bool shown = verdict->mode == FS_ALERT;
    if (verdict->mode == FS_ALLOW || !processes_is_shown())
        report(launch, FS_PROCESS, "execute", launch->resolved, verdict, request->caller);

    char *arena = (char *)launch + head + arguments;
    if (!environment_build(&launch->environment, request->envp, enforce, shown && is_command_line(launch), arena, environment))
        return fail(launch, E2BIG);
    launch->envp = launch->environment.list;
    if (launch->environment.dropped[0] != '\0') {
        struct fs_verdict integrity = guard_integrity();
        report(launch, FS_INTEGRITY, "set", launch->environment.dropped, &integrity, request->caller);
    }

    /* By the caller's own name where that leads to what was judged whatever anybody does meanwhile: a program may look at
     * the name it was started by. Else, or where nothing is enforced, see above. */
    for (unsigned level = 0; steady && level < launch->program.scripts; level++)
        steady = launch_is_steady(launch->program.script[level].interpreter);
    launch->path = launch->named;
    launch->by_descriptor = request->dirfd != AT_FDCWD || request->flags != 0;
    if (!enforce || (steady && !launch->by_descriptor)) return launch;
    launch->by_descriptor = false;
    if (request->dirfd != AT_FDCWD) launch->named[0] = '\0'; /* a name that means nothing to the interpreter */
    plan_by_object(launch, launch->argv, room);
    return launch;
}
