/* Folders that are held open, and names in them. */
#ifndef FS_PLACES_H
#define FS_PLACES_H

#include "files/files.h"

enum { PLACES_HOPS = 40 }; /* links that are followed, as by the kernel */

/* Opens a plain path that contains no link. Returns -1 if the path must be resolved step by step.
 */
int places_open_plain(const char *path, int flags);

/* The target of a symbolic link, in memory of its own (sys_scratch, PATH_MAX). NULL if `place` is
 * not a link. */
char *places_read_link(const struct place *place);

#endif
