/* Rules by host name. Pure functions, as fs_policy_decide. */
#ifndef FS_MATCHING_H
#define FS_MATCHING_H

#include "policy/fitting.h"

/* Looks the normalised `host` up as it is, as a name of this function's region, and among the names
 * with variables. */
void matching_host(const struct fs_policy *policy, const char *host,
                   const struct fs_request *request, struct best *best);
/* The rule that would allow one of the request's names if its variable had another value;
 * UINT32_MAX if there is none. */
uint32_t matching_unfit_rule(const struct fs_policy *policy, const struct fs_request *request);

#endif
