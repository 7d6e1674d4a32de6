#include "facts.h"

#include <string.h>

enum { SEPARATOR = '\x1e' };

static const char *const names[] = {
    "AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_TASK_ROOT",  "LAMBDA_RUNTIME_DIR",
    "AWS_REGION",             "AWS_DEFAULT_REGION",      "_HANDLER",          "ORIG_HANDLER",
    "DD_LAMBDA_HANDLER",      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
};
enum { NAMES = sizeof names / sizeof *names };

static char store[FACTS_MAX];
static size_t used;
static const char *values[NAMES];
static bool complete = true;

static void keep(unsigned index, const char *value, size_t size)
{
    if (size + 1 > sizeof store - used) {
        complete = false;
        return;
    }
    memcpy(store + used, value, size);
    store[used + size] = '\0';
    values[index] = store + used;
    used += size + 1;
}

/* The index of the fact that `text` ("NAME=value") states, and where its value begins; NAMES where it is none. */
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

void facts_start(const char *text, char *const *environment)
{
    const char *value;
    bool given = *text != '\0';
    while (*text) {
        size_t size = strcspn(text, "\x1e");
        unsigned index = find(text, &value);
        if (index < NAMES && !values[index] && value <= text + size) keep(index, value, (size_t)(text + size - value));
        text += size + (text[size] != '\0');
    }
    if (given || !environment) return;
    for (; *environment; environment++) {
        unsigned index = find(*environment, &value);
        if (index < NAMES && !values[index]) keep(index, value, strlen(value));
    }
}

const char *facts_value(const char *name)
{
    for (unsigned i = 0; i < NAMES; i++)
        if (strcmp(names[i], name) == 0) return values[i];
    return NULL;
}

bool facts_text(char *out, size_t size)
{
    size_t at = 0;
    if (!complete) return false;
    /* Never empty: a child that finds nothing here would ask its environment. */
    static const char mark[] = "=\x1e";
    if (size < sizeof mark) return false;
    memcpy(out, mark, sizeof mark - 1);
    at = sizeof mark - 1;
    for (unsigned i = 0; i < NAMES; i++) {
        if (!values[i]) continue;
        size_t name = strlen(names[i]), value = strlen(values[i]);
        /* A separator inside a value would state another fact. */
        if (strchr(values[i], SEPARATOR) || strchr(values[i], '\x1f') || name + value + 3 > size - at) return false;
        memcpy(out + at, names[i], name);
        out[at + name] = '=';
        memcpy(out + at + name + 1, values[i], value);
        at += name + value + 1;
        out[at++] = SEPARATOR;
    }
    out[at] = '\0';
    return true;
}
