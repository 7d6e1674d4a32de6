/* Marks that say what a thread is in the middle of, for as long as a door's frame is on its stack.
 *
 * Control can leave a door sideways: a signal handler jumps out of a lookup that takes too long
 * (libcurl without a threaded resolver, wget), an exception is thrown through it. Nothing is run
 * then that could lower a flag. So a mark holds the frame of its door, and is over once the stack
 * is above it, or once the thread has jumped (jumping.c). */
#ifndef FS_MARKS_H
#define FS_MARKS_H

#include <stdbool.h>
#include <stdint.h>

struct mark {
    uintptr_t frame; /* 0: none */
    uint32_t jumps; /* of this thread, when it was set */
};

/* What a door at `here` says of one that it finds at `frame`: it is gone. */
bool marks_are_over(uintptr_t frame, uintptr_t here);

/* The thread is below the frame that set it. */
bool marks_hold(struct mark *mark);

#endif
