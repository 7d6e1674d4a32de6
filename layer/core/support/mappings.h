/* Whose code an address is, as the kernel tells it: the path in /proc/self/maps cannot be dressed
 * up as the loader's can. */
#ifndef FS_MAPPINGS_H
#define FS_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
    uintptr_t low, high; /* of all neighbouring mappings of the file */
    char path[1024]; /* resolved; "" for memory without a file */
};

/* False where the address is not mapped, its path does not fit, or /proc is absent. Makes system
 * calls only. */
bool mapping_of(const void *address, struct mapping *mapping);

/* Every page of the range is a file's own, unwritten and not writable, and `approves` says so of
 * each file's path. */
bool mappings_are_files(const void *start, size_t size, bool (*approves)(const char *path));

/* A mapping in the range has a path of which `finds` says so: it stays in `path` (PATH_MAX bytes),
 * and is cut where it is very long. True with "" where /proc cannot be read. */
bool mappings_any(const void *start, size_t size, bool (*finds)(char *path), char *path);

#endif
