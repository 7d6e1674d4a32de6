/* SQLite, wherever it lies: what its SQL hands an address to, and what its load_extension calls. */
#ifndef FS_SQLITE_H
#define FS_SQLITE_H

#include <stdbool.h>

/* dlsym of `name` in a handle. Returns true if SQLite would call it as an extension's entry
 * although it is none, or if it is the entry of a library of Go's, and the policy refuses that
 * (reported, errno is EACCES). */
bool sqlite_entry_refused(const void *handle, const char *name, const void *caller);

#endif
