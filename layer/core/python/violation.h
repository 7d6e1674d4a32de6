/* function_shield.PolicyViolation: made once in each interpreter, raised by the hook. */
#ifndef FS_VIOLATION_H
#define FS_VIOLATION_H

#include "guard/guard.h"
#include "cpython/python.h"

/* This interpreter's own type, because interpreters share no objects. A new reference; NULL with an
 * error set. */
PyObject *violation_type(void);
/* A str, and an OSError of `type`. New references; NULL with an error set. */
PyObject *violation_text(const char *bytes);
PyObject *violation_error(PyObject *type, int error, const char *message, PyObject *filename);
/* Sets the error; if that fails, another error is set. `sentence` is the event's; `filename` may be
 * NULL. */
void violation_raise(enum fs_family family, const struct fs_verdict *verdict, const char *sentence,
                     PyObject *filename);

#endif
