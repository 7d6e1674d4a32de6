/* What the doors that fork, execute and spawn share. */
#ifndef FS_PROCESSES_H
#define FS_PROCESSES_H

#include <stdbool.h>

#include "guard.h"

/* The path of an open object, and that this path still leads to it. False for memfds, unlinked files and whatever else has no
 * name now; `resolved` (PATH_MAX bytes) then still has what /proc says, for the event. */
bool processes_resolve(int fd, char *resolved);

/* The verdict for executing `resolved`; NULL: an object that has no name, which no exception can name either. */
struct fs_verdict processes_decide(const char *resolved);

/* An alert about this act was already given: by the interpreter ring, or by the parent of a shell. */
bool processes_is_shown(void);

/* Reports, unless it is the same refusal as this thread's last one a moment ago: a caller that falls back (from vfork to
 * fork, from one folder of PATH to the next) is doing one thing. */
void processes_report_blocked(const char *path, const char *arguments, const struct fs_verdict *verdict, const void *caller);

enum processes_fork { FORK_REFUSED, FORK_PASSES, FORK_PROBATION };
/* Reports where there is something to report. EACCES is set where refused. `executes`: the child may do nothing but execute
 * (vfork), so that an alert can wait for that and name the program. */
enum processes_fork processes_ask_fork(bool executes, const void *caller);

/* The system calls clone and clone3 whose child starts where the caller stands (no stack of its own). `flags` points into
 * `arguments`, our own copy. */
long processes_raw_clone(unsigned long flags, int *parent_tid, int *child_tid, unsigned long tls, const void *caller);
long processes_raw_clone3(uint64_t *flags, void *arguments, size_t size, const void *caller);
/* The same with a stack of its own, where none of our code can run in the child: 0, or -1 and errno. */
long processes_judge_raw_clone(unsigned long flags, const void *caller);

/* A thread or a process is about to begin that shares our memory and may not share our descriptors: its end is not told. */
void processes_parts(unsigned long flags);

#endif
