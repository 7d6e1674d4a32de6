/* A bounded writer of one JSON line: what does not fit is shortened inside a string, never outside
 * one. */
#ifndef FS_JSON_H
#define FS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_LINE_MAX 4096

struct json {
    size_t size;
    bool full; /* something did not fit: the line is not complete */
    uint8_t shrink; /* strings get a half, a quarter, … of their room */
    char bytes[JSON_LINE_MAX];
};

/* An empty one, whose strings have all their room. */
static inline void json_begin(struct json *json)
{
    json->size = 0;
    json->full = false;
    json->shrink = 0;
}

/* Adds `text` as it is. If it does not fit, adds nothing and sets `full`. */
void json_raw(struct json *json, const char *text);
void json_number(struct json *json, int64_t number);
/* A quoted string of at most `most` bytes between the quotes, "…" at the end of one that was cut.
 * NULL makes null. Bytes that are not UTF-8 become U+FFFD; control characters are escaped; secrets
 * (secrets.h) become ***. */
void json_string(struct json *json, const char *text, size_t most);
/* What json_string writes of one character of `text`, or of the secret that begins there: its bytes
 * in `out`, its size; `used` bytes of `text` are read. */
size_t json_character(const char *text, char out[8], size_t *used);
/* ,"key": (without the comma where an object has just begun). */
void json_key(struct json *json, const char *key);
/* The same, with a value as json_string and json_number write it. */
void json_text(struct json *json, const char *key, const char *text, size_t most);
void json_integer(struct json *json, const char *key, int64_t number);
/* The same, in lines with little room too. */
void json_whole(struct json *json, const char *key, const char *text, size_t most);
/* The same, with a word of our own, which is neither escaped nor shortened. */
void json_word(struct json *json, const char *key, const char *word);

/* Milliseconds since 1970. */
int64_t json_milliseconds(void);
/* UTC, RFC 3339 with microseconds: 27 bytes and a NUL. */
void json_timestamp(char out[28]);

#endif
