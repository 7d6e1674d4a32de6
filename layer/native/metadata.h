/* Which installed distribution a file belongs to, by the metadata beside it: dist-info, egg-info, editable installs.
 *
 * For reports only: a name and a version for people, claimed by files that whoever wrote the package wrote too. Nothing is
 * decided by them. Plain system calls: no door, no allocator, no Python. Only regular files are read, never through a link,
 * never waiting, and within bounds of bytes and of entries. */
#ifndef FS_METADATA_H
#define FS_METADATA_H

#include <stdbool.h>
#include <stddef.h>

struct metadata {
    char name[128], version[64]; /* "" where not known */
};

/* The distribution that installed `rest` ("yaml/reader.py") below the folder `root`. False where none says so. What was found,
 * or not, is remembered; where another thread is at it for too long, or no memory is to be had, false. Keeps errno. */
bool metadata_of(const char *root, const char *rest, struct metadata *found);

/* The distribution of `rest` whose metadata lies in the folder `site`, installed from a project folder (PEP 610) that `path`
 * lies in. */
bool metadata_editable(const char *site, const char *rest, const char *path, struct metadata *found);

#endif
