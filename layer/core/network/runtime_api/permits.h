/* Requests to the Runtime API that callers other than its client may make. Each must be whole, and
 * alone on its connection, except for those that the clients of Node, Java and Ruby make in their
 * own language (PERMIT_KEPT). Pure functions. */
#ifndef FS_PERMITS_H
#define FS_PERMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/first_bytes/host_header.h"

enum permit {
    /* of a snapshot, where AWS_CONTAINER_CREDENTIALS_FULL_URI pointed here at start */
    PERMIT_CREDENTIALS = 1,
    PERMIT_INIT_ERROR = 2, /* by what is not native in a client */
    PERMIT_METADATA = 4, /* where AWS_LAMBDA_METADATA_API pointed here at start */
    PERMIT_STREAM = 8, /* a streamed response to an invocation that is under way, by Node */
    PERMIT_NEXT = 16, /* by Ruby, and by Node with the client that is all JavaScript */
    PERMIT_ERROR = 32, /* an invocation that is under way has failed, by Java and Ruby */
    PERMIT_RESTORE = 64, /* the restore of a snapshot, by Java and Python */
    PERMIT_RESTORE_ERROR = 128,
    /* With both, a whole response passes too, as PERMIT_ERROR: Ruby's client is all Ruby. */
    PERMIT_RUBY = PERMIT_NEXT | PERMIT_ERROR,
    PERMIT_RESTORES = PERMIT_RESTORE | PERMIT_RESTORE_ERROR,
    /* connections that are used again */
    PERMIT_KEPT = PERMIT_STREAM | PERMIT_NEXT | PERMIT_ERROR | PERMIT_RESTORES
};

/* Of the invocation that PERMIT_STREAM or PERMIT_ERROR answers; inside the request. */
struct permitted_id {
    const char *text;
    size_t size;
};

/* Which of `permits` (enum permit) this request is; 0: none. */
uint8_t permits_request(uint8_t permits, const struct host_request *request,
                        struct permitted_id *id);

#endif
