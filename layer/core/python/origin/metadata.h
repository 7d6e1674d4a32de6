/* Which installed distribution a file belongs to, by the metadata beside it: dist-info, egg-info,
 * editable installs.
 *
 * For reports it gives a name and a version for people, as the package's own author claims them.
 * Entries with `only_for`, which narrow, use `exact`. Plain system calls: no door, no allocator, no
 * Python. Reads regular files only, never through a link, never blocking, and within bounds of
 * bytes and of entries. */
#ifndef FS_METADATA_H
#define FS_METADATA_H

#include <stdbool.h>
#include <stddef.h>

struct metadata {
    char name[128], version[64]; /* "" where not known */
    bool exact; /* its RECORD lists the file, or it has none and no other has such a package; and
                   no other metadata has its name */
    bool claimed; /* some distribution has files in this package */
    bool searched; /* every list was read: what was not found does not exist */
};

/* The distribution that installed `rest` ("yaml/reader.py") below the folder `root`. Returns false
 * if no list names the file, if another thread searches for too long, or without memory. The result
 * is remembered if every list was read. Keeps errno. */
bool metadata_of(const char *root, const char *rest, struct metadata *found);

/* The distribution of `rest` whose metadata lies in the folder `site`, installed from a project
 * folder (PEP 610) that `path` lies in. */
bool metadata_editable(const char *site, const char *rest, const char *path,
                       struct metadata *found);

enum { METADATA_NAME = 256 };
/* PEP 503: lower case, one dash for any run of "-_.". `length` bytes of `text`. */
void metadata_normalise(char out[METADATA_NAME], const char *text, size_t length);
/* Opens the METADATA of the distribution `name` (normalised) below `root`. -ENOENT if there is
 * none, else -errno if that is uncertain, such as -EEXIST if there are two. */
int metadata_open(const char *root, const char *name);

#endif
