/* Names with variables. See expansion.h. */
#include "policy/expansion.h"

#include <string.h>

enum { LABEL_MAX = 63 };

static bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/* Labels that matching.c puts into a queried name. They stay as they are. No variable's value has a
 * brace. */
static bool is_placeholder(const char *text, size_t size)
{
    static const char *const known[] = {"{region}", "{account}", "{vpce}"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(text, known[i], size) == 0 && known[i][size] == '\0') return true;
    return false;
}

/* One label of a host name, in lower case: letters, digits, underscores, and hyphens inside. */
static bool is_host_label(const char *label, size_t size)
{
    if (is_placeholder(label, size)) return true;
    if (size == 0 || size > LABEL_MAX || label[0] == '-' || label[size - 1] == '-') return false;
    for (size_t i = 0; i < size; i++)
        if (!is_alphanumeric(label[i]) && label[i] != '-' && label[i] != '_') return false;
    return true;
}

static bool is_host(const char *name)
{
    size_t size = strnlen(name, FS_HOST_MAX + 1), start = 0;
    if (size == 0 || size > FS_HOST_MAX) return false;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && name[i] != '.') continue;
        if (!is_host_label(name + start, i - start)) return false;
        if (i < size) start = i + 1;
    }
    /* A last label of digits makes an address: inet_aton reads it as one. */
    const char *last = name + start;
    return strspn(last, "0123456789") != strlen(last) && strncmp(last, "0x", 2) != 0;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; a dot would need
 * another certificate. */
static bool is_bucket(const char *name)
{
    size_t size = strnlen(name, LABEL_MAX + 1);
    if (size < 3 || size > LABEL_MAX || !is_alphanumeric(name[0]) ||
        !is_alphanumeric(name[size - 1]))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_alphanumeric(name[i]) && name[i] != '-') return false;
    return true;
}

/* Letters of either case, digits, dots, hyphens, underscores. The whole name is checked later. */
static bool is_part_of_host(const char *value)
{
    size_t size = strnlen(value, FS_HOST_MAX + 1);
    if (size == 0 || size > FS_HOST_MAX) return false;
    for (size_t i = 0; i < size; i++) {
        char c = value[i] >= 'A' && value[i] <= 'Z' ? (char)(value[i] | 0x20) : value[i];
        if (!is_alphanumeric(c) && c != '.' && c != '-' && c != '_') return false;
    }
    return true;
}

bool fs_variable_fits(enum fs_variable_kind kind, const char *value)
{
    if (kind == FS_VARIABLE_BUCKET) return is_bucket(value);
    return is_part_of_host(value) && (kind == FS_VARIABLE_HOST || !strchr(value, '.'));
}

const char *fs_region_of(const char *region)
{
    size_t size = region ? strnlen(region, LABEL_MAX + 1) : 0;
    if (size < 4 || size > LABEL_MAX) return "";
    for (size_t i = 0; i < size; i++)
        if (!is_alphanumeric(region[i]) && region[i] != '-') return "";
    return region;
}

const char *fs_account_of(const char *account)
{
    return account && strlen(account) == 12 && strspn(account, "0123456789") == 12 ? account : "";
}

static uint32_t slots_for(uint32_t names)
{
    uint32_t slots = 2;
    while (slots < 2 * names) slots *= 2;
    return slots;
}

size_t fs_expansion_size(const struct fs_policy *policy)
{
    uint32_t count = policy->templates.count;
    if (!(policy->features & FS_FEATURE_VARIABLES) || count == 0 || count > FS_TEMPLATES_MAX)
        return 0;
    return slots_for(count) * sizeof(struct fs_expanded) + count + 1 +
           (size_t)count * (FS_HOST_MAX + 1);
}

/* The variable that `reference` ("{env:NAME", "{bucket:NAME") names, if the policy has it. */
static const struct fs_variable *variable_of(const struct fs_policy *policy, const char *reference,
                                             size_t size)
{
    static const char *const kinds[] = {[FS_VARIABLE_HOST] = "{env:",
                                        [FS_VARIABLE_BUCKET] = "{bucket:",
                                        [FS_VARIABLE_LABEL] = "{label:"};
    for (uint32_t i = 0; i < policy->variables.count; i++) {
        const struct fs_variable *variable = fs_policy_item(policy, FS_SECTION_VARIABLES, i);
        if (!variable || variable->kind > FS_VARIABLE_LABEL) return NULL;
        size_t before = strlen(kinds[variable->kind]);
        if (size <= before || memcmp(reference, kinds[variable->kind], before) != 0) continue;
        const char *name = fs_policy_string(policy, variable->name);
        if (strncmp(name, reference + before, size - before) == 0 && name[size - before] == '\0')
            return variable;
    }
    return NULL;
}

struct expander {
    const struct fs_policy *policy;
    fs_variable_value *value;
    void *context;
};

static const char *value_of(const struct expander *expander, const char *placeholder, size_t size)
{
    const struct fs_variable *variable = variable_of(expander->policy, placeholder, size);
    if (!variable) return "";
    const char *value =
        expander->value(expander->context, fs_policy_string(expander->policy, variable->name));
    return value && fs_variable_fits(variable->kind, value) ? value : "";
}

/* Writes the name that `pattern` makes, in lower case. Returns false if a variable is unset or
 * unfit, or the result is not a name. */
static bool put_together(const struct expander *expander, const char *pattern, char *out)
{
    size_t at = 0;
    while (*pattern) {
        const char *text = pattern;
        size_t length = 1;
        if (*pattern == '{') {
            size_t size = strcspn(pattern, "}");
            if (pattern[size] == '\0') return false;
            if (is_placeholder(pattern, size + 1)) {
                length = size + 1;
            } else {
                text = value_of(expander, pattern, size);
                length = strlen(text);
                if (length == 0) return false;
            }
            pattern += size;
        }
        pattern++;
        if (length > FS_HOST_MAX - at) return false;
        for (size_t i = 0; i < length; i++)
            out[at++] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
    }
    out[at] = '\0';
    return is_host(out);
}

bool fs_expand(const struct fs_policy *policy, fs_variable_value *value, void *context,
               void *memory, struct fs_expansion *expansion)
{
    if (fs_expansion_size(policy) == 0) return false;
    const struct expander expander = {policy, value, context};
    uint32_t count = policy->templates.count, slot_count = slots_for(count), unfit = 0;
    struct fs_expanded *slots = memory;
    uint8_t *left_out = (uint8_t *)(slots + slot_count);
    char *text = (char *)left_out + count;
    uint32_t used = 1; /* 0 is an empty slot */
    for (uint32_t i = 0; i < count; i++) {
        const struct fs_template *template = fs_policy_item(policy, FS_SECTION_TEMPLATES, i);
        char *name = text + used;
        if (!template ||
            !put_together(&expander, fs_policy_string(policy, template->pattern), name)) {
            left_out[i] = 1;
            unfit++;
            continue;
        }
        size_t size = strlen(name);
        uint32_t hash = fs_hash(name, size), at = hash & (slot_count - 1);
        while (slots[at].name != 0) at = (at + 1) & (slot_count - 1);
        slots[at] = (struct fs_expanded){hash, used, template->rule, template->wildcard};
        used += (uint32_t)size + 1;
    }
    *expansion = (struct fs_expansion){policy, slots, slot_count, text, unfit, left_out};
    return true;
}
