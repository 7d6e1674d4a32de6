/* Whether the running program is a Python: known by its own symbols, never by its name. */
#ifndef FS_PYTHON_PROGRAM_H
#define FS_PYTHON_PROGRAM_H

#include <stdbool.h>

/* The program calls (shared libpython) or defines (static build) Py_BytesMain or an older main of
 * Python's. Does not search other libraries, so that other programs pay a microsecond. */
bool python_program_is_interpreter(void);

/* The program has Python in it and a main of its own. */
bool python_program_embeds(void);

#endif
