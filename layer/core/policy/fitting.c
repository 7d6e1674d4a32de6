/* How well a rule fits a request. See fitting.h. */
#include "policy/fitting.h"

#include <string.h>

#include "policy/only_for.h"

/* Whether a rule with a region condition applies in `region`. */
static bool holds_in(const char *condition, const char *region)
{
    bool not = condition[0] == '!';
    if (not) condition++;
    size_t size = strlen(condition);
    bool prefix = size > 0 && condition[size - 1] == '-';
    bool same = prefix ? strncmp(region, condition, size) == 0 : strcmp(region, condition) == 0;
    return same != not;
}

static enum fit fit_of(const struct fs_policy *policy, uint32_t index,
                       const struct fs_request *request)
{
    const struct fs_rule *rule = fs_policy_rule(policy, index);
    if (!rule || rule->family != request->family) return FIT_NONE;
    const struct fs_facts *facts = request->facts;
    if (rule->partition != FS_ANY_PARTITION && (!facts || rule->partition != facts->partition))
        return FIT_NONE;
    if (rule->region != 0 && policy->features & FS_FEATURE_CONDITIONS &&
        (!facts || !holds_in(fs_policy_string(policy, rule->region), facts->region)))
        return FIT_NONE;
    if (rule->port_count == 0 || (request->ip_version == 0 && request->port == 0)) return FIT_WHOLE;
    for (uint32_t i = 0; i < rule->port_count; i++) {
        const struct fs_port_range *range =
            fs_policy_item(policy, FS_SECTION_PORTS, rule->ports + i);
        if (!range) return FIT_PORT;
        if (request->port >= range->low && request->port <= range->high) return FIT_WHOLE;
    }
    return FIT_PORT;
}

enum fit fitting_rule(const struct fs_policy *policy, uint32_t index,
                      const struct fs_request *request)
{
    enum fit fit = fit_of(policy, index, request);
    if (!(policy->features & FS_FEATURE_ONLY_FOR) || fit != FIT_WHOLE) return fit;
    const char *only_for = only_for_of(policy, index);
    return *only_for == '\0' || only_for_counts(only_for, request->callers) ? FIT_WHOLE
                                                                            : FIT_OTHERS;
}

bool fitting_keeps(struct best *best, enum fit fit, uint32_t rule)
{
    if (fit > best->fit) {
        best->fit = fit;
        best->rule = rule;
    }
    return best->fit == FIT_WHOLE;
}

/* Linear in time: one level of backtracking for each kind of star. */
bool fitting_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *star_text = NULL; /* the last * */
    const char *deep = NULL, *deep_text = NULL; /* the last ** */
    for (;;) {
        if (pattern[0] == '*' && pattern[1] == '*') {
            while (*pattern == '*') pattern++;
            deep = pattern;
            deep_text = text;
            star = NULL;
            if (*pattern == '\0') return true;
            continue;
        }
        if (*pattern == '*') {
            star = ++pattern;
            star_text = text;
            continue;
        }
        /* A pattern that ends in a slash and two stars covers the folder itself too, because a
         * library must be able to create and list it. */
        if (*text == '\0') return *pattern == '\0' || strcmp(pattern, "/**") == 0;
        if (*pattern == *text || (*pattern == '?' && *text != '/')) {
            pattern++;
            text++;
            continue;
        }
        if (star && *star_text != '/' && *star_text != '\0') {
            pattern = star;
            text = ++star_text;
            continue;
        }
        if (deep && *deep_text != '\0') {
            pattern = deep;
            text = ++deep_text;
            star = NULL;
            continue;
        }
        return false;
    }
}
