/* The command that is to run guarded. */
#ifndef FS_WRAPPER_COMMAND_H
#define FS_WRAPPER_COMMAND_H

#include <limits.h>
#include <stdbool.h>

/* The program `name`, as the shell finds it. Refuses where there is none. */
void command_find(const char *name, char out[PATH_MAX]);

/* Refuses a program that the core cannot be loaded into: the event begins with `what` and the path.
 * Returns how many #! lines lead to the ELF that will run, `interpreter`. */
unsigned command_check(const char *path, const char *what, char interpreter[PATH_MAX]);

/* pyenv, asdf, mise and the like put a script in front of each program (…/shims/python3), which
 * starts others to find out which it is. It is a wrapper like any other: COMMAND itself is the
 * first ELF program, or script, of that name. */
bool command_is_shim(const char *path);

/* How the core tells COMMAND from what leads to it: see handed_on.h. */
struct command_identity {
    char program[48];
    char words[1100];
};

/* Checks what `env` is to start as well. */
void command_identify(const char *program, char *const *arguments, bool has_wrapper,
                      struct command_identity *identity);

#endif
