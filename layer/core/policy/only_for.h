/* The callers that a rule counts for. Pure functions, as fs_policy_decide. */
#ifndef FS_ONLY_FOR_H
#define FS_ONLY_FOR_H

#include "policy/policy.h"

#define ONLY_FOR_FUNCTION "function" /* the function's own code */
#define ONLY_FOR_UNKNOWN  "unknown" /* a caller that cannot be told */

/* The rule's list: names with a space between two, normalised as PEP 503 has it; "" for all. */
const char *only_for_of(const struct fs_policy *policy, uint32_t rule);
/* A named distribution is on the stack, and all others are the function, or required by a named
 * one. */
bool only_for_counts(const char *only_for, const struct fs_callers *callers);
/* The caller because of which the entry does not count, or NULL. */
const char *only_for_outsider(const char *only_for, const struct fs_callers *callers);

#endif
