/* Checks that a code object is what its file compiles to. A code object can name any file, but
 * its bytecode must match. */
#ifndef FS_GENUINE_H
#define FS_GENUINE_H

#include <stdbool.h>

#include "cpython/python.h"

/* Compiles the module at `path` from its source. A new reference, or NULL if it cannot. */
PyObject *genuine_compile(const char *path);

/* `code` is the module's, or that of a function in it. */
bool genuine_holds(PyObject *module, PyObject *code);
/* `code` is that of the module at `path`, or of a function in it, and the file is older than the
 * function and outside /tmp. */
bool genuine_is_of(const char *path, PyObject *code);

#endif
