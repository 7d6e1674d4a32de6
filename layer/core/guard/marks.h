/* Marks that say what a thread is doing, for as long as a door's frame is on its stack.
 *
 * Control can leave a door without a return: a signal handler jumps out of a slow lookup (libcurl
 * without a threaded resolver, wget), or an exception passes through. No code runs then that could
 * clear a flag. So a mark holds the frame of its door. It expires once the stack is above that
 * frame, or once the thread has jumped (jumping.c). */
#ifndef FS_MARKS_H
#define FS_MARKS_H

#include <stdbool.h>
#include <stdint.h>

struct mark {
    uintptr_t frame; /* 0: none */
    uint32_t jumps; /* of this thread, when it was set */
};

/* Returns true if the door that set a mark at `frame` is gone, for a door whose frame is at
 * `here`. */
bool marks_are_over(uintptr_t frame, uintptr_t here);

/* The thread is below the frame that set it. */
bool marks_hold(struct mark *mark);

#endif
