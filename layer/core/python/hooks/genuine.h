/* Whether code is what a file says: code objects name their file as they like, and their bytes
 * cannot be talked about. */
#ifndef FS_GENUINE_H
#define FS_GENUINE_H

#include <stdbool.h>

#include "cpython/python.h"

/* The code of the module at `path`, compiled from its source; a new reference, NULL where there is
 * none. */
PyObject *genuine_compile(const char *path);

/* `code` is the module's, or that of a function in it. */
bool genuine_holds(PyObject *module, PyObject *code);
/* `code` is that module's, or that of a function in it, and the file is older than the function and
 * outside /tmp. */
bool genuine_is_of(const char *path, PyObject *code);

#endif
