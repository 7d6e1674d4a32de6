/* Whether this program is COMMAND, or still one of the programs that lead to it: a next wrapper,
 * `env`, a shim. */
#ifndef FS_COMMAND_H
#define FS_COMMAND_H

#include <stdbool.h>

/* `program` and `words` are STATE_FIELD_COMMAND and STATE_FIELD_WORDS; `name` is the running
 * program's base name. `own`: it lies in the function's package, and is what a wrapper started
 * in COMMAND's place (Lambda Web Adapter), unless COMMAND is among its arguments. If that cannot
 * be told, returns true, so that the rules apply. */
bool command_runs(const char *program, const char *words, const char *name, bool own);

#endif
