/* Python's frames, from the innermost outwards: the callers of an act. */
#ifndef FS_FRAMES_H
#define FS_FRAMES_H

#include "cpython/python.h"

struct frame {
    PyObject *object; /* a reference of the walk's */
    PyObject *file; /* co_filename, a reference of the walk's */
    const char *path; /* of `file`, plain (frame_text.h); "" where it has none */
    char room[512];
    bool library; /* standard library or frozen */
};

/* Steps to the next frame outwards; from {0}, to the innermost. Releases the references of the
 * frame before. Returns false at the end, with no error set. Callers stop after 512 steps at most.
 */
bool frames_next(struct frame *frame);
/* Ends a walk before its end. */
void frames_stop(struct frame *frame);
int frames_line(const struct frame *frame);
/* The qualified name of its function where this Python keeps one, else its name. */
void frames_function(const struct frame *frame, char *name, size_t size);

/* Judges the path's text: below lib/python3.N of this Python and not below its site-packages, or
 * "<frozen …>". */
bool frames_is_library(const char *path);

/* Remembers where the standard library lies. At every import event, the first of which come before
 * code of the function's. */
void frames_pin_library(void);
/* Judges the path's text: this file of the standard library. */
bool frames_is_standard(const char *path, const char *file);

/* The frame is of the runtime client, by its path. */
bool frames_is_client(const char *path);

/* All frames outside the standard library are the runtime client's: they lie in its package, as
 * first imported before the handler was sealed, or in LAMBDA_RUNTIME_DIR. There is at least one,
 * and it and every frame that it calls are what their files say. */
bool frames_only_runtime_client(void);
/* linecache opens a source, for a traceback, for inspect or for other code. It is recognised by
 * file names, which code can borrow. So this only decides whether a refusal makes an event, never
 * whether to refuse. */
bool frames_linecache_reads(void);
/* No Python code runs on the main thread: the interpreter opens the script that it was started
 * with, or prints the error that ends it. A callback in C (atexit) looks the same. */
bool frames_interpreter_reads(void);
/* The import system reads a module's file in order to run it. Recognised by names: code that
 * borrows them gains nothing that a loader of its own would not give it. */
bool frames_import_reads(void);
/* Remembers the folder of the runtime client's package when its first module runs. */
void frames_saw_module(const char *path);

#endif
