/* What one event says, as one line: violations, and the guard's own. */
#ifndef FS_LINES_H
#define FS_LINES_H

#include "events/events.h"

/* Gives the process a nonce and a queue of its own. */
void lines_begin(void);

/* Writes one line about an act that happened `count` times. `repeated`: it was written before. */
void lines_write(const struct guard_act *act, const struct fs_verdict *verdict,
                 const struct guard_origin *origin, uint32_t count, bool repeated);

/* The program wrote to fd 1 or 2. If that is the pipe of the event stream too, the next event
 * begins on a new line. */
void guard_wrote(int fd, const void *bytes, size_t size);

/* The ids of the invocation and of its tenant (size 0: none), read from the runtime client's
 * requests. */
void guard_invocation_begins(const char *request_id, size_t size, const char *tenant,
                             size_t tenant_size);
/* The function's ARN, as the Runtime API told the client; the first one stays. */
void guard_function_arn(const char *arn, size_t size);
/* One armed / refused / disabled event. guard_refuse does not return: exit status 78. */
void guard_announce_armed(const char *const *rings, unsigned ring_count, const char *runtime);
/* In the function's process after the restore of a snapshot. Uses a new nonce, because many
 * processes may be restored from one snapshot. */
void guard_announce_restored(void);
/* The answer of --self-test, on standard output. */
void guard_announce_self_test(const char *const *rings, unsigned ring_count, const char *runtime);
_Noreturn void guard_refuse(const char *sentence);

#endif
