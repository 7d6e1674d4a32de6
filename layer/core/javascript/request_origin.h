/* The code that made a request which libuv carries out in a thread of its own: a lookup, or an `fs`
 * call with a callback or a promise.
 *
 * libuv allocates memory for the request's path or name while the calling JavaScript is on the
 * stack, and later passes that same memory to libc. So the allocator that libuv lets a program
 * choose (uv_replace_allocator) notes the caller, and the memory's address identifies the request.
 */
#ifndef FS_REQUEST_ORIGIN_H
#define FS_REQUEST_ORIGIN_H

#include <stdbool.h>

#include "events/events.h"

/* Before the program's first line. Does nothing in a program that does not export libuv. */
void request_origin_start(void);

/* The caller of an act that has none on this thread's stack: the code that made the request which
 * this thread carries out, or the lookup whose answer Node is passing on. Returns false if none is
 * known. Keeps errno. */
bool request_origin_read(struct origin *origin, const struct act *act);

#endif
