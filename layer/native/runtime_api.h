/* The Runtime API: who may talk to it, and what its client says.
 *
 * The client is recognised by its code: the kernel's name (/proc/self/maps) of the file that the call comes from is
 * runtime_client*.so or rapid-client*.node, as awslambdaric ships them; it lies outside /tmp; and it is on a read-only
 * filesystem or has not changed since this process began (a change time cannot be set back). A file that the function
 * writes meets neither of the last two; one that an earlier process left on a writable mount does, and stays open.
 * Where awslambdaric asks from Python itself (init errors, snapshot restore), the interpreter ring recognises its frames.
 *
 * Two requests pass for somebody else, on a connection that may carry nothing more: everybody's GET of the snapshot
 * credentials, where AWS_CONTAINER_CREDENTIALS_FULL_URI pointed at the Runtime API when the process began, and the init
 * error that Node's runtime posts from JavaScript. */
#ifndef FS_RUNTIME_API_H
#define FS_RUNTIME_API_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "learnt.h"

/* Set by the interpreter ring when the frames that connect are awslambdaric's own; taken by the next connect of the thread. */
extern __thread bool runtime_client_asked __attribute__((tls_model("initial-exec")));

extern _Atomic int runtime_api_fd;        /* the client's connection, -1: none */
extern atomic_bool runtime_api_narrow;    /* somebody else has been connected */

/* The cheap question of every send: false where nothing needs a look. */
static inline bool runtime_api_watches(int fd)
{
    return fd == atomic_load_explicit(&runtime_api_fd, memory_order_relaxed) ||
           atomic_load_explicit(&runtime_api_narrow, memory_order_relaxed);
}

/* The address is the Runtime API's, however spelled: where that is on loopback, every loopback address with its port is.
 * `names` may be NULL: they are looked up where the API was given by name. The address is normalised. */
bool runtime_api_is(const uint8_t ip[16], uint8_t version, uint16_t port, const struct learnt_names *names);
/* `name` (normalised) is the host of the Runtime API. */
bool runtime_api_is_host(const char *name);

enum runtime_asker { RUNTIME_STRANGER, RUNTIME_NARROW, RUNTIME_CLIENT };

/* Who is about to connect to the Runtime API from code at `caller`. */
enum runtime_asker runtime_api_asker(const void *caller);
/* Before such a connect: remembers the socket. False where it cannot be told from others (no SO_COOKIE). */
bool runtime_api_connects(int fd, enum runtime_asker asker, const void *caller);

/* For a watched descriptor, before bytes leave. True where it was dealt with here: `*result` and errno are the call's. */
bool runtime_api_sends(int fd, const struct iovec *vector, size_t count, int flags, const void *caller, ssize_t *result);
/* The same for calls whose bytes cannot be seen (sendfile, splice). */
bool runtime_api_sends_unseen(int fd, const void *caller, ssize_t *result);
/* After the client received. */
void runtime_api_received(int fd, const void *bytes, size_t size);

/* In a forked child. */
void runtime_api_forked(void);

/* `fd` is the client's connection. */
bool runtime_api_owns(int fd);
/* Duplicating the client's connection, wrapping it in a stream or passing it on would take it out of sight: reported; true
 * where it must fail with EACCES. For whoever duplicates descriptors; one comparison for every other descriptor. */
bool runtime_api_refuses_copy(int fd, const void *caller);

#endif
