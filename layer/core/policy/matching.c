/* Hosts by name: the compiled table, names of this function's region and account, names with
 * variables. */
#include <string.h>

#include "policy/expansion.h"
#include "policy/matching.h"

static bool same_entry(const struct fs_policy *policy, uint32_t index, const struct fs_rule *one)
{
    const struct fs_rule *other = fs_policy_rule(policy, index);
    return other && other->source == one->source && other->text == one->text;
}

static bool take(const struct fs_policy *policy, uint32_t rule, uint32_t wildcard,
                 const struct fs_request *request, struct best *best)
{
    if (best->entry && !same_entry(policy, rule, best->entry)) return false;
    enum fit fit = fitting_rule(policy, rule, request);
    /* Threads look names up for other code. A name that an entry spells out tells its server
     * nothing; one that a wildcard matches can carry data. */
    if (fit == FIT_OTHERS && request->look_up && wildcard == 0) fit = FIT_WHOLE;
    return fitting_keeps(best, fit, rule);
}

/* Tries every slot of one key. The walk is bounded by the table's size. */
static bool match_key(const struct fs_policy *policy, const char *key, size_t size,
                      uint32_t wildcard, const struct fs_request *request, struct best *best)
{
    uint32_t slots = policy->sections[FS_SECTION_HOSTS].count;
    uint32_t hash = fs_hash(key, size);
    for (uint32_t i = 0; i < slots; i++) {
        const struct fs_host_slot *slot =
            fs_policy_item(policy, FS_SECTION_HOSTS, (hash + i) & (slots - 1));
        if (!slot || slot->name == 0) return false;
        if (slot->hash != hash || slot->wildcard != wildcard) continue;
        const char *name = fs_policy_string(policy, slot->name);
        if (strncmp(name, key, size) != 0 || name[size] != '\0') continue;
        if (take(policy, slot->rule, wildcard, request, best)) return true;
    }
    return false;
}

static bool match_expanded(const struct fs_expansion *expansion, const char *key, size_t size,
                           uint32_t wildcard, const struct fs_request *request, struct best *best)
{
    uint32_t slots = expansion->slot_count;
    uint32_t hash = fs_hash(key, size);
    for (uint32_t i = 0; i < slots; i++) {
        const struct fs_expanded *slot = &expansion->slots[(hash + i) & (slots - 1)];
        if (slot->name == 0) return false;
        if (slot->hash != hash || slot->wildcard != wildcard) continue;
        const char *name = expansion->text + slot->name;
        if (strncmp(name, key, size) != 0 || name[size] != '\0') continue;
        if (take(expansion->policy, slot->rule, wildcard, request, best)) return true;
    }
    return false;
}

static const struct fs_expansion *expansion_of(const struct fs_policy *policy,
                                               const struct fs_request *request)
{
    if (!(policy->features & FS_FEATURE_VARIABLES) || !request->facts) return NULL;
    for (unsigned i = 0; i < request->facts->expansion_count; i++)
        if (request->facts->expansions[i].policy == policy) return &request->facts->expansions[i];
    return NULL;
}

/* Tries a name, and after each of its dots the rest, which a wildcard may precede. */
static bool match_name(const struct fs_policy *policy, const struct fs_expansion *expansion,
                       const char *host, size_t size, const struct fs_request *request,
                       struct best *best)
{
    for (size_t i = 0; i < size; i++) {
        if (i != 0 && host[i] != '.') continue;
        const char *key = i == 0 ? host : host + i + 1;
        size_t rest = size - (size_t)(key - host);
        if (rest == 0) continue;
        if (match_key(policy, key, rest, i != 0, request, best)) return true;
        if (expansion && match_expanded(expansion, key, rest, i != 0, request, best)) return true;
    }
    return false;
}

static bool is_label(const char *label, size_t size, const char *text)
{
    return strncmp(label, text, size) == 0 && text[size] == '\0';
}

/* An invented id could carry data in its lookup. Only the ids in the function's environment are
 * known. */
static bool is_endpoint(const struct fs_facts *facts, const char *label)
{
    size_t size = strcspn(label, ".");
    if (memcmp(label, "vpce-", 5) != 0) return false;
    for (const char *at = facts->endpoints; at && *at; at += strcspn(at, " ") + 1)
        if (strncmp(at, label, size) == 0 && at[size] == ' ') return true;
    return !facts->endpoints;
}

/* Copies `host`, replacing the labels for which the policy's keys have placeholders. The first
 * label is a bucket's or an account's, and never a region. Returns 0 if no label was replaced, or
 * the result does not fit. */
