/* Functions that this libc lacks.
 *
 * No door asks whether libc has its function: it judges, and then calls `real.X`, which always
 * leads somewhere. Where libc has no X that is a stand-in: the system call of that name, or ENOSYS.
 * Asking first was a way past the judgement. */
#ifndef FS_ABSENT_H
#define FS_ABSENT_H

#include <stdbool.h>

/* Fills the slots of `real` that no library has filled. */
void absent_fill(void);
/* `slot` of `real` holds a stand-in, or nothing yet. */
bool absent_is(void *const *slot);
/* A library has it after all: it was loaded since. */
void absent_found(void *const *slot);

#endif
