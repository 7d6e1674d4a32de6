/* Folders that are held open, and names in them. */
#ifndef FS_PLACES_H
#define FS_PLACES_H

#include "files/files.h"

enum { PLACES_HOPS = 40 }; /* links that are followed, as by the kernel */

/* Opens a path that is plain, if it holds no link; -1 where the long way is due. */
int places_open_plain(const char *path, int flags);

/* Where a symbolic link leads, in memory of its own (sys_scratch, PATH_MAX); NULL where `place` is
 * none. */
char *places_read_link(const struct place *place);

#endif
