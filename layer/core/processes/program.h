/* Whether a program can be guarded: our loader, our class, no privileges gained. */
#ifndef FS_PROGRAM_H
#define FS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#define FS_PROGRAM_DEPTH 4
#define FS_PROGRAM_LINE  256 /* what the kernel reads of a script (BINPRM_BUF_SIZE) */

struct fs_program_script {
    char interpreter[FS_PROGRAM_LINE];
    char argument[FS_PROGRAM_LINE]; /* "" where the #! line has none */
};

struct fs_program {
    /* The ELF that will run, open for reading and close-on-exec, or -1. The caller closes it. */
    int fd;
    /* The errno with which the kernel itself would refuse to execute this, or 0. */
    int error;
    unsigned scripts; /* #! lines that were followed; [0] is the line of the file that was named */
    struct fs_program_script script[FS_PROGRAM_DEPTH];
};

/* Returns NULL if the program at `path` (links followed) can be guarded, else a sentence with the
 * reason and the fix. A script is judged by its interpreter, at most four deep. `interpreter`
 * (PATH_MAX bytes or NULL) gets the ELF that will run, without links; `scripts` (or NULL) the
 * number of #! lines that lead to it. Makes system calls only; uses no state of libc. */
const char *fs_program_check(const char *path, char *interpreter, size_t size, unsigned *scripts);

/* The same for an open object (O_PATH suffices), with what was found on the way. `hold`: no process
 * may open the ELF for writing while program->fd is open (a read lease, where the file system and
 * this user's rights permit one). */
const char *fs_program_check_object(int fd, bool hold, struct fs_program *program);

/* "/proc/thread-self/fd/N" into `buffer`, which has 48 bytes. */
void fs_program_fd_path(int fd, char *buffer);

#endif
