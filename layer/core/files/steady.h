/* Steady paths: no process with the rights of this one can make them lead elsewhere. */
#ifndef FS_STEADY_H
#define FS_STEADY_H

#include <stdbool.h>

/* Returns true if this process can write to no folder on the way to `path`, which is absolute. */
bool steady_path(const char *path);
/* The same for anything in this folder. */
bool steady_folder(const char *folder);

#endif
