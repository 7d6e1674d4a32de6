/* What the interpreter ring tells the doors about the act that this thread is in the middle of. Each answer is taken by the
 * first door that asks, and ends with the thread's next watched audit event. */
#ifndef FS_INTERPRETER_H
#define FS_INTERPRETER_H

#include <stdbool.h>

#include "guard.h"

/* The import machinery is about to read `path`, the zip that a sealed handler came from: this one open passes. */
bool interpreter_passes_archive(const char *path);
/* The runtime client forks one of its workers (managed instances): this one fork passes, and is not on probation. */
bool interpreter_passes_fork(void);
/* Who asked for an act that only a door can judge; NULL where the ring does not know. For a report with no origin. */
struct guard_origin *interpreter_origin(void);

#endif
