/* Doors of writes that happen later, in a thread of libc or in the kernel: the bytes cannot be
 * judged. */
#include <stddef.h>
#include <string.h>

#include "libc/symbols.h"
#include "network/dns/dns_socket.h"
#include "guard/guard.h"
#include "network/first_bytes/inspect.h"
#include "support/sys.h"

/* struct aiocb begins with its fd. */
static bool refused(const void *block, const void *caller)
{
    int fd;
    if (block == NULL || !sys_readable(block, sizeof fd)) return false;
    memcpy(&fd, block, sizeof fd);
    if (UNLIKELY(dns_watches(fd)) && dns_refuses_unseen(fd, caller)) return true;
    return guard_has_pending() && inspect_refuses_unseen(fd, caller);
}

static bool any_refused(void *const *blocks, int count, const void *caller)
{
    if (blocks == NULL || count <= 0 || !sys_readable(blocks, sizeof *blocks * (size_t)count))
        return false;
    for (int i = 0; i < count; i++)
        if (refused(blocks[i], caller)) return true;
    return false;
}

#include "doors_asynchronous.gen.h"
