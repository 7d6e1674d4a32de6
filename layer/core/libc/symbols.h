/* The loaded objects, read without libc's locks: the next definition after a door, and the object
 * of an address. */
#ifndef FS_SYMBOLS_H
#define FS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills `real` with the first definition of each door after this library. Returns false if the list
 * of objects cannot be found. */
bool symbols_resolve(void);

/* Returns true if libc, or a library that was loaded since, has the function `symbol`. Searches
 * again if `real` had none. */
#define SYMBOLS_HAVE(symbol) symbols_have((void *const *)(void *)&real.symbol)
bool symbols_have(void *const *slot);

struct symbols_object {
    const char *path; /* as the loader keeps it: "" for the program itself */
    uintptr_t base, end;
};
/* The loaded object that holds `address`; false where none does. */
bool symbols_object_of(const void *address, struct symbols_object *object);
/* The object of `address` defines `name` itself: it interposes it, as this library does. */
bool symbols_defines(const void *address, const char *name);
/* The definition of `name` that a call by `caller` would reach without this library: that of the
 * program and its dependencies; else that of the caller's object or its dependencies, or of any
 * object. NULL if there is none. */
void *symbols_behind(const void *caller, const char *name);
/* The program's own function of that name, which it exports; NULL where it has none. */
void *symbols_of_program(const char *name);
/* Redirects the program's calls of another object's function `name` to `ours`. `*before` gets the
 * old target. Does nothing if the program calls none. Use it at start only, when no other thread
 * can be calling. */
void symbols_rebind(const char *name, void *ours, void **before);
/* `address`'s object was loaded before the program's first line. */
bool symbols_early(const void *address);
/* Objects that are loaded from now on are not early. */
void symbols_program_starts(void);

#endif
