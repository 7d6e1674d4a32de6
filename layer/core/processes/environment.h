/* The environment of a child: whatever the caller passes, the child is guarded by the same policy.
 */
#ifndef FS_ENVIRONMENT_H
#define FS_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

struct environment {
    char **list; /* NULL-terminated, all of it in the arena */
    char dropped[64]; /* the first of the caller's variables that was removed; "" if none was */
};

/* Bytes that environment_build needs for `list` (NULL: an empty one); 0 where there is more than a
 * kernel would take. */
size_t environment_size(char *const *list);

/* `list` is a copy already. Builds in `arena`, from the variables that may pass.
 * `enforce`: drops the caller's loader variables; else puts ours before the caller's. Returns
 * false if it does not fit. */
bool environment_build(struct environment *out, char *const *list, bool enforce, bool covered,
                       char *arena, size_t size);

#endif
