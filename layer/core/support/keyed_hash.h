/* SipHash-1-3 with a key of this process, for tables and marks whose strings an attacker chooses.
 */
#ifndef FS_KEYED_HASH_H
#define FS_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

struct keyed_hash {
    uint64_t v[4];
    uint64_t word; /* bytes that do not fill eight yet */
    size_t size; /* of everything added */
};

/* Draws the key. Before the first hash; a forked child keeps its parent's. */
void keyed_hash_start(void);

void keyed_hash_begin(struct keyed_hash *hash);
void keyed_hash_bytes(struct keyed_hash *hash, const void *bytes, size_t size);
/* With its end, so that "ab","c" and "a","bc" differ. NULL is not "". */
void keyed_hash_text(struct keyed_hash *hash, const char *text);
void keyed_hash_number(struct keyed_hash *hash, uint64_t number);
/* Never 0. */
uint64_t keyed_hash_end(struct keyed_hash *hash);

#endif
