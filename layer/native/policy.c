/* decide: what a compiled policy says about one request. See policy.h. */
#include "policy.h"

#include <string.h>

#include "matching.h"

const char *const fs_family_names[FS_FAMILIES] = {
    "outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler",
    "native_code",           "runtime_api",    "guard_integrity",
};
const char *const fs_mode_names[3] = {"allow", "alert", "block"};
const char *const fs_reason_names[FS_REASONS] = {
    "no_rule", "rule", "mode_allow", "always", "port", "no_rule", "socket_family", "guard_integrity", "unguardable",
    "malformed", "reconfigured", "variable", "tls", "server_name",
};

uint32_t fs_hash(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ at[i]) * 16777619u;
    return hash;
}

static uint64_t checksum_step(uint64_t hash, uint64_t word)
{
    hash ^= word;
    hash = hash << 29 | hash >> 35;
    return hash * 0x9e3779b97f4a7c15u;
}

uint64_t fs_checksum(const void *bytes, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t at = 0; at + 8 <= size; at += 8) {
        uint64_t word;
        memcpy(&word, (const char *)bytes + at, sizeof word);
        if (at == offsetof(struct fs_policy, checksum)) word = 0;
        hash = checksum_step(hash, word);
    }
    return hash;
}

static const uint32_t entry_sizes[FS_SECTION_KINDS] = {
    0,
    sizeof(struct fs_rule),
    sizeof(struct fs_port_range),
    sizeof(struct fs_host_slot),
    sizeof(struct fs_cidr_slot),
    sizeof(struct fs_length),
    sizeof(struct fs_path),
    1,
    sizeof(struct fs_variable),
    sizeof(struct fs_template),
};

struct fs_section fs_policy_section(const struct fs_policy *policy, enum fs_section_kind kind)
{
    if (kind < FS_SECTIONS) return policy->sections[kind];
    return kind == FS_SECTION_VARIABLES ? policy->variables : policy->templates;
}

static const char *check_sections(const struct fs_policy *policy)
{
    for (unsigned kind = 1; kind < FS_SECTION_KINDS; kind++) {
        struct fs_section section = fs_policy_section(policy, kind);
        if (section.count == 0) continue;
        if (section.offset < sizeof *policy || section.offset > policy->size || section.offset % 4 != 0 ||
            section.count > (policy->size - section.offset) / entry_sizes[kind])
            return "a section lies outside the file";
    }
    struct fs_section hosts = policy->sections[FS_SECTION_HOSTS];
    struct fs_section cidrs = policy->sections[FS_SECTION_CIDRS];
    if ((hosts.count & (hosts.count - 1)) != 0 || (cidrs.count & (cidrs.count - 1)) != 0) return "a table has a wrong size";
    if (policy->variables.count > FS_VARIABLES_MAX || policy->templates.count > FS_TEMPLATES_MAX)
        return "it has more variables than this engine reads";
    struct fs_section strings = policy->sections[FS_SECTION_STRINGS];
    if (strings.count == 0) return "it has no strings";
    /* A last NUL bounds every string in the section. */
    if (((const char *)policy)[strings.offset + strings.count - 1] != '\0') return "its strings do not end";
    return NULL;
}

const char *fs_policy_check(const void *bytes, size_t size)
{
    const struct fs_policy *policy = bytes;
    if (size < sizeof *policy) return "it is truncated";
    if (memcmp(policy->magic, FS_POLICY_MAGIC, sizeof policy->magic) != 0) return "it is no compiled policy";
    if (policy->major != FS_POLICY_MAJOR) return "its format is of another major version than this engine runs";
    if (policy->size != size) return policy->size > size ? "it is truncated" : "it is longer than it says";
    if (size > FS_POLICY_MAX_SIZE || size % 8 != 0) return "its size is wrong";
    if (policy->checksum != fs_checksum(bytes, size)) return "its checksum does not match: it is damaged";
    if ((policy->features & ~(uint32_t)FS_FEATURES) != 0 || (policy->flags & ~(uint32_t)(FS_FLAGS | FS_FLAGS_IGNORABLE)) != 0 ||
        policy->reserved != 0)
        return "its format is newer than this engine: attach a newer layer";
    for (unsigned family = 0; family < sizeof policy->modes; family++)
        if (policy->modes[family] > FS_BLOCK && !(family == FS_GATE_FAMILY && policy->minor > 0 && policy->modes[family] == FS_GATE))
            return "a mode is unknown";
    if (policy->minor == 0 && (policy->features != 0 || policy->variables.count != 0 || policy->templates.count != 0))
        return "it needs more than its format has";
    return check_sections(policy);
}

