#include "events/json.h"

#include <string.h>
#include <time.h>

#include "events/secrets.h"
#include "support/sys.h"
#include "support/text.h"

void json_raw(struct json *json, const char *text)
{
    size_t size = strlen(text);
    if (size > sizeof json->bytes - json->size) {
        json->full = true;
        return;
    }
    memcpy(json->bytes + json->size, text, size);
    json->size += size;
}

void json_number(struct json *json, int64_t number)
{
    char digits[1 + TEXT_NUMBER_SIZE];
    digits[0] = '-';
    text_number(digits + 1, number < 0 ? -(uint64_t)number : (uint64_t)number);
    json_raw(json, digits + (number >= 0));
}

void json_key(struct json *json, const char *key)
{
    json_raw(json, &",\""[json->size > 0 && json->bytes[json->size - 1] == '{']);
    json_raw(json, key);
    json_raw(json, "\":");
}

void json_text(struct json *json, const char *key, const char *text, size_t most)
{
    json_key(json, key);
    json_string(json, text, most);
}

void json_whole(struct json *json, const char *key, const char *text, size_t most)
{
    uint8_t shrink = json->shrink;
    json->shrink = 0;
    json_text(json, key, text, most);
    json->shrink = shrink;
}

void json_integer(struct json *json, const char *key, int64_t number)
{
    json_key(json, key);
    json_number(json, number);
}

void json_word(struct json *json, const char *key, const char *word)
{
    json_key(json, key);
    json_raw(json, "\"");
    json_raw(json, word);
    json_raw(json, "\"");
}

/* The length of the UTF-8 sequence at `text` (no overlong forms, no surrogates), 0 where there is
 * none. */
static size_t sequence(const unsigned char *text)
{
    unsigned char first = text[0];
    if (first < 0x80) return 1;
    size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                  : first >= 0xe0 && first <= 0xef ? 3
                  : first >= 0xf0 && first <= 0xf4 ? 4
                                                   : 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    if (first == 0xe0 && text[1] < 0xa0) return 0;
    if (first == 0xed && text[1] > 0x9f) return 0;
    if (first == 0xf0 && text[1] < 0x90) return 0;
    if (first == 0xf4 && text[1] > 0x8f) return 0;
    return size;
}

size_t json_character(const char *text, char out[8], size_t *used)
{
    unsigned char first = (unsigned char)*text;
    *used = 1;
    size_t masked = secrets_at(text);
    if (masked) {
        *used = masked;
        memcpy(out, "***", 3);
        return 3;
    }
    if (first == '"' || first == '\\') {
        out[0] = '\\';
        out[1] = (char)first;
        return 2;
    }
    if (first < 0x20 || first == 0x7f) {
        static const char digits[] = "0123456789abcdef";
        memcpy(out, "\\u00", 4);
        out[4] = digits[first >> 4];
        out[5] = digits[first & 15];
        return 6;
    }
    size_t size = sequence((const unsigned char *)text);
    if (size == 0) {
        memcpy(out, "\xef\xbf\xbd", 3);
        return 3;
    }
    memcpy(out, text, size);
    *used = size;
    return size;
}

void json_string(struct json *json, const char *text, size_t most)
{
    if (!text) {
        json_raw(json, "null");
        return;
    }
    if (sizeof json->bytes - json->size < 8) {
        json->full = true;
        return;
    }
    size_t room = sizeof json->bytes - json->size - 2;
    most >>= json->shrink;
    if (most < 16) most = 16;
    if (most > room) {
        most = room;
        json->full = true;
    }
    json->bytes[json->size++] = '"';
    size_t start = json->size, last = json->size;
    while (*text) {
        char out[8];
        size_t used, size = json_character(text, out, &used);
        if (json->size - start + size > most) {
            /* Back to where "…" fits. */
            json->size = last;
            if (most >= 3) {
                memcpy(json->bytes + json->size, "\xe2\x80\xa6", 3);
                json->size += 3;
            }
            break;
        }
        memcpy(json->bytes + json->size, out, size);
        json->size += size;
        if (json->size - start + 3 <= most) last = json->size;
        text += used;
    }
    json->bytes[json->size++] = '"';
}

static void put2(char *out, unsigned value, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; value /= 10) out[i] = (char)('0' + value % 10);
}

int64_t json_milliseconds(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void json_timestamp(char out[28])
{
    struct timespec now = {0};
    sys_call(SYS_clock_gettime, CLOCK_REALTIME, &now);
    /* Days to a civil date, as in Howard Hinnant's chrono-compatible algorithms. gmtime is not safe
     * in a signal handler. */
    int64_t days = now.tv_sec / 86400, second = now.tv_sec % 86400;
    int64_t z = days + 719468, era = z / 146097;
    unsigned doe = (unsigned)(z - era * 146097),
             yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    unsigned day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    unsigned year = (unsigned)(yoe + era * 400) + (month <= 2);
    memcpy(out, "0000-00-00T00:00:00.000000Z", 28);
    put2(out, year, 4);
    put2(out + 5, month, 2);
    put2(out + 8, day, 2);
    put2(out + 11, (unsigned)(second / 3600), 2);
    put2(out + 14, (unsigned)(second / 60 % 60), 2);
    put2(out + 17, (unsigned)(second % 60), 2);
    put2(out + 20, (unsigned)(now.tv_nsec / 1000), 6);
}
