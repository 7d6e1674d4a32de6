/* Acts that the interpreter ring lets pass for this thread. The first door that asks uses the
 * permission up, and the thread's next watched audit event ends it. */
#ifndef FS_PASSES_H
#define FS_PASSES_H

#include <stdbool.h>

/* The import system is about to read `path`, the zip that a sealed handler came from. This one open
 * is not reported: if it is refused, the import system gets a copy (archive.c). */
void passes_archive(const char *path);
bool passes_take_archive(const char *path);
/* The runtime client forks one of its workers (Managed Instances). This one fork passes, and its
 * child is not on probation. */
void passes_fork(void);
bool passes_take_fork(void);
void passes_forget(void);

#endif
