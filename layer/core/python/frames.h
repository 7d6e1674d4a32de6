/* Python's frames, from the innermost outwards: who asked. */
#ifndef FS_FRAMES_H
#define FS_FRAMES_H

#include "cpython/python.h"

struct frame {
    PyObject *object; /* a reference of the walk's */
    PyObject *file; /* co_filename, a reference of the walk's */
    const char *path; /* of `file`, plain (callers.h); "" where it has none */
    char room[512];
    bool library; /* standard library or frozen */
};

/* Steps to the next frame outwards, from {0} to the innermost. Gives the last one's references
 * back. False at the end; no error is left set. At most 512 steps are worth taking: callers bound
 * them. */
bool frames_next(struct frame *frame);
/* Ends a walk before its end. */
void frames_stop(struct frame *frame);
int frames_line(const struct frame *frame);
/* The qualified name of its function where this Python keeps one, else its name. */
void frames_function(const struct frame *frame, char *name, size_t size);

/* Lexically: below lib/python3.N of this Python, and not below its site-packages; or "<frozen …>".
 */
bool frames_is_library(const char *path);

/* Remembers where the standard library lies. At every import event, the first of which come before
 * code of the function's. */
void frames_pin_library(void);
/* Lexically: this file of the standard library. */
bool frames_is_standard(const char *path, const char *file);

/* By its path, of the runtime client. */
bool frames_is_client(const char *path);

/* Every frame that is no library's lies in the runtime client: its package, as it was first
 * imported before the handler was sealed, or LAMBDA_RUNTIME_DIR. At least one does, and it and all
 * that it calls are what their files say. */
bool frames_only_runtime_client(void);
/* linecache opens a source: for a traceback, for inspect, or for another caller. It is known by
 * file names, which code can borrow: they decide whether a refusal makes an event, never the
 * refusal. */
bool frames_linecache_reads(void);
/* No code of Python's runs on the main thread: the interpreter opens the script that it was started
 * with, or prints the error that it ends by. So does a callback in C (atexit). */
bool frames_interpreter_reads(void);
/* The import system reads a module's file, to run it. By names: what code gains that takes them, it
 * gains from a loader of its own as well. */
bool frames_import_reads(void);
/* Remembers the folder of the runtime client's package when its first module runs. */
void frames_saw_module(const char *path);

#endif