const void *fs_policy_item(const struct fs_policy *policy, enum fs_section_kind kind, uint32_t index)
{
    struct fs_section section = fs_policy_section(policy, kind);
    if (index >= section.count) return NULL;
    return (const char *)policy + section.offset + (size_t)index * entry_sizes[kind];
}

const char *fs_policy_string(const struct fs_policy *policy, uint32_t offset)
{
    const char *string = fs_policy_item(policy, FS_SECTION_STRINGS, offset);
    return string ? string : "";
}

const struct fs_rule *fs_policy_rule(const struct fs_policy *policy, uint32_t index)
{
    return fs_policy_item(policy, FS_SECTION_RULES, index);
}

/* Whether a rule that holds in some regions holds in `region`. */
static bool holds_in(const char *condition, const char *region)
{
    bool not = condition[0] == '!';
    if (not) condition++;
    size_t size = strlen(condition);
    bool prefix = size > 0 && condition[size - 1] == '-';
    bool same = prefix ? strncmp(region, condition, size) == 0 : strcmp(region, condition) == 0;
    return same != not;
}

enum fit rule_fits(const struct fs_policy *policy, uint32_t index, const struct fs_request *request)
{
    const struct fs_rule *rule = fs_policy_rule(policy, index);
    if (!rule || rule->family != request->family) return FIT_NONE;
    const struct fs_facts *facts = request->facts;
    if (rule->partition != FS_ANY_PARTITION && (!facts || rule->partition != facts->partition)) return FIT_NONE;
    if (rule->region != 0 && policy->features & FS_FEATURE_CONDITIONS &&
        (!facts || !holds_in(fs_policy_string(policy, rule->region), facts->region)))
        return FIT_NONE;
    if (rule->port_count == 0 || (request->ip_version == 0 && request->port == 0)) return FIT_WHOLE;
    for (uint32_t i = 0; i < rule->port_count; i++) {
        const struct fs_port_range *range = fs_policy_item(policy, FS_SECTION_PORTS, rule->ports + i);
        if (!range) return FIT_PORT;
        if (request->port >= range->low && request->port <= range->high) return FIT_WHOLE;
    }
    return FIT_PORT;
}

bool consider(struct best *best, enum fit fit, uint32_t rule)
{
    if (fit > best->fit) {
        best->fit = fit;
        best->rule = rule;
    }
    return best->fit == FIT_WHOLE;
}

/* Tries each prefix length that occurs in the policy: at most 162, usually one or two. */
static void match_address(const struct fs_policy *policy, const struct fs_request *request, struct best *best)
{
    uint32_t slots = policy->sections[FS_SECTION_CIDRS].count;
    if (slots == 0) return;
    uint32_t lengths = policy->sections[FS_SECTION_LENGTHS].count;
    unsigned bytes = request->ip_version == 4 ? 4 : 16;
    for (uint32_t i = 0; i < lengths && i < 162; i++) {
        const struct fs_length *length = fs_policy_item(policy, FS_SECTION_LENGTHS, i);
        if (!length || length->version != request->ip_version || length->length > bytes * 8) continue;
        unsigned char key[18] = {length->version, length->length};
        for (unsigned byte = 0; byte < bytes; byte++) {
            unsigned bits = length->length > byte * 8 ? length->length - byte * 8 : 0;
            unsigned char mask = bits >= 8 ? 0xff : (unsigned char)(0xff00u >> bits);
            key[2 + byte] = request->ip[byte] & mask;
        }
        uint32_t hash = fs_hash(key, sizeof key);
        for (uint32_t probe = 0; probe < slots; probe++) {
            const struct fs_cidr_slot *slot = fs_policy_item(policy, FS_SECTION_CIDRS, (hash + probe) & (slots - 1));
            if (!slot || !slot->used) break;
            if (slot->hash != hash || slot->version != key[0] || slot->length != key[1]) continue;
            if (memcmp(slot->address, key + 2, sizeof slot->address) != 0) continue;
            if (consider(best, rule_fits(policy, slot->rule, request), slot->rule)) return;
        }
    }
}

