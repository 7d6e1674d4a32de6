/* Parts of Python's objects, for answers of the audit hook. What is returned is a new reference;
 * no error is left set. */
#ifndef FS_OBJECTS_H
#define FS_OBJECTS_H

#include <stdbool.h>

#include "cpython/python.h"
#include "python/frames.h"

/* The attribute `name`; NULL where `object` is NULL or has none. */
PyObject *objects_part(PyObject *object, const char *name);
/* The attribute is `expected` itself. */
bool objects_is_part(PyObject *object, const char *name, const PyObject *expected);

/* The innermost frame's variables; NULL where there are none. Of functions only: the variables of
 * other code can be an object of any class, and asking it would run that class's code. */
PyObject *objects_locals(struct frame *frame);
PyObject *objects_variable(PyObject *locals, const char *name);
/* `frame` runs `code`. */
bool objects_runs(PyObject *frame, const PyObject *code);

#endif
