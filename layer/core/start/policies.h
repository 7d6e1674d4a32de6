/* The policies that this process obeys: mapped, checked, sealed. */
#ifndef FS_POLICIES_H
#define FS_POLICIES_H

/* Maps policy and floor, whose digests the launcher told; `floor` is "" where there is none. Does
 * not return where one of them is not what it was. */
void policies_map(const char *policy, const char *policy_sha, const char *floor,
                  const char *floor_sha);
/* The names of policy and floor that have variables of the function's configuration in them. */
void policies_expand(void);
/* Notes which rules there is anything to watch for. */
void policies_watch(void);

#endif
