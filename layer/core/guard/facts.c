#include "guard/facts.h"

#include <string.h>

#include "policy/expansion.h"

enum { SEPARATOR = '\x1e' };

static const char *const names[] = {
    /* FACTS_HANDLERS variables: the handler, and where tools that replace it keep the real one. */
    "_HANDLER",
    "ORIG_HANDLER",
    "DD_LAMBDA_HANDLER",
    "LUMIGO_ORIGINAL_HANDLER",
    "NEW_RELIC_LAMBDA_HANDLER",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_XRAY_DAEMON_ADDRESS",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCOUNT_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "AWS_LAMBDA_FUNCTION_NAME",
    FACTS_NAME_SERVERS, /* a file, not a variable */
    FACTS_LOCAL_RESOLVERS,
    FACTS_BEGAN,
    FACTS_ENDPOINTS,
    FACTS_MADE,
};
enum {
    NAMES = sizeof names / sizeof *names,
    STATED_LATER = 1024 /* room for what facts_state gets */
};

static char store[FACTS_MAX];
static size_t used;
static const char *values[NAMES];
static bool complete = true;

/* Variables that the policy's names are made of: name and value, both in other read-only memory or
 * in `store`. */
static struct {
    const char *name, *value;
} added[2 * FS_VARIABLES_MAX];
static unsigned added_count;
static const char *given_text;
static char *const *given_environment;

static const char *keep(const char *value, size_t size)
{
    if (size + 1 > sizeof store - used) return NULL;
    char *kept = store + used;
    memcpy(kept, value, size);
    kept[size] = '\0';
    used += size + 1;
    return kept;
}

static void keep_fact(unsigned index, const char *value, size_t size)
{
    values[index] = keep(value, size);
    if (!values[index]) complete = false;
}

/* The index of the fact that `text` ("NAME=value") states, and where its value begins; NAMES where
 * it is none. */
static unsigned find(const char *text, const char **value)
{
    for (unsigned i = 0; i < NAMES; i++) {
        size_t size = strlen(names[i]);
        if (strncmp(text, names[i], size) != 0 || text[size] != '=') continue;
        *value = text + size + 1;
        return i;
    }
    return NAMES;
}

/* Finds labels that end with a dot and do not continue another label. Labels without room count as
 * unknown. */
static void keep_endpoints(char *const *environment)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    char text[512];
    size_t size = 0;
    for (; *environment; environment++)
        for (const char *at = *environment; (at = strstr(at, "vpce-")) != NULL; at++) {
            size_t length = strspn(at, letters);
            if (at[length] != '.' || at == *environment || strchr(letters, at[-1]) ||
                length + 2 > sizeof text - size)
                continue;
            memcpy(text + size, at, length);
            size += length;
            text[size++] = ' ';
        }
    text[size] = '\0';
    if (size > 0) facts_state(FACTS_ENDPOINTS, text);
}

void facts_start(const char *text, char *const *environment)
{
    const char *value;
    bool given = *text != '\0';
    given_text = text;
    given_environment = given ? NULL : environment;
    while (*text) {
        size_t size = strcspn(text, "\x1e");
        unsigned index = find(text, &value);
        if (index < NAMES && !values[index] && value <= text + size)
            keep_fact(index, value, (size_t)(text + size - value));
        text += size + (text[size] != '\0');
    }
    if (given || !environment) return;
    for (char *const *at = environment; *at; at++) {
        unsigned index = find(*at, &value);
        if (index < NAMES && !values[index] && names[index][0] != '/')
            keep_fact(index, value, strlen(value));
    }
    keep_endpoints(environment);
}

void facts_state(const char *name, const char *value)
{
    for (unsigned i = 0; i < NAMES; i++)
        if (strcmp(names[i], name) == 0 && !values[i]) keep_fact(i, value, strlen(value));
}

void facts_restate(const char *name, const char *value)
{
    for (unsigned i = 0; i < NAMES; i++) {
        if (strcmp(names[i], name) != 0 || !values[i] || strcmp(values[i], value) == 0) continue;
        const char *kept = keep(value, strlen(value));
        if (kept) values[i] = kept;
    }
}

static const char *value_in(const char *text, const char *name)
{
    size_t size = strlen(name);
    return strncmp(text, name, size) == 0 && text[size] == '=' ? text + size + 1 : NULL;
}

void facts_add(const char *name)
{
    if (added_count == sizeof added / sizeof *added || facts_value(name)) return;
    const char *value = NULL;
    size_t size = 0;
    for (const char *text = given_text; text && *text && !value;) {
        size_t length = strcspn(text, "\x1e");
        value = value_in(text, name);
        if (value) size = (size_t)(text + length - value);
        text += length + (text[length] != '\0');
    }
    for (char *const *variable = given_environment; variable && *variable && !value; variable++) {
        value = value_in(*variable, name);
        if (value) size = strnlen(value, FS_HOST_MAX + 1);
    }
    if (!value || size > FS_HOST_MAX) return;
    /* A value that does not fit counts as unset, here and in every child. */
    const char *kept = keep(value, size);
    if (!kept) return;
    if (!fs_variable_fits(FS_VARIABLE_HOST, kept)) {
        used -= size + 1;
        return;
    }
    added[added_count].name = name;
    added[added_count++].value = kept;
    /* If the facts of a child would not fit, the value must not hold here either. Otherwise no
     * child could start. */
    char text[FACTS_MAX];
    size_t later = given_environment ? STATED_LATER : 0; /* a parent's text has them already */
    if (complete && !facts_text(text, sizeof text - later)) {
        added_count--;
        used -= size + 1;
    }
}

const char *facts_value(const char *name)
{
    for (unsigned i = 0; i < NAMES; i++)
        if (strcmp(names[i], name) == 0) return values[i];
    for (unsigned i = 0; i < added_count; i++)
        if (strcmp(added[i].name, name) == 0) return added[i].value;
    return NULL;
}

const char *facts_handler(unsigned index) { return values[index]; }

static bool write_fact(char *out, size_t size, size_t *at, const char *name, const char *value)
{
    size_t name_size = strlen(name), value_size = strlen(value);
    /* A separator inside a value would state another fact. */
    if (strchr(value, SEPARATOR) || strchr(value, '\x1f') ||
        name_size + value_size + 3 > size - *at)
        return false;
    memcpy(out + *at, name, name_size);
    out[*at + name_size] = '=';
    memcpy(out + *at + name_size + 1, value, value_size);
    *at += name_size + value_size + 1;
    out[(*at)++] = SEPARATOR;
    return true;
}

bool facts_text(char *out, size_t size)
{
    size_t at = 0;
    if (!complete) return false;
    /* Never pass on an empty text: the child would take the facts from its environment. */
    static const char mark[] = "=\x1e";
    if (size < sizeof mark) return false;
    memcpy(out, mark, sizeof mark - 1);
    at = sizeof mark - 1;
    for (unsigned i = 0; i < NAMES; i++)
        if (values[i] && !write_fact(out, size, &at, names[i], values[i])) return false;
    for (unsigned i = 0; i < added_count; i++)
        if (!write_fact(out, size, &at, added[i].name, added[i].value)) return false;
    out[at] = '\0';
    return true;
}
