/* Values of environment variables whose names look secret, so that no event shows them. */
#ifndef FS_SECRETS_H
#define FS_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_SHORTEST = 8, SECRETS_MARKS = 128 };

/* Adds the values in `environment`. */
void secrets_read(char *const *environment);
/* How many bytes of `text` are a secret, or the beginning of one that the text's end cut off; 0
 * where none begins here. The longest, where one secret begins as another does. */
size_t secrets_at(const char *text);
/* Writes, for a child whose environment may lack them, a mark of each secret from which its value
 * cannot be recovered. Returns the length, which with its NUL is at most `size`. Returns 0 and
 * writes nothing if not even "every text is one" fits. */
size_t secrets_describe(char *out, size_t size);
/* What a parent described. */
void secrets_restore(const char *text);

#endif
