/* What a compiled policy says about one request. See policy.h. */
#include <string.h>

#include "policy/fitting.h"
#include "policy/matching.h"
#include "policy/only_for.h"
#include "policy/policy.h"

/* Tries each prefix length in the policy: usually one or two, at most 162. */
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

/* ---- destinations ---- */

static uint8_t first_bytes_of(const struct fs_policy *policy, uint32_t index, uint16_t port)
{
    enum { UNSTATED = 0, REQUIRED = 1, NONE = 3 };
    const struct fs_rule *rule = fs_policy_rule(policy, index);
    uint8_t tls = rule ? rule->tls : REQUIRED;
    /* An unknown value does not allow plain text. */
    if (tls == REQUIRED || tls > NONE || (tls == UNSTATED && port == 443)) return FS_BYTES_TLS;
    return tls == UNSTATED && port == 80 ? FS_BYTES_HTTP : FS_BYTES_ANY;
}

/* Tries the names, then the address; the first that fits decides. If it requires certain first
 * bytes, the others are tried as well: one that allows any bytes allows them to this address.
 * Returns false if there was no name. */
static bool match_destination(const struct fs_policy *policy, const struct fs_request *request,
                              struct best *best, struct fs_verdict *result)
{
    bool named = false;
    for (unsigned i = 0; i <= request->name_count; i++) {
        struct best one = {FIT_NONE, UINT32_MAX, NULL};
        uint8_t bytes = FS_BYTES_ANY;
        if (i < request->name_count) {
            if (!request->names[i]) continue;
            named = true;
            matching_host(policy, request->names[i], request, &one);
            if (one.fit == FIT_WHOLE) bytes = first_bytes_of(policy, one.rule, request->port);
            if (best->fit != FIT_WHOLE) result->name = (uint8_t)i;
        } else if (request->ip_version != 0) {
            match_address(policy, request, &one);
        }
        if (one.fit == FIT_OTHERS) result->only_for = true;
        if (one.fit == FIT_WHOLE && (best->fit != FIT_WHOLE || bytes == FS_BYTES_ANY))
            result->first_bytes = bytes;
        if (fitting_keeps(best, one.fit, one.rule) && result->first_bytes == FS_BYTES_ANY) {
            result->only_for = false;
            break;
        }
    }
    return named;
}

bool fs_is_loopback(const struct fs_request *request)
{
    static const uint8_t four[4] = {127, 0, 0, 1};
    static const uint8_t six[16] = {[15] = 1};
    if (request->ip_version == 4) return memcmp(request->ip, four, sizeof four) == 0;
    return request->ip_version == 6 && memcmp(request->ip, six, sizeof six) == 0;
}

struct fs_verdict fs_policy_decide(const struct fs_policy *policy, const struct fs_request *request)
{
    static const uint8_t reasons[] = {[FIT_NONE] = FS_NO_RULE,
                                      [FIT_PORT] = FS_PORT,
                                      [FIT_OTHERS] = FS_ONLY_FOR,
                                      [FIT_WHOLE] = FS_RULE};
    struct fs_verdict result = {
        .mode = FS_BLOCK, .policy_mode = FS_BLOCK, .reason = FS_GUARD, .rule = UINT32_MAX};
    if ((unsigned)request->family >= FS_INTEGRITY) return result;
    bool outbound = request->family == FS_OUTBOUND, named = false;
    bool always = outbound ? !(policy->flags & FS_FLAG_LOOPBACK_LISTED) && fs_is_loopback(request)
                           : request->path && request->made && request->family == FS_TMP &&
                                 policy->flags & FS_FLAG_TMP_EPHEMERAL;
    result.mode = result.policy_mode = policy->modes[request->family];
    if (result.mode == FS_ALLOW || always) {
        result.reason = result.mode == FS_ALLOW ? FS_MODE_ALLOW : FS_ALWAYS;
        result.mode = FS_ALLOW;
        return result;
    }
    struct best best = {FIT_NONE, UINT32_MAX, NULL};
    if (outbound)
        named = match_destination(policy, request, &best, &result);
    else if (request->path)
        match_path(policy, request, &best);
    result.reason = reasons[best.fit];
    result.rule = best.rule;
    if (best.fit == FIT_WHOLE) {
        const struct fs_rule *rule = fs_policy_rule(policy, best.rule);
        result.mode = FS_ALLOW;
        if (rule) result.source = fs_policy_string(policy, rule->source);
    } else if (best.fit == FIT_OTHERS) {
        result.only_for = true;
        result.outsider = only_for_outsider(only_for_of(policy, best.rule), request->callers);
    } else if (best.fit == FIT_NONE && named) {
        result.rule = matching_unfit_rule(policy, request);
        if (result.rule != UINT32_MAX) result.reason = FS_VARIABLE;
    } else if (best.fit == FIT_NONE && outbound && request->ip_version != 0) {
        result.reason = FS_UNNAMED;
    }
    return result;
}
