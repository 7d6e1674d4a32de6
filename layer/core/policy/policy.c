/* The compiled format: checked, and read item by item. See policy.h. */
#include "policy/policy.h"

#include <string.h>

const char *const fs_family_names[FS_FAMILIES] = {
    "outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler",
    "native_code",           "runtime_api",    "guard_integrity",
};
const char *const fs_mode_names[3] = {"allow", "alert", "block"};
const char *const fs_reason_names[FS_REASONS] = {
    "no_rule",     "rule",        "mode_allow",    "always",
    "port",        "no_rule",     "socket_family", "guard_integrity",
    "unguardable", "malformed",   "reconfigured",  "variable",
    "tls",         "server_name", "only_for",
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
        if (section.offset < sizeof *policy || section.offset > policy->size ||
            section.offset % 4 != 0 ||
            section.count > (policy->size - section.offset) / entry_sizes[kind])
            return "a section lies outside the file";
    }
    struct fs_section hosts = policy->sections[FS_SECTION_HOSTS];
    struct fs_section cidrs = policy->sections[FS_SECTION_CIDRS];
    if ((hosts.count & (hosts.count - 1)) != 0 || (cidrs.count & (cidrs.count - 1)) != 0)
        return "a table has a wrong size";
    if (policy->variables.count > FS_VARIABLES_MAX || policy->templates.count > FS_TEMPLATES_MAX)
        return "it has more variables than this engine reads";
    struct fs_section strings = policy->sections[FS_SECTION_STRINGS];
    if (strings.count == 0) return "it has no strings";
    /* A last NUL bounds every string in the section. */
    if (((const char *)policy)[strings.offset + strings.count - 1] != '\0')
        return "its strings do not end";
    return NULL;
}

const char *fs_policy_check(const void *bytes, size_t size)
{
    const struct fs_policy *policy = bytes;
    if (size < sizeof *policy) return "it is truncated";
    if (memcmp(policy->magic, FS_POLICY_MAGIC, sizeof policy->magic) != 0)
        return "it is not a compiled policy";
    if (policy->major != FS_POLICY_MAJOR)
        return "its format is of another major version than this engine runs";
    if (policy->size != size)
        return policy->size > size ? "it is truncated" : "it is longer than it says";
    if (size > FS_POLICY_MAX_SIZE || size % 8 != 0) return "its size is wrong";
    if (policy->checksum != fs_checksum(bytes, size))
        return "its checksum does not match: it is damaged";
    if ((policy->features & ~(uint32_t)FS_FEATURES) != 0 ||
        (policy->flags & ~(uint32_t)(FS_FLAGS | FS_FLAGS_IGNORABLE)) != 0 || policy->reserved != 0)
        return "its format is newer than this engine: attach a newer layer";
    for (unsigned family = 0; family < sizeof policy->modes; family++)
        if (policy->modes[family] > FS_BLOCK &&
            !(family == FS_GATE_FAMILY && policy->minor > 0 && policy->modes[family] == FS_GATE))
            return "a mode is unknown";
    if (policy->minor == 0 &&
        (policy->features != 0 || policy->variables.count != 0 || policy->templates.count != 0))
        return "it needs more than its format has";
    return check_sections(policy);
}

const void *fs_policy_item(const struct fs_policy *policy, enum fs_section_kind kind,
                           uint32_t index)
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
