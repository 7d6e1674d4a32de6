/* The rule for child processes: what the doors that fork, execute and spawn share. */
#ifndef FS_PROCESSES_H
#define FS_PROCESSES_H

#include <stdbool.h>

#include "guard/guard.h"
#include "events/events.h"

/* The path of an open object, and that this path still leads to it. False for memfds, unlinked
 * files and whatever else has no name now; `resolved` (PATH_MAX bytes) then still has what /proc
 * says, for the event. */
bool processes_resolve(int fd, char *resolved);

/* The verdict for executing `resolved`; NULL: an object that has no name, which no exception can
 * name either. */
struct fs_verdict processes_decide(const char *resolved, const void *caller);

/* An alert about this act was already given: by the interpreter ring, or by the parent of a shell.
 */
bool processes_is_shown(const char *resolved);

/* Reports, unless it is the same refusal as this thread's last one a moment ago: a caller that
 * falls back (from vfork to fork, from one folder of PATH to the next) is doing one thing. */
void processes_report_blocked(const struct guard_act *act, const struct fs_verdict *verdict);

/* Forgets it: this is a forked child. */
void processes_forget_refusal(void);

/* Some executable may run: a fork can then be the first half of starting it. */
bool processes_have_exceptions(void);

/* The verdict for a fork. For the interpreter ring as well: exceptions name programs, and a fork
 * that Python asks for by itself goes on as a copy of the function. The one beneath an allowed
 * subprocess is announced by no event, and its child is on probation until it executes. */
struct fs_verdict processes_judge_fork(void);

#endif
