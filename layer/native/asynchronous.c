/* Doors of writes that happen later, in a thread of libc's or in the kernel: what they send cannot be judged. */
#include <stddef.h>
#include <string.h>

#include "guard.h"
#include "inspect.h"
#include "sys.h"

/* struct aiocb begins with its descriptor. */
static bool refused(const void *block, const void *caller)
{
    int fd;
    if (block == NULL || !sys_readable(block, sizeof fd)) return false;
    memcpy(&fd, block, sizeof fd);
    return inspect_refuses_unseen(fd, caller);
}

static int missing(void)
{
    errno = ENOSYS;
    return -1;
}

DOOR int aio_write(void *block)
{
    if (UNLIKELY(pending_any()) && guard_ready() && refused(block, CALLER())) return -1;
    return real.aio_write != NULL ? real.aio_write(block) : missing();
}

DOOR int lio_listio(int mode, void *const *blocks, int count, void *event)
{
    if (UNLIKELY(pending_any()) && guard_ready() && blocks != NULL && count > 0 && sys_readable(blocks, sizeof *blocks * (size_t)count)) {
        for (int i = 0; i < count; i++)
            if (refused(blocks[i], CALLER())) return -1;
    }
    return real.lio_listio != NULL ? real.lio_listio(mode, blocks, count, event) : missing();
}

#include "aliases_asynchronous.gen.h"
