/* Refuses a start in which the policy would block what the function is made of. */
#ifndef FS_WRAPPER_BLOCKED_PLACES_H
#define FS_WRAPPER_BLOCKED_PLACES_H

#include "policy/policy.h"

/* Which policies are asked; the floor may be NULL. Call it before the others. */
void blocked_places_start(const struct fs_policy *policy, const struct fs_policy *floor);

/* Refuses if `resolved` (a path without links) lies where a policy blocks reading. `what` begins
 * the event. */
void blocked_places_check(const char *resolved, const char *what);

/* The same for a path with links. NULL and missing files pass. */
void blocked_places_check_path(const char *path, const char *what);

/* Refuses a folder in LD_LIBRARY_PATH that the function could put libraries into, where a policy
 * blocks native_code. */
void blocked_places_check_library_path(void);

#endif
