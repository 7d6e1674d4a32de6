/* Other places where the files of /tmp are mounted: the same files by other paths, under the same
 * rule. */
#ifndef FS_TMP_MOUNTS_H
#define FS_TMP_MOUNTS_H

#include <limits.h>
#include <stdbool.h>

/* `tmp` is the resolved path of /tmp, and stays. If /tmp is not `on_root_mount`, a path that
 * crosses no mount may be such a place as well, and the mounts are read now. Otherwise they are
 * read when it first matters. */
void tmp_mounts_start(const char *tmp, bool on_root_mount);

/* The mounts have been read, or no rule needs them. Otherwise a path can be taken at its word only
 * if it crosses no mount. */
bool tmp_mounts_known(void);

/* There are such places. Reads /proc/self/mountinfo, once; true if it cannot be read now. */
bool tmp_mounts_any(void);

/* True as well if the mounts cannot be read now. */
bool tmp_mounts_has(const char *path);

/* Rewrites `path` to the path under /tmp that it stands for, or "" if that cannot be told. Returns
 * false, and changes nothing, if it stands for none. */
bool tmp_mounts_translate(char path[PATH_MAX]);

#endif
