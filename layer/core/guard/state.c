/* The state of this process. See guard.h. */
#include "guard/guard.h"
#include "support/sys.h"

struct guard guard = {.event_fd = -1};
__thread struct guard_thread guard_thread __attribute__((tls_model("initial-exec")));
atomic_int guard_state;
_Atomic uint8_t guard_tightened[4];
_Atomic uint64_t guard_fd_watches;
char guard_preload_variable[1100] = "LD_PRELOAD=";
char guard_program_name[64], guard_program_path[1024];
char guard_policy_sha256[65], guard_floor_sha256[65];
char guard_pythonpath_was_set;
bool guard_runs_covered;
_Atomic int guard_probation_pid;

bool guard_is_probation_child(void) { return atomic_load(&guard_probation_pid) == sys_getpid(); }