/* `*` and `?` do not match a slash, `**` matches anything. Linear in time: one level of backtracking for each kind of star. */
bool glob_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *star_text = NULL;   /* the last * */
    const char *deep = NULL, *deep_text = NULL;   /* the last ** */
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
        if (*text == '\0') {
            if (*pattern == '\0') return true;
            return false;
        }
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

static bool matches_path(const char *pattern, const char *path)
{
    if (glob_matches(pattern, path)) return true;
    /* A pattern that ends in a slash and two stars speaks of the folder itself too: a library must be able to make it and list it. */
    size_t size = strlen(pattern);
    return size > 3 && strcmp(pattern + size - 3, "/**") == 0 && strlen(path) == size - 3 &&
           strncmp(pattern, path, size - 3) == 0;
}

static void match_path(const struct fs_policy *policy, const struct fs_request *request, struct best *best)
{
    uint32_t count = policy->sections[FS_SECTION_PATHS].count;
    for (uint32_t i = 0; i < count; i++) {
        const struct fs_path *path = fs_policy_item(policy, FS_SECTION_PATHS, i);
        if (!path || path->family != request->family) continue;
        if (!matches_path(fs_policy_string(policy, path->pattern), request->path)) continue;
        if (consider(best, rule_fits(policy, path->rule, request), path->rule)) return;
    }
}

bool fs_policy_entry_allows_name(const struct fs_policy *policy, uint32_t rule, const char *name,
                                 const struct fs_request *request)
{
    struct best best = {FIT_NONE, UINT32_MAX, fs_policy_rule(policy, rule)};
    if (!best.entry) return false;
    match_host(policy, name, request, &best);
    return best.fit == FIT_WHOLE;
}

bool fs_is_loopback(const struct fs_request *request)
{
    static const uint8_t four[4] = {127, 0, 0, 1};
    static const uint8_t six[16] = {[15] = 1};
    if (request->ip_version == 4) return memcmp(request->ip, four, sizeof four) == 0;
    return request->ip_version == 6 && memcmp(request->ip, six, sizeof six) == 0;
}

static struct fs_verdict verdict(uint8_t mode, uint8_t policy_mode, enum fs_reason reason, uint32_t rule)
{
    return (struct fs_verdict){.mode = mode, .policy_mode = policy_mode, .reason = (uint8_t)reason, .rule = rule};
}

struct fs_verdict fs_policy_decide(const struct fs_policy *policy, const struct fs_request *request)
{
    if ((unsigned)request->family >= FS_INTEGRITY) return verdict(FS_BLOCK, FS_BLOCK, FS_GUARD, UINT32_MAX);
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
            match_host(policy, request->names[i], request, &best);
        }
        if (best.fit != FIT_WHOLE && request->ip_version != 0) match_address(policy, request, &best);
    } else if (request->path) {
        match_path(policy, request, &best);
    }
    struct fs_verdict result;
    if (best.fit == FIT_WHOLE)
        result = verdict(FS_ALLOW, mode, FS_RULE, best.rule);
    else if (best.fit == FIT_PORT)
        result = verdict(mode, mode, FS_PORT, best.rule);
    else if (request->family == FS_OUTBOUND && request->ip_version != 0 && !named)
        result = verdict(mode, mode, FS_UNNAMED, UINT32_MAX);
    else
        result = verdict(mode, mode, FS_NO_RULE, UINT32_MAX);
    if (best.fit == FIT_NONE && named) {
        uint32_t rule = unfit_rule(policy, request);
        if (rule != UINT32_MAX) result = verdict(mode, mode, FS_VARIABLE, rule);
    }
    result.name = (uint8_t)decided;
    const struct fs_rule *rule = best.fit == FIT_WHOLE ? fs_policy_rule(policy, best.rule) : NULL;
    if (rule) result.source = fs_policy_string(policy, rule->source);
    return result;
}
