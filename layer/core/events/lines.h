/* What one event says, as one line. */
#ifndef FS_LINES_H
#define FS_LINES_H

#include "events/events.h"
#include "events/json.h"

/* Gives the process a nonce and a queue of its own. */
void lines_begin(void);

/* Writes one line about an act that happened `count` times. `repeated`: it was written before. */
void lines_write(const struct act *act, const struct fs_verdict *verdict,
                 const struct origin *origin, uint32_t count, bool repeated);

/* The program wrote to fd 1 or 2. If that is the pipe of the event stream too, the next event
 * begins on a new line. */
void lines_wrote(int fd, const void *bytes, size_t size);

/* The ids of the invocation and of its tenant (size 0: none), read from the runtime client's
 * requests. */
void lines_invocation_begins(const char *request_id, size_t size, const char *tenant,
                             size_t tenant_size);
/* The function's ARN, as the Runtime API told the client; the first one stays. */
void lines_function_arn(const char *arn, size_t size);

/* ---- for events of the guard itself (announce.c) ---- */

/* Begins a line, with what every event has. */
void lines_open(struct json *json, const char *event, const char *level);
/* Ends the line and writes it. */
void lines_close(struct json *json);
/* Draws a new nonce, and counts from 0 again. */
void lines_renew(void);

#endif
