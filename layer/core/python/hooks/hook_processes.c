/* Events about processes: subprocess, os.exec*, os.posix_spawn, os.system, os.fork, pty. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "guard/passes.h"
#include "python/arguments.h"
#include "python/frames.h"
#include "python/hooks/hook.h"
#include "python/violation.h"
#include "processes/launch.h"
#include "processes/processes.h"
#include "support/sys.h"
#include "events/events.h"
#include "files/handler.h"

enum { LINE_MAX_SHOWN = 256 };

/* pty.spawn is one act and three events: pty.spawn, os.forkpty, and os.exec in the child. */
static __thread int terminal_owner
    __attribute__((tls_model("initial-exec"))); /* the process that reported pty.spawn; 0: none */

static __thread uint8_t terminal_mode __attribute__((tls_model("initial-exec")));
static __thread uint64_t terminal_object __attribute__((tls_model("initial-exec")));

/* The rest of a pty.spawn that was reported. It covers the reported program only. */
static void note_terminal(void)
{
    guard_note(FS_PROCESS, FS_ALERT, NULL);
    guard_thread.note_object = terminal_object;
}

static bool managed_instance(void)
{
    static atomic_int
        known; /* 0 not asked, 1 no, 2 yes: as the environment was when it was first asked */
    int answer = atomic_load(&known);
    if (answer == 0) {
        const char *value = getenv("AWS_LAMBDA_MAX_CONCURRENCY");
        answer = value && *value ? 2 : 1;
        atomic_store(&known, answer);
    }
    return answer == 2;
}

void hook_processes_start(void) { (void)managed_instance(); }

static int judged(const struct hook_row *row, const struct fs_verdict *verdict, const char *path,
                  const char *line, PyObject *filename)
{
    /* The fork and exec that follow an alert are the same act, which the note covers. */
    struct act act = {.family = FS_PROCESS, .verb = row->verb, .path = path, .arguments = line};
    return hook_verdict(&act, verdict, path, filename);
}

/* PATH as the child would read it: of the dict it was given, or of this process. */
static const char *search_path(PyObject *environment)
{
    if (environment && python_type(environment) == python.PyDict_Type) {
        const char *path = argument_text(python.PyDict_GetItemString(environment, "PATH"));
        return path ? path : "/bin:/usr/bin"; /* os.defpath */
    }
    const char *path = getenv("PATH");
    return path ? path : "/bin:/usr/bin";
}

static bool folder_exists(PyObject *folder)
{
    struct stat status;
    const char *path = argument_text(folder);
    return argument_is_none(folder) || (path && sys_fstatat(AT_FDCWD, path, &status, 0) == 0);
}

/* Starting a program that does not exist is not an act: the error that fork and exec would end with
 * is raised here. */
static int fails_missing(uint8_t mode, const char *path, PyObject *executable)
{
    if (mode != FS_BLOCK) {
        guard_note(FS_PROCESS, mode, path);
        return 0;
    }
    PyObject *type = *python.PyExc_FileNotFoundError;
    PyObject *error = violation_error(type, ENOENT, strerror(ENOENT), executable);
    if (error) python.PyErr_SetObject(type, error);
    python.Py_DecRef(error);
    return -1;
}

int hook_popen(const struct hook_row *row, PyObject *arguments)
{
    terminal_owner = 0;
    if (guard_ignores(FS_PROCESS)) return 0;
    PyObject *executable = argument(arguments, 0), *path_like = NULL;
    const char *path = argument_text(executable);
    if (!path && !argument_is_none(executable)) {
        path_like = python.PyOS_FSPath(executable);
        if (!path_like) python.PyErr_Clear();
        path = argument_text(path_like);
    }
    if (!path) {
        python.Py_DecRef(path_like);
        return 0;
    }
    char line[LINE_MAX_SHOWN], resolved[PATH_MAX], joined[PATH_MAX];
    argument_line(argument(arguments, 1), line, sizeof line);
    /* The child changes its folder before it looks for a name with a slash. */
    PyObject *given = argument(arguments, 2), *folder_like = NULL;
    const char *folder = argument_text(given);
    if (!folder && !argument_is_none(given) && path[0] != '/' && strchr(path, '/')) {
        folder_like = python.PyOS_FSPath(given);
        if (!folder_like) python.PyErr_Clear();
        folder = argument_text(folder_like);
    }
    if (folder && path[0] != '/' && strchr(path, '/') &&
        strlen(folder) + strlen(path) + 2 <= sizeof joined) {
        strcpy(joined, folder);
        strcat(joined, "/");
        strcat(joined, path);
        path = joined;
    }
    resolved[0] = '\0';
    const char *search = search_path(argument(arguments, 3));
    struct fs_verdict verdict = launch_judge(path, true, search, resolved);
    bool missing = verdict.mode != FS_ALLOW && launch_is_missing(path, search) &&
                   folder_exists(argument(arguments, 2));
    int result = missing ? fails_missing(verdict.mode, path, executable)
                         : judged(row, &verdict, resolved[0] ? resolved : path, line, executable);
    python.Py_DecRef(path_like);
    python.Py_DecRef(folder_like);
    return result;
}

