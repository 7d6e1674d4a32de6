/* The command that is to run guarded. */
#ifndef FS_WRAPPER_COMMAND_H
#define FS_WRAPPER_COMMAND_H

#include <limits.h>
#include <stdbool.h>

/* Finds the program `name` like a shell. Refuses if there is none. */
void command_find(const char *name, char out[PATH_MAX]);

/* Refuses a program that the core cannot be loaded into: the event begins with `what` and the path.
 * Returns how many #! lines lead to the ELF that will run, `interpreter`. */
unsigned command_check(const char *path, const char *what, char interpreter[PATH_MAX]);

/* pyenv, asdf, mise and the like put a script before each program (…/shims/python3), which starts
 * other programs to find the real one. It counts as a wrapper: COMMAND itself is the first ELF
 * program, or script, of that name. */
bool command_is_shim(const char *path);

/* How the core tells COMMAND from what leads to it: see handed_on.h. */
struct command_identity {
    char program[48];
    char words[1100];
};

/* Also checks the program that `env` will start. */
void command_identify(const char *program, char *const *arguments, bool has_wrapper,
                      struct command_identity *identity);

#endif
