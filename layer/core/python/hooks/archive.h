/* What the import system reads of the zip that a sealed handler came from. */
#ifndef FS_ARCHIVE_H
#define FS_ARCHIVE_H

#include <stdbool.h>

enum { ARCHIVE_PATH_MAX = 1024 };

/* Before the seal: from now on io.open_code(path), by which zipimport reads, gives a copy of the
 * archive in memory without the handler ("pkg/main.py"), where the import system asks. Every other
 * open is judged. Where there can be no copy, or the rule does not block, nothing changes. */
void archive_seal(const char *path, const char *member);
/* `path` is the zip that a sealed handler came from. */
bool archive_is(const char *path);
/* The import system is at work, by the names of its frames: the open is one of zipimport's, asked
 * by importlib. */
bool archive_import_reads(void);

#endif