int hook_execute(const struct hook_row *row, PyObject *arguments)
{
    if (guard_ignores(FS_PROCESS)) return 0;
    PyObject *object = argument(arguments, row->path);
    const char *path = argument_text(object);
    struct stat status;
    /* os.execvp tries each folder of PATH. A name that does not exist is not an act. */
    if (!path || sys_fstatat(AT_FDCWD, path, &status, 0) == -ENOENT) return 0;
    int owner = terminal_owner;
    terminal_owner = 0;
    if (owner != 0 && owner != sys_getpid()) {
        note_terminal();
        return 0;
    }
    char line[LINE_MAX_SHOWN], resolved[PATH_MAX];
    argument_line(argument(arguments, row->path + 1), line, sizeof line);
    resolved[0] = '\0';
    struct fs_verdict verdict = launch_judge(path, false, NULL, resolved);
    return judged(row, &verdict, resolved[0] ? resolved : path, line, object);
}

int hook_system(const struct hook_row *row, PyObject *arguments)
{
    terminal_owner = 0;
    if (guard_ignores(FS_PROCESS)) return 0;
    char line[LINE_MAX_SHOWN] = "sh -c ", resolved[PATH_MAX];
    const char *command = argument_text(argument(arguments, 0));
    size_t at = strlen(line), size = command ? strnlen(command, sizeof line - 1 - at) : 0;
    if (size > 0) memcpy(line + at, command, size);
    line[at + size] = '\0';
    resolved[0] = '\0';
    struct fs_verdict verdict = launch_judge("/bin/sh", false, NULL, resolved);
    return judged(row, &verdict, resolved[0] ? resolved : "/bin/sh", line, NULL);
}

int hook_fork(const struct hook_row *row, PyObject *arguments)
{
    (void)arguments;
    int owner = terminal_owner;
    if (guard_ignores(FS_PROCESS)) return 0;
    if (owner == sys_getpid() && strcmp(row->event, "os.forkpty") == 0) {
        /* This is pty.spawn's own os.forkpty, which was judged and reported with pty.spawn. */
        if (terminal_mode == FS_ALERT) note_terminal();
        return 0;
    }
    terminal_owner = 0;
    if (managed_instance() && !handler_is_sealed() && frames_only_runtime_client()) {
        guard_thread.worker = true;
        return 0;
    }
    struct fs_verdict verdict = processes_judge_fork(0, NULL);
    struct act act = {.family = FS_PROCESS, .verb = row->verb};
    return hook_verdict(&act, &verdict, NULL, NULL);
}

int hook_terminal(const struct hook_row *row, PyObject *arguments)
{
    terminal_owner = 0;
    if (guard_ignores(FS_PROCESS)) return 0;
    char line[LINE_MAX_SHOWN], resolved[PATH_MAX];
    PyObject *words = argument(arguments, 0), *first = argument_element(words, 0);
    /* A plain string is a list of one word. */
    PyObject *object = first ? first : words;
    const char *path = argument_text(object);
    int result = 0;
    argument_line(words, line, sizeof line);
    if (path) {
        resolved[0] = '\0';
        struct fs_verdict verdict = launch_judge(path, true, search_path(NULL), resolved);
        result = judged(row, &verdict, resolved[0] ? resolved : path, line, object);
        if (result == 0) {
            terminal_owner = sys_getpid();
            terminal_mode = verdict.mode;
            terminal_object = guard_object_hash(resolved[0] ? resolved : path);
        }
    }
    python.Py_DecRef(first);
    return result;
}
