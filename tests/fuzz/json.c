/* json_string with secrets: whatever the input, the result is one JSON string, in valid UTF-8
 * without control characters, and it contains no secret's value. The first byte limits the size
 * of the output. The second byte cuts the secret off, and chooses how it is kept. */
#include "events/secrets.c" /* for what it keeps, which no other caller ever takes back */
#include "events/json.h"

#include "fuzz.h"

/* One step of a UTF-8 decoder. Returns the length of the character, or 0 for invalid bytes. */
static size_t decoded(const uint8_t *at, size_t size)
{
    if (at[0] < 0x80) return 1;
    size_t length = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4 || length > size) return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    if (at[0] == 0xE0 && at[1] < 0xA0) return 0;
    if (at[0] == 0xED && at[1] > 0x9F) return 0;
    if (at[0] == 0xF0 && at[1] < 0x90) return 0;
    if (at[0] == 0xF4 && at[1] > 0x8F) return 0;
    return length;
}

static void valid_string(const char *text, size_t size)
{
    PROMISE(size >= 2 && text[0] == '"' && text[size - 1] == '"');
    for (size_t i = 1; i < size - 1;) {
        uint8_t byte = (uint8_t)text[i];
        PROMISE(byte >= 0x20 && byte != '"');
        if (byte == '\\') {
            PROMISE(i + 1 < size - 1);
            char next = text[i + 1];
            PROMISE(strchr("\"\\/bfnrtu", next) != NULL && next != '\0');
            if (next == 'u') PROMISE(i + 6 <= size - 1);
            i += next == 'u' ? 6 : 2;
            continue;
        }
        size_t length = decoded((const uint8_t *)text + i, size - 1 - i);
        PROMISE(length > 0);
        i += length;
    }
}

/* Replace each escape by one byte that no secret here contains, because the last digit of an
 * escape and the text behind it could look like a secret. */
static void without_escapes(char *text)
{
    char *to = text;
    for (const char *at = text; *at;) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        size_t length = at[1] == 'u' ? 6 : 2;
        *to++ = '\1';
        for (; length > 0 && *at; length--) at++;
    }
    *to = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    size_t most = data[0] * 8u, split = data[1] % (size - 1);
    char *secret = copied_text(data + 2, split < size - 2 ? split : size - 2);
    size_t used = split < size - 2 ? split : size - 2;
    char *text = copied_text(data + 2 + used, size - 2 - used);
    size_t room = strlen(secret) + 32;
    char *variable = malloc(room);
    if (!variable) exit(1);
    strcpy(variable, "API_SECRET=");
    strcat(variable, secret);
    /* Another secret with the same beginning, which comes first. */
    char shorter[] = "TOKEN=........";
    strncpy(shorter + 6, secret, 8);
    char *environment[] = {shorter, variable, NULL};
    whole.count = whole.used = 0;
    marks.count = marks.overflow = false;
    /* If the third bit of the second byte is set, there is no room for the values. The secrets
     * are then known by their marks, as they are passed to a child. */
    if (data[1] & 4) whole.count = WHOLE;
    secrets_read(environment);
    if (data[1] & 4) {
        char described[SECRETS_MARKS * MARK_DIGITS + 1];
        whole.count = 0;
        size_t length = secrets_describe(described, sizeof described);
        PROMISE(length == strlen(described) && length == marks.count * (size_t)MARK_DIGITS);
        marks.count = 0;
        secrets_restore(described);
        PROMISE(!marks.overflow && marks.count * (size_t)MARK_DIGITS == length);
    }
    static struct json json;
    json.size = 0;
    json_string(&json, text, most);
    PROMISE(json.size <= sizeof json.bytes);
    valid_string(json.bytes, json.size);
    bool plain = strlen(secret) >= 8;
    for (const char *at = secret; *at; at++)
        plain = plain && *at > ' ' && *at < 0x7F && *at != '"' && *at != '\\' && *at != '*';
    plain = plain && secret[0] != '/' && strncmp(secret, "http://", 7) != 0;
    if (plain) {
        char *out = copied_text((const uint8_t *)json.bytes, json.size);
        without_escapes(out);
        PROMISE(strstr(out, secret) == NULL);
        free(out);
    }
    free(variable);
    free(text);
    free(secret);
    return 0;
}
