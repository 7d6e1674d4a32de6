/* Doors of guard integrity that refuse some of their calls. Those that refuse all are generated:
 * refusing.c. */
#include "guard/guard.h"
#include "events/attempts.h"

extern int unshare(int);
DOOR int unshare(int flags)
{
    if (flags != 0 && guard_ready() &&
        integrity_refused("leave shared state with", "unshare", CALLER()))
        return -1;
    return real.unshare(flags);
}

/* A filter answers the guard's own calls as it likes. Five arguments, as the kernel takes. */
enum { SET_SECCOMP = 22, SET_SYSCALL_USER_DISPATCH = 59 };

extern int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long);
DOOR int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    if (UNLIKELY(option == SET_SECCOMP || option == SET_SYSCALL_USER_DISPATCH) && guard_ready() &&
        integrity_refused("filter system calls with", "prctl", CALLER()))
        return -1;
    if (UNLIKELY(!real.prctl)) guard_start();
    return real.prctl(option, a, b, c, d);
}

#include "doors_integrity.gen.h"
