/* The JavaScript caller of an act: the innermost frame that is neither Node's own nor Lambda's
 * runtime's, and the npm package of its file. */
#ifndef FS_CALLER_H
#define FS_CALLER_H

#include <stdbool.h>

#include "events/events.h"

/* Fills `origin` from this thread's frames. False where nobody's are on the stack, where the act
 * was not asked of Node's own machine code, and in a forked child. What it says is what scripts say
 * of themselves: it names, it decides nothing. Keeps errno. */
bool caller_read(struct guard_origin *origin, const struct guard_act *act);

#endif
