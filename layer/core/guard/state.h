/* The state of this process that few units need. See guard.h for the rest. */
#ifndef FS_STATE_H
#define FS_STATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "guard/handed_on.h"

extern char guard_program_name[64]; /* base name of the running program */
extern char guard_program_path[1024];
extern char guard_policy_sha256[65], guard_floor_sha256[65];
extern char guard_pythonpath_was_set;
extern bool guard_runs_covered; /* see guard_covered */

#endif
