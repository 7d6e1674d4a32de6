/* The audit hook: which events are watched, and what answers them. */
#ifndef FS_HOOK_H
#define FS_HOOK_H

#include "guard.h"
#include "python.h"

/* A watched event: a row of the table in hook.c. */
struct hook_row {
    const char *event;
    /* 0, or -1 with an error set. */
    int (*answer)(const struct hook_row *row, PyObject *arguments);
    enum fs_family family; /* whose note of an earlier event ends here */
    const char *verb;
    int8_t path, dirfd;                /* where they stand in the arguments; dirfd -1: none */
    int8_t other_path, other_dirfd;    /* the second name of rename and link; -1: none */
    int flags;                         /* as for open(2): how the name is looked at */
};

/* Before the first event. */
void hook_start(void);
int hook_event(const char *event, PyObject *arguments, void *data);

/* interpreter.c: what the doors are told of this act; forgotten at the next watched event. */
void hook_pass_archive(const char *path);
void hook_pass_fork(void);
void hook_forget(void);

/* Ends the row's question: nothing where the verdict allows; else the event with its origin, and the error where it blocks.
 * `object` is what the libc ring would name (NULL: whatever); `filename` goes into the error, or NULL. */
int hook_verdict(struct guard_act *act, const struct fs_verdict *verdict, const char *object, PyObject *filename);

/* What the rule of the verdict let through is told, with its origin, where the policy wants that and it is the rule's first. */
void hook_used(struct guard_act *act, const struct fs_verdict *verdict);

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
/* hook_native.c */
int hook_unmarshal(PyObject *arguments);
int hook_code(void);
int hook_native_import(const char *name, PyObject *file);
int hook_bridge_used(void);
int hook_native_library(const char *path);
/* configure.c */
int hook_configure(const struct hook_row *row, PyObject *arguments);
int hook_armed(const struct hook_row *row, PyObject *arguments);
int hook_violation(const struct hook_row *row, PyObject *arguments);

#endif
