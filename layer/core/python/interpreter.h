/* Which interpreter is in this program. */
#ifndef FS_INTERPRETER_H
#define FS_INTERPRETER_H

#include <stdbool.h>

/* Before main, after arming. False where there is none: nobody need be asked who called. */
bool interpreter_start(void);

#endif
