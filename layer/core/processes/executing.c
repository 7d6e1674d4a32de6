/* Doors that execute. */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "processes/launch.h"
#include "events/sink.h"
#include "support/sys.h"

#define MAX_ARGUMENTS 65536

static int execute(struct launch *launch, int dirfd, const struct path *name, int flags)
{
    long error;
    sink_flush_last();
    if (launch->by_fd)
        error = sys_call(SYS_execveat, dirfd, name->text, launch->argv, launch->envp, flags);
    else
        error = sys_call(SYS_execve, launch->path, launch->argv, launch->envp);
    launch_free(launch);
    errno = (int)-error;
    return -1;
}

static int execute_at(int dirfd, const struct path *path, const struct words *argv,
                      const struct words *envp, int flags, const void *caller)
{
    struct launch_request request = {
        .dirfd = dirfd, .path = path, .flags = flags, .argv = argv, .envp = envp, .caller = caller};
    struct launch *launch = launch_prepare(&request);
    return launch == NULL ? -1 : execute(launch, dirfd, path, flags);
}

/* Like libc, treats a file that the kernel cannot execute as a shell script. */
static int execute_searched(const struct path *file, const struct words *argv,
                            const struct words *envp, const void *caller)
{
    struct launch_request request = {.dirfd = AT_FDCWD,
                                     .path = file,
                                     .search = true,
                                     .argv = argv,
                                     .envp = envp,
                                     .caller = caller};
    char named[PATH_MAX];
    struct launch *launch = launch_prepare(&request);
    if (launch != NULL) (void)execute(launch, AT_FDCWD, file, 0);
    if (errno != ENOEXEC) return -1;
    size_t argc = argv != NULL ? argv->count : 0;
    int fd = launch_open(AT_FDCWD, file, 0, true, getenv("PATH"), named);
    if (fd < 0) return errno = -fd, -1;
    sys_close(fd);
    size_t size = (argc + 3) * sizeof(char *);
    char **list = sys_scratch(size);
    if (list == NULL) return errno = ENOMEM, -1;
    static char shell[] = "/bin/sh";
    list[0] = shell;
    list[1] = named;
    for (size_t i = 1; i < argc; i++) list[i + 1] = argv->list[i];
    struct words words = {.list = list, .count = argc > 0 ? argc + 1 : 2};
    struct path path = copied_own(shell);
    int result = execute_at(AT_FDCWD, &path, &words, envp, 0, caller);
    sys_scratch_free(list, size);
    return result;
}

static int judged_execve(const struct path *path, const struct words *argv,
                         const struct words *envp, const void *caller)
{
    return execute_at(AT_FDCWD, path, argv, envp, 0, caller);
}

static int judged_execvpe(const struct path *file, const struct words *argv,
                          const struct words *envp, const void *caller)
{
    return execute_searched(file, argv, envp, caller);
}

/* With the environment as it is. */
static int execute_here(const struct path *path, const struct words *argv, bool search,
                        const void *caller)
{
    COPY_WORDS(variables, environ);
    if (variables.error) return errno = variables.error, -1;
    if (search) return execute_searched(path, argv, &variables, caller);
    return execute_at(AT_FDCWD, path, argv, &variables, 0, caller);
}

static int judged_execv(const struct path *path, const struct words *argv, const void *caller)
{
    return execute_here(path, argv, false, caller);
}

static int judged_execvp(const struct path *file, const struct words *argv, const void *caller)
{
    return execute_here(file, argv, true, caller);
}

static int judged_fexecve(int fd, const struct words *argv, const struct words *envp,
                          const void *caller)
{
    struct path none = copied_own("");
    if (fd < 0) return errno = EINVAL, -1;
    return execute_at(fd, &none, argv, envp, AT_EMPTY_PATH, caller);
}

static int judged_execveat(int dirfd, const struct path *path, const struct words *argv,
                           const struct words *envp, int flags, const void *caller)
{
    if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) != 0) return errno = EINVAL, -1;
    return execute_at(dirfd, path, argv, envp, flags, caller);
}

/* The list of execl, execlp and execle as an array: in a mapping of its own, because a list may be
 * long. */
struct list {
    size_t size;
    char **argv;
};

static bool read_list(struct list *out, const char *first, va_list arguments, char *const **envp)
{
    va_list counted;
    size_t count = 0;
    va_copy(counted, arguments);
    for (const char *at = first; at != NULL && count <= MAX_ARGUMENTS; count++)
        at = va_arg(counted, const char *);
    va_end(counted);
    out->size = (count + 1) * sizeof(char *);
    out->argv = count > MAX_ARGUMENTS ? NULL : sys_scratch(out->size);
    if (out->argv == NULL) return errno = count > MAX_ARGUMENTS ? E2BIG : ENOMEM, false;
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
    sys_scratch_free(list->argv, list->size);
    return result;
}

/* By hand: the list is copied as an array, by the macros that the table's doors use. */
static int execute_list(const char *path, char *const *argv, char *const *envp, bool search,
                        const void *caller)
{
    COPY_PATH(name, path);
    COPY_WORDS(words, argv);
    COPY_WORDS(variables, envp);
    int error = name.error ? name.error : words.error ? words.error : variables.error;
    if (error) return errno = error, -1;
    return search ? execute_searched(&name, &words, &variables, caller)
                  : execute_at(AT_FDCWD, &name, &words, &variables, 0, caller);
}

/* `SEARCH`: on PATH; `GIVEN`: where the environment at the list's end goes, or NULL. */
#define EXECUTE_LIST(path, first, SEARCH, GIVEN, BARE)                                             \
    struct list list;                                                                              \
    va_list rest;                                                                                  \
    char *const *variables = environ;                                                              \
    va_start(rest, first);                                                                         \
    bool read = read_list(&list, first, rest, GIVEN);                                              \
    va_end(rest);                                                                                  \
    if (!read) return -1;                                                                          \
    return finish_list(&list, !launch_ready()                                                      \
                                  ? BARE                                                           \
                                  : execute_list(path, list.argv, variables, SEARCH, CALLER()))

DOOR int execl(const char *path, const char *first, ...)
{
    EXECUTE_LIST(path, first, false, NULL, real.execv(path, list.argv));
}

DOOR int execlp(const char *file, const char *first, ...)
{
    EXECUTE_LIST(file, first, true, NULL, real.execvp(file, list.argv));
}

DOOR int execle(const char *path, const char *first, ...)
{
    EXECUTE_LIST(path, first, false, &variables, real.execve(path, list.argv, variables));
}

/* Before Linux 6.14, a program executed by fd N is named "N". Gives it its file's name, which `ps`
 * and the program itself would see without the guard. */
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

#include "doors_executing.gen.h"
