/* Python's frames, from the innermost outwards: who asked. */
#ifndef FS_FRAMES_H
#define FS_FRAMES_H

#include "python.h"

struct frame {
    PyObject *object; /* a reference of the walk's */
    PyObject *file;   /* co_filename, a reference of the walk's */
    const char *path; /* of `file`; "" where it has none */
    bool library;     /* standard library or frozen */
};

/* Steps to the next frame outwards, from {0} to the innermost. Gives the last one's references back. False at the end; no
 * error is left set. At most 512 steps are worth taking: callers bound them. */
bool frames_next(struct frame *frame);
/* Ends a walk before its end. */
void frames_stop(struct frame *frame);
int frames_line(const struct frame *frame);
/* The qualified name of its function where this Python keeps one, else its name. */
void frames_function(const struct frame *frame, char *name, size_t size);

/* Lexically: below lib/python3.N of this Python, and not below its site-packages; or "<frozen …>". */
bool frames_is_library(const char *path);

/* What follows of `path` after the folder `prefix`; NULL where it does not lie in it. */
const char *frames_below(const char *path, const char *prefix);

/* Every frame that is no library's lies in the runtime client: its package, as it was first imported before the handler
 * was sealed, or LAMBDA_RUNTIME_DIR. At least one does. */
bool frames_only_runtime_client(void);
/* Remembers the folder of the runtime client's package when its first module runs. */
void frames_saw_module(const char *path);

#endif
