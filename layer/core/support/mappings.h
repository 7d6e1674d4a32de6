/* The file that an address is mapped from, as the kernel reports it: unlike the loader's list, code
 * cannot change the path in /proc/self/maps. */
#ifndef FS_MAPPINGS_H
#define FS_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
    uintptr_t low, high; /* of all neighbouring mappings of the file */
    char path[1024]; /* resolved; "" for memory without a file */
};

/* Returns false if the address is not mapped, its path does not fit, or /proc is absent. Makes
 * system calls only. */
bool mapping_of(const void *address, struct mapping *mapping);

/* Returns true if every page of the range is an unwritten, unwritable page of a file, and
 * `approves` returns true for each file's path. */
bool mappings_are_files(const void *start, size_t size, bool (*approves)(const char *path));

/* Returns true if `finds` returns true for the path of a mapping in the range; `path` (PATH_MAX
 * bytes) then has it, cut if it is very long. Returns true with "" if /proc cannot be read. */
bool mappings_any(const void *start, size_t size, bool (*finds)(char *path), char *path);

#endif
