/* Marks of a thread. See marks.h. */
#include "guard/marks.h"

#include "guard/guard.h"
#include "support/sys.h"

/* The stack that libc needs for a lookup, NSS modules included. An address further down is on
 * another stack. */
enum { DEPTH = 1 << 20 };

/* A signal handler on its own stack: the door that it interrupted is still running. */
static bool is_on_signal_stack(void)
{
    struct {
        void *start;
        int flags;
        size_t size;
    } stack = {0};
    return sys_call(SYS_sigaltstack, NULL, &stack) == 0 && (stack.flags & 1 /* SS_ONSTACK */) != 0;
}

bool marks_are_over(uintptr_t frame, uintptr_t here)
{
    return frame <= here && !is_on_signal_stack();
}

bool marks_hold(struct mark *mark)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (LIKELY(here < mark->frame && mark->frame - here < DEPTH &&
               mark->jumps == guard_thread.jumps))
        return true;
    if (here >= mark->frame && !is_on_signal_stack())
        mark->frame = 0; /* it must not hold again when the stack grows */
    return false;
}
