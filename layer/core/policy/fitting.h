/* How well a rule fits a request. Pure functions, as fs_policy_decide. */
#ifndef FS_FITTING_H
#define FS_FITTING_H

#include "policy/policy.h"

/* A port that does not match is a result of its own, so that the reason can say so. So is an entry
 * that counts for other callers. */
enum fit { FIT_NONE, FIT_PORT, FIT_OTHERS, FIT_WHOLE };

struct best {
    enum fit fit;
    uint32_t rule;
    const struct fs_rule *entry; /* only rules of its entry count; NULL: all do */
};

enum fit fitting_rule(const struct fs_policy *policy, uint32_t index,
                      const struct fs_request *request);
/* Keeps the better one. Returns true if no better one is possible. */
bool fitting_keeps(struct best *best, enum fit fit, uint32_t rule);
/* `*` and `?` do not match a slash, `**` matches anything. */
bool fitting_glob(const char *pattern, const char *text);

#endif
