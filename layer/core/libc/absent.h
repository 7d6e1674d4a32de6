/* Functions that this libc lacks.
 *
 * No door asks whether libc has its function: it judges, and then calls `real.X`, which is never
 * NULL. If libc has no X, `real.X` is a stand-in: the system call of that name, or ENOSYS. A door
 * that asked first would return before it judged. */
#ifndef FS_ABSENT_H
#define FS_ABSENT_H

#include <stdbool.h>

/* Fills the slots of `real` that no library has filled. */
void absent_fill(void);
/* `slot` of `real` holds a stand-in, or nothing yet. */
bool absent_is(void *const *slot);
/* A library that was loaded since has the function. */
void absent_found(void *const *slot);

#endif
