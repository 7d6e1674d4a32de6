/* Code objects that CPython writes by marshal in one interpreter to read them in another
 * (concurrent.interpreters, 3.14). */
#ifndef FS_MARSHALLED_H
#define FS_MARSHALLED_H

#include "cpython/python.h"

/* No frame is on the stack, and these bytes are what a code object of this process was written as.
 */
bool marshalled_is_known(PyObject *bytes);

#endif
