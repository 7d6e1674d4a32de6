/* Who made a request that libuv carries out in a thread of its own: a lookup, or an `fs` call that
 * takes a callback or makes a promise.
 *
 * libuv allocates room for the request's path or name while the JavaScript that asks is on the
 * stack, and passes that same memory to libc later. So the allocator that libuv lets a program
 * choose (uv_replace_allocator) notes the caller, and the memory's address tells the request. */
#ifndef FS_SUBMITTED_H
#define FS_SUBMITTED_H

#include <stdbool.h>

#include "events/events.h"

/* Before the program's first line. Does nothing in a program that does not export libuv. */
void submitted_start(void);

/* The caller of an act without a caller on this thread's stack: who made the request that this
 * thread carries out, or the lookup whose answer Node is passing on. False where none is known.
 * Keeps errno. */
bool submitted_read(struct guard_origin *origin, const struct guard_act *act);

#endif
