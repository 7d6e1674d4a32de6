/* The compiled policies that the command is started under. */
#ifndef FS_WRAPPER_POLICIES_H
#define FS_WRAPPER_POLICIES_H

#include <limits.h>

#include "policy/policy.h"

struct compiled {
    char path[PATH_MAX]; /* "" where there is none */
    char sha256[65];
    const struct fs_policy *policy; /* NULL where there is none */
};

/* Reads the policy that FUNCTION_SHIELD_POLICY or the function's name chooses, and the floor where
 * the layer has one. Refuses what cannot be read or used. */
void policies_read(struct compiled *policy, struct compiled *floor);

#endif
