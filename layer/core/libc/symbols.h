/* The loaded objects, read without libc's locks: who comes next behind a door, and whose code an
 * address is. */
#ifndef FS_SYMBOLS_H
#define FS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills `real` with the first definition of each door behind this library. False where the list of
 * objects cannot be found. */
bool symbols_resolve(void);

/* libc, or a library that was loaded since the last time, has a function for the slot of `symbol`
 * in `real`. Looks again where it had none. */
#define SYMBOLS_HAVE(symbol) symbols_have((void *const *)(void *)&real.symbol)
bool symbols_have(void *const *slot);

struct symbols_object {
    const char *path; /* as the loader keeps it: "" for the program itself */
    uintptr_t base, end;
};
/* The loaded object that holds `address`; false where none does. */
bool symbols_object_of(const void *address, struct symbols_object *object);
/* `address`'s object defines `name` itself: it stands in front of it, as this library does. */
bool symbols_defines(const void *address, const char *name);
/* What a call of `name` by `caller` leads to behind this library's own: that of the program and
 * what it needs; else that of the caller's object, of what that needs, or of whichever object has
 * one. NULL: none. */
void *symbols_behind(const void *caller, const char *name);
/* The program's own function of that name, which it exports; NULL where it has none. */
void *symbols_of_program(const char *name);
/* From now on the program's calls of another object's `name` lead to `ours`; `*before`: where they
 * led. Does nothing where it calls none. For its start: no other thread may be calling. */
void symbols_rebind(const char *name, void *ours, void **before);
/* `address`'s object was loaded before the program's first line. */
bool symbols_early(const void *address);
/* From now on what is loaded is not early. */
void symbols_program_starts(void);

#endif
