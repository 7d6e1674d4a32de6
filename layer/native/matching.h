/* How an allow entry is found for a request: what policy.c and matching.c share. Pure functions, as fs_policy_decide. */
#ifndef FS_MATCHING_H
#define FS_MATCHING_H

#include "policy.h"

/* How well an allow entry fits: a port that does not match is told apart, so that the reason can say so. */
enum fit { FIT_NONE, FIT_PORT, FIT_WHOLE };

struct best {
    enum fit fit;
    uint32_t rule;
    const struct fs_rule *entry; /* only rules of its entry count; NULL: all do */
};

enum fit rule_fits(const struct fs_policy *policy, uint32_t index, const struct fs_request *request);
/* Keeps the better one. True where there is nothing better to be found. */
bool consider(struct best *best, enum fit fit, uint32_t rule);
/* `*` and `?` do not match a slash, `**` matches anything. */
bool glob_matches(const char *pattern, const char *text);

/* Looks `host` up, which is normalised: as it is, as a name of this function's region, and among the names with variables. */
void match_host(const struct fs_policy *policy, const char *host, const struct fs_request *request, struct best *best);
/* The rule that would allow one of the request's names, had its variable been set to it; UINT32_MAX where there is none. */
uint32_t unfit_rule(const struct fs_policy *policy, const struct fs_request *request);

#endif
