/* Verdicts on a path whose object is not opened. */
#ifndef FS_PATHS_H
#define FS_PATHS_H

#include "files/files.h"

/* Judges the object that creating `path` would make or change (links are followed). Returns as
 * files_judge_fd. */
bool paths_judge_creation(int dirfd, const struct path *path, int flags, struct judged *judged,
                          const void *caller);

#endif
