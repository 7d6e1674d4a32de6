#include "events/secrets.h"

#include <string.h>

enum {
    WHOLE = 32,
    WHOLE_BYTES = 16384,
    MARKS = SECRETS_MARKS,
    LONGER = 2 * SECRET_SHORTEST,
    MARK_DIGITS = 16
};
#define LIKELY(condition) __builtin_expect(!!(condition), 1)

static const char digits[] = "0123456789abcdef";

/* Values in full, as many as there is room for. */
static struct {
    unsigned count;
    uint32_t offset[WHOLE], size[WHOLE];
    uint32_t used;
    char bytes[WHOLE_BYTES];
} whole;

/* Secrets that find no room, and those of a parent's environment, are known by a mark only: from a
 * mark on, a text is masked to its end. If there are more than fit, every text is masked. */
struct mark {
    uint32_t
        begins; /* of its first eight bytes, which suffice if the text ends within the secret */
    uint32_t longer; /* of its first sixteen, since many values begin as words do ("postgres://"); 0
                        where it is shorter */
};
static struct {
    unsigned count;
    struct mark of[MARKS];
    bool overflow;
} marks;

static bool looks_secret(const char *name, size_t size)
{
    static const char words[] = "SECRET\0TOKEN\0PASSWORD\0PASSWD\0PASSPHRASE\0CREDENTIAL\0API_KEY\0"
                                "APIKEY\0ACCESS_KEY\0PRIVATE_KEY\0_DSN\0DATABASE_URL\0";
    char upper[128];
    if (size >= sizeof upper) size = sizeof upper - 1;
    for (size_t i = 0; i < size; i++)
        upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
    upper[size] = '\0';
    for (const char *word = words; *word; word += strlen(word) + 1)
        if (strstr(upper, word)) return true;
    return size > 4 && strcmp(upper + size - 4, "_KEY") == 0;
}

/* 32 of FNV-1a's 64 bits: a value that is hard to guess stays so. */
static uint32_t hash_of(const char *text, unsigned size)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned i = 0; i < size; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (uint32_t)(hash >> 32) | 1u; /* never 0 */
}

static struct mark mark_of(const char *secret, size_t size)
{
    return (struct mark){hash_of(secret, SECRET_SHORTEST),
                         size >= LONGER ? hash_of(secret, LONGER) : 0};
}

static void add_mark(struct mark mark)
{
    for (unsigned i = 0; i < marks.count; i++)
        if (marks.of[i].begins == mark.begins && marks.of[i].longer == mark.longer) return;
    if (marks.count == MARKS)
        marks.overflow = true;
    else
        marks.of[marks.count++] = mark;
}

void secrets_read(char *const *environment)
{
    for (char *const *at = environment; at && *at; at++) {
        const char *equals = strchr(*at, '=');
        if (!equals || !looks_secret(*at, (size_t)(equals - *at))) continue;
        size_t size = strlen(equals + 1);
        /* The path or address of a secret (AWS_CONTAINER_CREDENTIALS_FULL_URI) is not a secret, and
         * masking it would hide what was done. */
        if (size < SECRET_SHORTEST || equals[1] == '/' || strncmp(equals + 1, "http://", 7) == 0)
            continue;
        if (whole.count == WHOLE || size > sizeof whole.bytes - whole.used) {
            add_mark(mark_of(equals + 1, size));
            continue;
        }
        memcpy(whole.bytes + whole.used, equals + 1, size);
        whole.offset[whole.count] = whole.used;
        whole.size[whole.count++] = (uint32_t)size;
        whole.used += (uint32_t)size;
    }
}

static bool is_marked(const char *text)
{
    if (LIKELY(marks.count == 0)) return false;
    size_t size = strnlen(text, LONGER);
    if (size < SECRET_SHORTEST) return false;
    if (marks.overflow) return true;
    uint32_t begins = hash_of(text, SECRET_SHORTEST);
    for (unsigned i = 0; i < marks.count; i++)
        if (marks.of[i].begins == begins && (marks.of[i].longer == 0 || size < LONGER ||
                                             marks.of[i].longer == hash_of(text, LONGER)))
            return true;
    return false;
}

size_t secrets_at(const char *text)
{
    size_t most = 0;
    for (unsigned i = 0; i < whole.count; i++) {
        const char *secret = whole.bytes + whole.offset[i];
        if (*text != *secret) continue;
        size_t same = 0;
        while (same < whole.size[i] && text[same] == secret[same]) same++;
        if (same > most &&
            (same == whole.size[i] || (same >= SECRET_SHORTEST && text[same] == '\0')))
            most = same;
    }
    return most == 0 && is_marked(text) ? strlen(text) : most;
}

static char *put_number(char *at, uint32_t number)
{
    for (unsigned shift = 32; shift > 0;) *at++ = digits[number >> (shift -= 4) & 15];
    return at;
}

static char *put_mark(char *at, struct mark mark)
{
    return put_number(put_number(at, mark.begins), mark.longer);
}

size_t secrets_describe(char *out, size_t size)
{
    size_t count = whole.count + marks.count;
    if (size < sizeof "*") return 0;
    if (marks.overflow || count > MARKS || count * MARK_DIGITS >= size) {
        memcpy(out, "*", sizeof "*");
        return 1;
    }
    char *at = out;
    for (unsigned i = 0; i < whole.count; i++)
        at = put_mark(at, mark_of(whole.bytes + whole.offset[i], whole.size[i]));
    for (unsigned i = 0; i < marks.count; i++) at = put_mark(at, marks.of[i]);
    *at = '\0';
    return (size_t)(at - out);
}

/* False where eight digits do not follow. */
static bool take_number(const char **text, uint32_t *number)
{
    *number = 0;
    for (unsigned i = 0; i < 8; i++, (*text)++) {
        const char *digit = **text ? strchr(digits, **text) : NULL;
        if (!digit) return false;
        *number = *number << 4 | (uint32_t)(digit - digits);
    }
    return true;
}

void secrets_restore(const char *text)
{
    struct mark mark;
    while (*text) {
        if (!take_number(&text, &mark.begins) || !take_number(&text, &mark.longer)) {
            marks.overflow = true;
            marks.count = MARKS;
            return;
        }
        add_mark(mark);
    }
}
