/* A zip without some of its modules. Pure. */
#ifndef FS_ZIP_H
#define FS_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies to `to`, which is all zeros, the archive's entries and its directory, and nothing that
 * lies between. False where this is no archive that zipimport of every Python reads: one disk, no
 * Zip64.
 */
bool zip_copy(uint8_t *to, const uint8_t *from, size_t size);
/* Overwrites the entries of the module at `member` ("pkg/main.py"), its source and compiled forms;
 * their names stay. False where that cannot be done. */
bool zip_blank(uint8_t *bytes, size_t size, const char *member);

#endif
