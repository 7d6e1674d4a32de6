/* Which interpreter is in this program. */
#ifndef FS_INTERPRETER_H
#define FS_INTERPRETER_H

#include <stdbool.h>

/* Call it before main, after arming. Returns false if there is no interpreter, and so no caller to
 * ask for. */
bool interpreter_start(void);

#endif
