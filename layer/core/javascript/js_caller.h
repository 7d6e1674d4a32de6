/* The JavaScript caller of an act: the innermost frame that is neither Node's own nor Lambda's
 * runtime's, and the npm package of its file. */
#ifndef FS_JS_CALLER_H
#define FS_JS_CALLER_H

#include <stdbool.h>

#include "events/events.h"

/* Node's own machine code does the act, at a time when V8 can answer. */
bool js_caller_is_node(const struct act *act);

/* Frames of JavaScript that are not Node's own, innermost first, for an act that comes later. */
struct js_caller_frames {
    unsigned count;
    size_t size;
    int lines[8];
    char names[960]; /* file, function; file, function; … */
};
/* Keeps this thread's frames: those among the `first` innermost, or among all if these are all
 * Node's own. Returns false if there are none. Keeps errno. */
bool js_caller_keep(struct js_caller_frames *kept, int first);

/* Fills `origin` from kept frames, or from this thread's if `kept` is NULL. Returns false if there
 * are none, and in a forked child. Scripts can claim anything, so an origin names, and decides
 * nothing. Keeps errno. */
bool js_caller_read(struct origin *origin, const struct js_caller_frames *kept);

#endif
