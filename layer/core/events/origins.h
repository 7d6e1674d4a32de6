/* The caller of an act, in Python or JavaScript. Declared here for events, which ask if
 * `guard.interpreted` is set; python/ defines these functions, and the linker fills them in. */
#ifndef FS_ORIGINS_H
#define FS_ORIGINS_H

#include "guard/guard.h"
#include "events/events.h"

/* The caller of an act that only a door can judge; NULL where there is none, or none can be
 * told. Keeps errno. */
struct guard_origin *interpreter_origin(const struct guard_act *act);

/* Distribution and version, from the installed metadata where there is any, else the package's
 * name: once for each origin. Asks no Python. */
void origin_resolve(struct guard_origin *origin);

#endif
