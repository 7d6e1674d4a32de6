/* Which npm package a file belongs to: by its path, and by the package.json in the package's
 * folder.
 *
 * For reports only, as python/origin/metadata.h. Plain system calls: no door, no V8. */
#ifndef FS_PACKAGE_H
#define FS_PACKAGE_H

#include "events/events.h"

/* Where the package's name begins in `path`: after the last "/node_modules/". NULL if there is
 * none. */
const char *package_in(const char *path);
/* The length of that name, "NAME" or "@SCOPE/NAME", or 0. */
unsigned package_length(const char *rest);

/* Version of the package that `origin` was found in; "" where its package.json has none within its
 * first 64 KB. Keeps errno. */
void package_resolve(struct origin *origin);

#endif
