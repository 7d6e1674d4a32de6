/* The audit hook: which events are watched, and what answers them. */
#ifndef FS_HOOK_H
#define FS_HOOK_H

#include <fcntl.h>

#include "guard/guard.h"
#include "cpython/python.h"
#include "python/hooks/hook_verdict.h"

/* How a name is inspected: the object that it leads to, or the link itself. */
enum { NOFOLLOW = O_PATH | O_NOFOLLOW, FOLLOW = O_PATH };

/* A watched event: a row of the table in hook.c. */
struct hook_row {
    const char *event;
    /* 0, or -1 with an error set. */
    int (*answer)(const struct hook_row *row, PyObject *arguments);
    enum fs_family family; /* the rule; an earlier event's note for it ends here */
    const char *verb;
    int8_t path, dirfd; /* where they stand in the arguments; dirfd -1: none */
    int8_t other_path, other_dirfd; /* the second name of rename and link; -1: none */
    int flags; /* as for open(2): how the name is inspected */
};

/* Before the first event. */
void hook_start(void);
int hook_event(const char *event, PyObject *arguments, void *data);

/* interpreter.c: forgets what the doors were told about the act before. */
void hook_forget(void);

/* hook_import.c: makes `import function_shield` work from wherever the layer lies. */
int hook_import(PyObject *arguments);
/* hook_files.c */
int hook_open(PyObject *arguments);
int hook_path(const struct hook_row *row, PyObject *arguments);
int hook_library(const struct hook_row *row, PyObject *arguments);
int hook_database(const struct hook_row *row, PyObject *arguments);
int hook_directory(const struct hook_row *row, PyObject *arguments);
/* hook_network.c */
int hook_connect(const struct hook_row *row, PyObject *arguments);
int hook_send(const struct hook_row *row, PyObject *arguments);
int hook_bind(const struct hook_row *row, PyObject *arguments);
int hook_socket(const struct hook_row *row, PyObject *arguments);
int hook_look_up(const struct hook_row *row, PyObject *arguments);
/* hook_processes.c */
void hook_processes_start(void);
int hook_popen(const struct hook_row *row, PyObject *arguments);
int hook_execute(const struct hook_row *row, PyObject *arguments);
int hook_system(const struct hook_row *row, PyObject *arguments);
int hook_fork(const struct hook_row *row, PyObject *arguments);
int hook_terminal(const struct hook_row *row, PyObject *arguments);
/* hook_compiled.c */
/* A hook that is asked after ours was added. */
void hook_notes_other_hooks(void);
bool hook_has_other_hooks(void);
/* The garbage collector is paused until this thread's next event, so that nothing changes what is
 * being unmarshalled. */
extern __thread bool hook_collector_waits __attribute__((tls_model("initial-exec")));
void hook_collector_goes_on(void);
bool hook_passes_over(const char *path);
/* The next event of this thread about unmarshalling is the guard's own. */
extern __thread bool hook_own_unmarshal __attribute__((tls_model("initial-exec")));
int hook_unmarshal(PyObject *arguments);
/* marshalled.c */
int hook_marshal(PyObject *arguments);
/* hook_code.c */
int hook_code(PyObject *arguments);
/* A code object is run (`by` is NULL), or becomes the code of the function `by`. */
int hook_code_used(PyObject *code, PyObject *by);
/* pins.c: cpython.PyInterpreterState_Clear */
void hook_interpreter(const char *event);
/* hook_native.c */
int hook_native_import(const char *name, PyObject *file);
int hook_bridge_used(void);
void hook_native_start(void);
int hook_native_library(const char *path);
/* hook_judge.c: judges an act of native_code by what is on the stack: 0, or -1 with an error set.
 * `library`: its path, or NULL. */
int hook_judge_native(const char *verb, const char *object, const char *library);
/* Returns true if hook_judge_native would refuse; makes no event. */
bool hook_native_blocks(const char *library);
/* hook_requests.c */
int hook_request(const char *event, PyObject *arguments);
/* configure.c */
int hook_configure(const struct hook_row *row, PyObject *arguments);
int hook_armed(const struct hook_row *row, PyObject *arguments);
int hook_violation(const struct hook_row *row, PyObject *arguments);

#endif
