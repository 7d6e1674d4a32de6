/* The names of a policy that contain variables of the function's configuration, built once at
 * start, so that a decision only looks into a table. Pure: the caller provides the variables'
 * values and the memory. */
#ifndef FS_EXPANSION_H
#define FS_EXPANSION_H

#include "policy/policy.h"

struct fs_expanded { /* name 0: an empty slot, as in fs_host_slot */
    uint32_t hash;
    uint32_t name; /* offset into `text` */
    uint32_t rule;
    uint32_t wildcard;
};

struct fs_expansion {
    const struct fs_policy *policy;
    const struct fs_expanded *slots; /* open addressing */
    uint32_t slot_count; /* a power of two, or 0 */
    const char *text;
    uint32_t unfit; /* templates with a variable that is unset or unfit */
    const uint8_t *left_out; /* for each template: 1 if it was left out */
};

/* The value of a variable as it was at start, NULL where it was not set. */
typedef const char *fs_variable_value(void *context, const char *name);

/* The bytes of memory that fs_expand needs for `policy`; 0 if it has no variables. */
size_t fs_expansion_size(const struct fs_policy *policy);

/* Builds the names in `memory`, of fs_expansion_size bytes, 8-byte aligned and zero. Returns false
 * if `policy` has none. The labels {region}, {account} and {vpce} stay: matching.c puts them into
 * the queried name. */
bool fs_expand(const struct fs_policy *policy, fs_variable_value *value, void *context,
               void *memory, struct fs_expansion *expansion);

/* True where `value` may stand for a variable of this kind. */
bool fs_variable_fits(enum fs_variable_kind kind, const char *value);

/* `region` if it can be one, else "". */
const char *fs_region_of(const char *region);
/* `account` if it is 12 digits, else "". */
const char *fs_account_of(const char *account);

#endif
