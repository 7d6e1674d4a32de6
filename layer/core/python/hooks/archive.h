/* What the import system reads of the zip that a sealed handler came from. */
#ifndef FS_ARCHIVE_H
#define FS_ARCHIVE_H

#include <stdbool.h>

enum { ARCHIVE_PATH_MAX = 1024 };

/* Call it before the seal. From now on io.open_code(path), by which zipimport reads, returns a copy
 * of the archive without the handler ("pkg/main.py"), if the import system asks. Every other open
 * is judged. If no copy can be made, or the rule does not block, nothing changes. */
void archive_seal(const char *path, const char *member);
/* `path` is the zip that a sealed handler came from. */
bool archive_is(const char *path);
/* By the names of the frames, the import system is at work: zipimport opens, called by importlib.
 */
bool archive_import_reads(void);

#endif
