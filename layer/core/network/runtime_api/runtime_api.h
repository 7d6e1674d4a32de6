/* The Runtime API: which callers may talk to it, and what its client says.
 *
 * The client is recognised by the file that its code is mapped from (/proc/self/maps):
 *
 * - its name is runtime_client*.so (Python), rapid-client*.node (Node) or libaws-lambda-jni*.so
 *   (Java), as the clients ship them;
 * - it lies outside /tmp;
 * - its file system is read-only, or the file has not changed since this process began (a change
 *   time cannot be set back).
 *
 * A file that the function writes fails the last test. One that an earlier process left on a
 * writable mount passes: a known limit. For requests that awslambdaric makes from Python (init
 * errors, snapshot restore), the interpreter ring recognises its frames.
 *
 * Other callers may make a few requests (permits.c), each on a connection that carries nothing
 * else. pending.h keeps such a connection, and inspect.h judges it. */
#ifndef FS_RUNTIME_API_H
#define FS_RUNTIME_API_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "network/addresses.h"
#include "network/names/learnt.h"
#include "network/runtime_api/permits.h"

/* Set by the interpreter ring if the frames that connect are awslambdaric's. The thread's next
 * connect uses it up. */
extern __thread bool runtime_api_client_asked __attribute__((tls_model("initial-exec")));

extern _Atomic uint64_t runtime_api_fds; /* the client's connections: a bit for each fd modulo 64 */

/* The cheap test before every send and receive: false if nothing needs an inspection. */
static inline bool runtime_api_watches(int fd)
{
    return atomic_load_explicit(&runtime_api_fds, memory_order_relaxed) >> (fd & 63) & 1;
}

/* The address, on guard.runtime_api_port, is the Runtime API's, in any spelling. If the API is on
 * loopback, every loopback address counts. `ip` is normalised. */
bool runtime_api_is(const uint8_t ip[16], uint8_t version);
/* `name` (normalised) is the host of the Runtime API. */
bool runtime_api_is_host(const char *name);

enum runtime_caller { RUNTIME_OTHER, RUNTIME_PERMITTED, RUNTIME_CLIENT };

/* Which kind of caller the code at `caller` is, before it connects to the Runtime API. */
enum runtime_caller runtime_api_caller(const void *caller);
/* Before the client connects: remembers the socket, and pins its fd (files.h). Returns false if
 * other code may have it too. */
bool runtime_api_connects(int fd, const void *caller);
/* The requests that another caller may make by this socket (enum permit). */
uint8_t runtime_api_permits(int fd, const void *caller);
/* Whether a request of PERMIT_KEPT may be made now: the response to an invocation that is not
 * answered yet, or the next invocation if the last one is answered. Notes the request. */
bool runtime_api_may(uint8_t permit, const struct permitted_id *id);
/* The cookie belongs to a socket of the client. */
bool runtime_api_is_client(uint64_t cookie);

/* The verdict on other callers than the client. */
struct fs_verdict runtime_api_judge(void);
/* The policy refuses them. */
bool runtime_api_blocks(void);
/* The same, and reports. */
bool runtime_api_refuses(const void *caller);

/* A program that was started has the client's connection at `fd`. Returns true if it may not stay,
 * which is reported. Else it is watched: most programs do not know that they have it, and any code
 * that uses it is another caller. */
bool runtime_api_refuses_inherited(int fd);

/* For a watched fd, before bytes leave. Returns true if the call was refused: `*result` and errno
 * are those of the call. */
bool runtime_api_sends(int fd, const struct iovec *vector, size_t count, const void *caller,
                       ssize_t *result);
/* The same for calls whose bytes no door can read (sendfile, splice). */
bool runtime_api_sends_unseen(int fd, const void *caller, ssize_t *result);
/* Before bytes are received by a watched fd. Returns true if the call fails with EACCES. */
bool runtime_api_refuses_receiving(int fd, const void *caller);
/* After the client has received. */
void runtime_api_received(int fd, const void *bytes, size_t size);

/* A copy of the client's connection, a stream around it, or passing it on could not be watched.
 * Reports it, and returns true if it must fail with EACCES. For doors that duplicate fds. Any other
 * fd costs one comparison. */
bool runtime_api_refuses_copy(int fd, const void *caller);

#endif
