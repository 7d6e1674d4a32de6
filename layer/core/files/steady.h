/* Paths that nobody with our rights can make lead elsewhere. */
#ifndef FS_STEADY_H
#define FS_STEADY_H

#include <stdbool.h>

/* No folder on the way of this absolute path may be written by us. */
bool steady_path(const char *path);
/* The same of whatever lies in this folder. */
bool steady_folder(const char *folder);

#endif
