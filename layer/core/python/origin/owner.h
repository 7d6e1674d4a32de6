/* Which distribution a file belongs to, for entries with `only_for`: by the lists that installers
 * write, from the outermost folder of packages inwards. A folder that a package brings along cannot
 * claim what an outer folder has claimed. */
#ifndef FS_OWNER_H
#define FS_OWNER_H

#include <stdint.h>

/* A set of guard/callers.h. `site`: a folder of sys.path that holds `path`; its length, or 0. */
uint64_t owner_of(const char *path, unsigned site);

#endif
