/* What the interpreter ring lets pass, of the act that this thread is in the middle of. The first
 * door that asks takes the answer, and the thread's next watched audit event ends it. */
#ifndef FS_PASSES_H
#define FS_PASSES_H

#include <stdbool.h>

/* The import machinery is about to read `path`, the zip that a sealed handler came from: this one
 * open is not reported. Where it would be refused, that machinery gets a copy (archive.c). */
void passes_archive(const char *path);
bool passes_take_archive(const char *path);
/* The runtime client forks one of its workers (managed instances): this one fork passes, and is not
 * on probation. */
void passes_fork(void);
bool passes_take_fork(void);
void passes_forget(void);

#endif
