/* A bounded writer of one JSON line: what does not fit is shortened inside a string, never outside one. */
#ifndef FS_JSON_H
#define FS_JSON_H

#include <stddef.h>
#include <stdint.h>

#define JSON_LINE_MAX 4096

struct json {
    size_t size;
    char bytes[JSON_LINE_MAX];
};

/* `text` as it is; nothing where it does not fit. */
void json_raw(struct json *json, const char *text);
void json_number(struct json *json, int64_t number);
/* A quoted string of at most `most` bytes between the quotes, "…" at the end of one that was cut. NULL makes null.
 * Bytes that are not UTF-8 become U+FFFD; control characters are escaped; secrets (secrets.h) become ***. */
void json_string(struct json *json, const char *text, size_t most);
/* ,"key": */
void json_key(struct json *json, const char *key);

/* UTC, RFC 3339 with microseconds: 27 bytes and a NUL. */
void json_timestamp(char out[28]);

#endif
