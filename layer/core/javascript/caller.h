/* The JavaScript caller of an act: the innermost frame that is neither Node's own nor Lambda's
 * runtime's, and the npm package of its file. */
#ifndef FS_CALLER_H
#define FS_CALLER_H

#include <stdbool.h>

#include "events/events.h"

/* The act was asked of Node's own machine code, at a time when V8 can answer. */
bool caller_is_node(const struct guard_act *act);

/* Frames of JavaScript that are not Node's own, innermost first, for an act that comes later. */
struct caller_frames {
    unsigned count;
    size_t size;
    int lines[8];
    char names[960]; /* file, function; file, function; … */
};
/* This thread's frames: of the `first` innermost ones, or of all, where those are all Node's own.
 * False where there are none. Keeps errno. */
bool caller_keep(struct caller_frames *kept, int first);

/* Fills `origin` from frames that were kept, or from this thread's, where `kept` is NULL. False
 * where nobody's are there, and in a forked child. What it says is what scripts say of themselves:
 * it names, it decides nothing. Keeps errno. */
bool caller_read(struct guard_origin *origin, const struct caller_frames *kept);

#endif
