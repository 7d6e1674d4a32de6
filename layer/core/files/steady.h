/* Paths that no process with this one's rights can make lead elsewhere. */
#ifndef FS_STEADY_H
#define FS_STEADY_H

#include <stdbool.h>

/* This process may write to no folder on the way of this absolute path. */
bool steady_path(const char *path);
/* The same for anything in this folder. */
bool steady_folder(const char *folder);

#endif
