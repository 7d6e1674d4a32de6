/* The rule for child processes: what the doors that fork, execute and spawn share. */
#ifndef FS_PROCESSES_H
#define FS_PROCESSES_H

#include <stdbool.h>

#include "guard/guard.h"
#include "events/events.h"

/* The path of an open object. Returns true if the path still leads to it: false for memfds,
 * unlinked files and other objects without a name. `resolved` (PATH_MAX bytes) then still has what
 * /proc says, for the event. */
bool processes_resolve(int fd, char *resolved);

/* The verdict for executing `resolved`; NULL: an object that has no name, which no exception can
 * name either. */
struct fs_verdict processes_decide(const char *resolved, const void *caller);

/* This act was reported already: by the interpreter ring, or by the parent of a shell. */
bool processes_is_shown(const char *resolved);

/* Reports, unless this thread's last refusal, a moment ago, was the same. A caller that falls back
 * (from vfork to fork, from one folder of PATH to the next) does one thing. */
void processes_report_blocked(const struct act *act, const struct fs_verdict *verdict);

/* Forgets it: this is a forked child. */
void processes_forget_refusal(void);

/* The policy allows some program, so a fork can be the first half of starting one. */
bool processes_have_exceptions(void);

/* The verdict for a fork, also for the interpreter ring. os.fork asks for a copy of the function:
 * only the entry `fork` allows that, and only with memory and fds of its own (`flags` of clone).
 * The fork beneath an allowed subprocess raises no audit event, and its child is on probation until
 * it executes. */
struct fs_verdict processes_judge_fork(unsigned long flags, const void *caller);

#endif
