/* Who made a socket of Node's. Node connects it, or sends by it, in a later turn of its event loop,
 * when nobody's code is on the stack.
 *
 * Node makes an object of C++ for each such socket while the JavaScript that asks is on the stack,
 * with libstdc++'s `operator new`. The program's reference to that leads to a function here, which
 * notes the caller. At the connection, libuv tells which object has the fd. */
#ifndef FS_MAKERS_H
#define FS_MAKERS_H

#include <stdbool.h>

#include "events/events.h"

/* Before the program's first line. Does nothing in a program that does not export Node's and
 * libuv's functions, or that has `operator new` of its own. */
void makers_start(void);

/* Who made the socket that `act` is about. False where that is not known. Keeps errno. */
bool makers_read(struct guard_origin *origin, const struct guard_act *act);

#endif
