/* The loaded objects, read without libc's locks: who comes next behind a door, and whose code an address is. */
#ifndef FS_SYMBOLS_H
#define FS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills `real` with the first definition of each door behind this library. False where the list of objects cannot be found. */
bool symbols_resolve(void);

struct symbols_object {
    const char *path; /* as the loader keeps it: "" for the program itself */
    uintptr_t base, end;
};
/* The loaded object that holds `address`; false where none does. */
bool symbols_object_of(const void *address, struct symbols_object *object);
/* `address`'s object defines `name` itself: it stands in front of it, as this library does. */
bool symbols_defines(const void *address, const char *name);
/* `address`'s object was loaded before the program's first line. */
bool symbols_early(const void *address);
/* From now on what is loaded is not early. */
void symbols_program_starts(void);

#endif
