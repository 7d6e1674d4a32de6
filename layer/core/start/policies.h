/* The policies that this process obeys: mapped, checked, sealed. */
#ifndef FS_POLICIES_H
#define FS_POLICIES_H

/* Maps policy and floor; `floor` is "" if there is none. Does not return if one of them does not
 * match the digest that the launcher computed. */
void policies_map(const char *policy, const char *policy_sha, const char *floor,
                  const char *floor_sha);
/* Builds the names in policy and floor that contain variables of the function's configuration. */
void policies_expand(void);
/* Notes which rules have anything to watch. */
void policies_watch(void);

#endif
