/* What the acts share: their folder, and how a result is shown. */
#ifndef ACTS_H
#define ACTS_H

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

extern char **environ;

/* An empty folder for the act. */
extern char folder[];

/* Print the result of a call, with its errno if it failed. */
void show(const char *what, long result);

#define SHOW(call)         (errno = 0, show(#call, (long)(call)))
#define SHOW_POINTER(call) (errno = 0, show(#call, (call) != NULL ? 0 : -1))

/* Wait for the child, and print how it ended. */
void wait_for(const char *what, pid_t pid);

void threads(void);
void smallest_stack(void);
void closing(void);
void daemonise(void);
void signals(void);
void forking(void);
void spawning(void);
void streams(void);
void listing(void);
void files(void);
void stdio(void);
void standing_in(void);
void locks(void);
void sockets(void);
void names(void);
void symbols(void);
void raw(void);
void executing(void);
void limits(void);

#endif
