/* Whether a program can be guarded: our loader, our class, no privileges gained. */
#ifndef FS_PROGRAM_H
#define FS_PROGRAM_H

#include <stddef.h>

/* NULL where the program at `path` (followed) can be guarded, else a sentence that says why not and the mend.
 * A script is judged by its interpreter, at most four deep. `interpreter` (PATH_MAX bytes or NULL) gets the ELF that will run.
 * Makes system calls only; no libc state. */
const char *fs_program_check(const char *path, char *interpreter, size_t size);

#endif
