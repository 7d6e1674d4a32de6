/* The callers that a rule counts for. See only_for.h. */
#include "policy/only_for.h"

#include <string.h>

const char *only_for_of(const struct fs_policy *policy, uint32_t index)
{
    const struct fs_rule *rule = fs_policy_rule(policy, index);
    if (!rule || !(policy->features & FS_FEATURE_ONLY_FOR)) return "";
    const uint8_t *at = rule->only_for;
    return fs_policy_string(policy, at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16);
}

static bool names_it(const char *only_for, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = only_for; *at;) {
        size_t length = strcspn(at, " ");
        if (length == size && memcmp(at, name, size) == 0) return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

static bool belongs(const char *only_for, const struct fs_callers *callers, const char *name)
{
    return names_it(only_for, name) || strcmp(name, ONLY_FOR_FUNCTION) == 0 ||
           (callers->requires && strcmp(name, ONLY_FOR_UNKNOWN) != 0 &&
            callers->requires(only_for, name));
}

bool only_for_counts(const char *only_for, const struct fs_callers *callers)
{
    bool named = false;
    if (!callers) return false;
    for (unsigned i = 0; i < callers->count; i++) {
        named = named || names_it(only_for, callers->names[i]);
        if (!belongs(only_for, callers, callers->names[i])) return false;
    }
    return named;
}

const char *only_for_outsider(const char *only_for, const struct fs_callers *callers)
{
    const char *outsider = NULL;
    /* The entry's callers require `outsider`, but none of them is on the stack. */
    bool inside = true;
    for (unsigned i = 0; callers && i < callers->count; i++) {
        const char *name = callers->names[i];
        bool other = !belongs(only_for, callers, name);
        /* The name of a distribution says more than "unknown". */
        if (other && strcmp(name, ONLY_FOR_UNKNOWN) != 0) return name;
        if (other || (inside && (!outsider || strcmp(name, ONLY_FOR_FUNCTION) == 0)))
            outsider = name;
        inside = inside && !other;
    }
    return outsider;
}