static size_t with_placeholders(const struct fs_policy *policy, const struct fs_facts *facts,
                                const char *host, size_t size, bool account, char *out,
                                size_t out_size)
{
    bool replaced = false;
    size_t at = 0, vpce = SIZE_MAX;
    if (policy->features & FS_FEATURE_VPC_ENDPOINT && strstr(host, ".vpce.")) {
        for (size_t i = 0; i + 5 < size; i++)
            if ((i == 0 || host[i - 1] == '.') && is_endpoint(facts, host + i)) vpce = i;
    }
    for (size_t i = 0; i <= size;) {
        size_t label = strcspn(host + i, ".");
        const char *text = host + i;
        size_t length = label;
        if (i == vpce)
            text = "{vpce}";
        else if (i == 0 && account && is_label(host, label, facts->account))
            text = "{account}";
        else if (i != 0 && facts->region[0] != '\0' && is_label(host + i, label, facts->region))
            text = "{region}";
        if (text != host + i) {
            replaced = true;
            length = strlen(text);
        }
        if (length + 1 > out_size - at) return 0;
        memcpy(out + at, text, length);
        at += length;
        out[at++] = i + label < size ? '.' : '\0';
        i += label + 1;
    }
    return replaced ? at - 1 : 0;
}

enum { PLACEHOLDERS = FS_FEATURE_REGION | FS_FEATURE_ACCOUNT | FS_FEATURE_VPC_ENDPOINT };

void matching_host(const struct fs_policy *policy, const char *host,
                   const struct fs_request *request, struct best *best)
{
    const struct fs_expansion *expansion = expansion_of(policy, request);
    if (policy->sections[FS_SECTION_HOSTS].count == 0 && !expansion) return;
    size_t size = strnlen(host, FS_HOST_MAX + 1);
    /* No name has a brace, and what only looks like a placeholder must not match one. */
    if (size == 0 || size > FS_HOST_MAX || memchr(host, '{', size)) return;
    if (match_name(policy, expansion, host, size, request, best)) return;
    const struct fs_facts *facts = request->facts;
    if (!(policy->features & PLACEHOLDERS) || !facts) return;
    char name[FS_HOST_MAX + 64];
    size_t length = with_placeholders(policy, facts, host, size, false, name, sizeof name);
    if (length != 0 && match_name(policy, expansion, name, length, request, best)) return;
    if (!(policy->features & FS_FEATURE_ACCOUNT) || facts->account[0] == '\0' ||
        strncmp(host, facts->account, strlen(facts->account)) != 0)
        return;
    length = with_placeholders(policy, facts, host, size, true, name, sizeof name);
    if (length != 0) (void)match_name(policy, expansion, name, length, request, best);
}

/* ---- why not ---- */

static bool append(char *out, size_t size, size_t *at, const char *text, size_t length)
{
    if (length >= size - *at) return false;
    memcpy(out + *at, text, length);
    *at += length;
    out[*at] = '\0';
    return true;
}

/* What a template would match, as a path pattern: any value for its variables, the known values for
 * the rest. */
static bool pattern_of(const struct fs_policy *policy, const struct fs_template *template,
                       const struct fs_facts *facts, char *out, size_t size)
{
    const char *text = fs_policy_string(policy, template->pattern);
    size_t at = 0;
    out[0] = '\0';
    if (template->wildcard && !append(out, size, &at, "**.", 3)) return false;
    while (*text) {
        size_t plain = strcspn(text, "{");
        if (!append(out, size, &at, text, plain)) return false;
        text += plain;
        size_t length = strcspn(text, "}");
        if (*text == '\0') break;
        const char *value = strncmp(text, "{region}", 8) == 0    ? facts->region
                            : strncmp(text, "{account}", 9) == 0 ? facts->account
                            : strncmp(text, "{vpce}", 6) == 0    ? "vpce-**"
                                                                 : "**";
        if (!append(out, size, &at, value, strlen(value))) return false;
        text += length + (text[length] == '}');
    }
    return true;
}

uint32_t matching_unfit_rule(const struct fs_policy *policy, const struct fs_request *request)
{
    const struct fs_expansion *expansion = expansion_of(policy, request);
    if (!expansion || expansion->unfit == 0) return UINT32_MAX;
    for (uint32_t i = 0; i < policy->templates.count; i++) {
        const struct fs_template *template = fs_policy_item(policy, FS_SECTION_TEMPLATES, i);
        char pattern[2 * FS_HOST_MAX];
        if (!template || !expansion->left_out[i] ||
            fitting_rule(policy, template->rule, request) != FIT_WHOLE)
            continue;
        if (!pattern_of(policy, template, request->facts, pattern, sizeof pattern)) continue;
        for (unsigned name = 0; name < request->name_count; name++)
            if (request->names[name] && fitting_glob(pattern, request->names[name]))
                return template->rule;
    }
    return UINT32_MAX;
}
