/* What a compiled policy says about one request. See policy.h. */
#include <string.h>

#include "policy/fitting.h"
#include "policy/matching.h"
#include "policy/only_for.h"
#include "policy/policy.h"

/* Tries each prefix length that occurs in the policy: at most 162, usually one or two. */
static void match_address(const struct fs_policy *policy, const struct fs_request *request,
                          struct best *best)
{
    uint32_t slots = policy->sections[FS_SECTION_CIDRS].count;
    if (slots == 0) return;
    uint32_t lengths = policy->sections[FS_SECTION_LENGTHS].count;
    unsigned bytes = request->ip_version == 4 ? 4 : 16;
    for (uint32_t i = 0; i < lengths && i < 162; i++) {
        const struct fs_length *length = fs_policy_item(policy, FS_SECTION_LENGTHS, i);
        if (!length || length->version != request->ip_version || length->length > bytes * 8)
            continue;
        unsigned char key[18] = {length->version, length->length};
        for (unsigned byte = 0; byte < bytes; byte++) {
            unsigned bits = length->length > byte * 8 ? length->length - byte * 8 : 0;
            unsigned char mask = bits >= 8 ? 0xff : (unsigned char)(0xff00u >> bits);
            key[2 + byte] = request->ip[byte] & mask;
        }
        uint32_t hash = fs_hash(key, sizeof key);
        for (uint32_t probe = 0; probe < slots; probe++) {
            const struct fs_cidr_slot *slot =
                fs_policy_item(policy, FS_SECTION_CIDRS, (hash + probe) & (slots - 1));
            if (!slot || !slot->used) break;
            if (slot->hash != hash || slot->version != key[0] || slot->length != key[1]) continue;
            if (memcmp(slot->address, key + 2, sizeof slot->address) != 0) continue;
            if (fitting_keeps(best, fitting_rule(policy, slot->rule, request), slot->rule)) return;
        }
    }
}

static void match_path(const struct fs_policy *policy, const struct fs_request *request,
                       struct best *best)
{
    uint32_t count = policy->sections[FS_SECTION_PATHS].count;
    for (uint32_t i = 0; i < count; i++) {
        const struct fs_path *path = fs_policy_item(policy, FS_SECTION_PATHS, i);
        if (!path || path->family != request->family) continue;
        if (!fitting_glob(fs_policy_string(policy, path->pattern), request->path)) continue;
        if (fitting_keeps(best, fitting_rule(policy, path->rule, request), path->rule)) return;
    }
}

bool fs_policy_lists(const struct fs_policy *policy, enum fs_list list, const char *text)
{
    uint32_t count = policy->sections[FS_SECTION_PATHS].count;
    for (uint32_t i = 0; i < count; i++) {
        const struct fs_path *path = fs_policy_item(policy, FS_SECTION_PATHS, i);
        if (path && path->family == list &&
            fitting_glob(fs_policy_string(policy, path->pattern), text))
            return true;
    }
    return false;
}

bool fs_policy_entry_allows_name(const struct fs_policy *policy, uint32_t rule, const char *name,
                                 const struct fs_request *request)
{
    struct best best = {FIT_NONE, UINT32_MAX, fs_policy_rule(policy, rule)};
    if (!best.entry) return false;
    matching_host(policy, name, request, &best);
    return best.fit == FIT_WHOLE;
}

bool fs_is_loopback(const struct fs_request *request)
{
    static const uint8_t four[4] = {127, 0, 0, 1};
    static const uint8_t six[16] = {[15] = 1};
    if (request->ip_version == 4) return memcmp(request->ip, four, sizeof four) == 0;
    return request->ip_version == 6 && memcmp(request->ip, six, sizeof six) == 0;
}

static struct fs_verdict verdict(uint8_t mode, uint8_t policy_mode, enum fs_reason reason,
                                 uint32_t rule)
{
    return (struct fs_verdict){
        .mode = mode, .policy_mode = policy_mode, .reason = (uint8_t)reason, .rule = rule};
}

struct fs_verdict fs_policy_decide(const struct fs_policy *policy, const struct fs_request *request)
{
    if ((unsigned)request->family >= FS_INTEGRITY)
        return verdict(FS_BLOCK, FS_BLOCK, FS_GUARD, UINT32_MAX);
    uint8_t mode = policy->modes[request->family];
    if (mode == FS_ALLOW) return verdict(FS_ALLOW, FS_ALLOW, FS_MODE_ALLOW, UINT32_MAX);

    struct best best = {FIT_NONE, UINT32_MAX, NULL};
    unsigned decided = 0;
    bool named = false;
    if (request->family == FS_OUTBOUND) {
        if (!(policy->flags & FS_FLAG_LOOPBACK_LISTED) && fs_is_loopback(request))
            return verdict(FS_ALLOW, mode, FS_ALWAYS, UINT32_MAX);
        for (unsigned i = 0; i < request->name_count && best.fit != FIT_WHOLE; i++) {
            if (!request->names[i]) continue;
            named = true;
            decided = i;
            matching_host(policy, request->names[i], request, &best);
        }
        if (best.fit != FIT_WHOLE && request->ip_version != 0)
            match_address(policy, request, &best);
    } else if (request->path) {
        if (request->made && request->family == FS_TMP && policy->flags & FS_FLAG_TMP_EPHEMERAL)
            return verdict(FS_ALLOW, mode, FS_ALWAYS, UINT32_MAX);
        match_path(policy, request, &best);
    }
    struct fs_verdict result;
    if (best.fit == FIT_WHOLE)
        result = verdict(FS_ALLOW, mode, FS_RULE, best.rule);
    else if (best.fit == FIT_OTHERS)
        result = verdict(mode, mode, FS_ONLY_FOR, best.rule);
    else if (best.fit == FIT_PORT)
        result = verdict(mode, mode, FS_PORT, best.rule);
    else if (request->family == FS_OUTBOUND && request->ip_version != 0 && !named)
        result = verdict(mode, mode, FS_UNNAMED, UINT32_MAX);
    else
        result = verdict(mode, mode, FS_NO_RULE, UINT32_MAX);
    if (best.fit == FIT_NONE && named) {
        uint32_t rule = matching_unfit_rule(policy, request);
        if (rule != UINT32_MAX) result = verdict(mode, mode, FS_VARIABLE, rule);
    }
    result.name = (uint8_t)decided;
    if (result.reason == FS_ONLY_FOR)
        result.asker = only_for_outsider(only_for_of(policy, best.rule), request->askers);
    const struct fs_rule *rule = best.fit == FIT_WHOLE ? fs_policy_rule(policy, best.rule) : NULL;
    if (rule) result.source = fs_policy_string(policy, rule->source);
    return result;
}
