/* The code that made a socket in Node. Node connects it, or sends by it, in a later turn of its
 * event loop, when that code is no longer on the stack.
 *
 * For each such socket Node creates a C++ object by libstdc++'s `operator new`, while the calling
 * JavaScript is on the stack. The program's reference to `operator new` is redirected to a function
 * here, which notes the caller. At the connection, libuv tells which object has the fd. */
#ifndef FS_SOCKET_ORIGIN_H
#define FS_SOCKET_ORIGIN_H

#include <stdbool.h>

#include "events/events.h"

/* Before the program's first line. Does nothing in a program that does not export Node's and
 * libuv's functions, or that has `operator new` of its own. */
void socket_origin_start(void);

/* The code that made the socket of `act`. Returns false if that is not known. Keeps errno. */
bool socket_origin_read(struct origin *origin, const struct act *act);

#endif
