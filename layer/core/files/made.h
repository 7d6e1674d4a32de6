/* What the function and its children make under /tmp, where `read_write_tmp` is ephemeral.
 *
 * A table of names in /tmp, in memory that all processes of the function share. An object is the
 * function's if the name in /tmp that its path begins with stands in the table. See
 * docs/decisions/ephemeral-tmp.md. */
#ifndef FS_MADE_H
#define FS_MADE_H

#include <stdbool.h>
#include <sys/stat.h>

/* With the flags of open(2): the object is to be executed, or mapped executable. */
#define MADE_EXECUTES (1 << 30)
/* The fd was opened just now, and is no proof that the object is the function's. */
#define MADE_NEW      (1 << 29)
/* The fd was opened by a name that was judged: a thread may have removed that since. */
#define MADE_NAMED    (1 << 27)

/* Policy or floor says ephemeral. Written at start. */
extern bool made_is_on;

void made_start(void);

/* The object at `path`, which is /tmp followed by `below`, is the function's, or may be made by it.
 * `last`: a name in the folder `fd`; NULL: the object `fd` itself. `gone`: the status of `fd` if it
 * has no name any more, else NULL. */
bool made_allows(const char *below, const struct stat *gone, int fd, const char *last, int flags);

/* Called when the runtime client asks for the next event. Removes what the function made, except
 * what the policy allows. */
void made_end(void);

/* This is the segment that the table lies in. */
bool made_is_table(int id);

#endif
