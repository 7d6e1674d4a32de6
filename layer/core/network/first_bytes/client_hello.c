/* The first bytes of a TLS connection. See client_hello.h. No libc calls beyond memory. */
#include "network/first_bytes/client_hello.h"

#include <string.h>

enum { ALERT = 0x15, CHANGE_CIPHER_SPEC = 0x14, HANDSHAKE = 0x16, CLIENT_HELLO = 1 };
enum { RECORD_HEAD = 5, RECORD_MAX = 16384, HANDSHAKE_HEAD = 4 };
enum {
    SERVER_NAME = 0,
    EARLY_DATA = 42,
    ENCRYPTED_CLIENT_HELLO = 0xfe0d,
    ENCRYPTED_SERVER_NAME = 0xffce
};

struct reader {
    const uint8_t *at;
    size_t left;
    bool short_; /* a read went past the end */
};

static unsigned take(struct reader *reader, unsigned bytes)
{
    unsigned value = 0;
    if (reader->left < bytes) {
        reader->short_ = true;
        reader->left = 0;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++) value = value << 8 | reader->at[i];
    reader->at += bytes;
    reader->left -= bytes;
    return value;
}

static struct reader take_part(struct reader *reader, size_t size)
{
    struct reader part = {reader->at, size, false};
    if (size > reader->left) {
        reader->short_ = part.short_ = true;
        reader->left = part.left = 0;
        return part;
    }
    reader->at += size;
    reader->left -= size;
    return part;
}

/* One list with one host name (RFC 6066, section 3). */
static bool read_server_name(struct reader *body, char *out)
{
    struct reader list = take_part(body, take(body, 2));
    unsigned type = take(&list, 1);
    struct reader name = take_part(&list, take(&list, 2));
    char text[DNS_NAME_MAX + 2];
    if (body->short_ || list.short_ || body->left != 0 || list.left != 0 || type != 0) return false;
    if (name.left == 0 || name.left >= sizeof text || memchr(name.at, '\0', name.left) != NULL)
        return false;
    memcpy(text, name.at, name.left);
    text[name.left] = '\0';
    return dns_normalise(text, out);
}

static enum hello_kind read_extensions(struct reader *list, char *name)
{
    bool named = false, encrypted = false, early = false;
    while (list->left > 0) {
        unsigned type = take(list, 2);
        struct reader body = take_part(list, take(list, 2));
        if (list->short_) return HELLO_MALFORMED;
        if (type == ENCRYPTED_CLIENT_HELLO || type == ENCRYPTED_SERVER_NAME) encrypted = true;
        if (type == EARLY_DATA) early = true;
        if (type != SERVER_NAME) continue;
        if (named || !read_server_name(&body, name)) return HELLO_MALFORMED;
        named = true;
    }
    return encrypted ? HELLO_ENCRYPTED
           : early   ? HELLO_EARLY_DATA
           : named   ? HELLO_NAMED
                     : HELLO_UNNAMED;
}

static enum hello_kind read_body(struct reader body, char *name)
{
    unsigned version = take(&body, 2);
    take_part(&body, 32);
    unsigned session = take(&body, 1);
    take_part(&body, session);
    unsigned suites = take(&body, 2);
    take_part(&body, suites);
    unsigned methods = take(&body, 1);
    take_part(&body, methods);
    if (body.short_ || version >> 8 != 3 || session > 32 || suites < 2 || suites % 2 != 0 ||
        methods == 0)
        return HELLO_MALFORMED;
    if (body.left == 0) return HELLO_UNNAMED; /* before TLS 1.2 they may be missing */
    struct reader list = take_part(&body, take(&body, 2));
    if (body.short_ || body.left != 0) return HELLO_MALFORMED;
    return read_extensions(&list, name);
}

static enum hello_kind read_record(const uint8_t *bytes, size_t size, struct client_hello *hello)
{
    static const uint8_t begin[] = {HANDSHAKE, 3};
    size_t seen = size < sizeof begin ? size : sizeof begin;
    if (size > 0 && memcmp(bytes, begin, seen) != 0) return HELLO_NOT_TLS;
    if (size < RECORD_HEAD) return HELLO_SPLIT;
    size_t record = (size_t)bytes[3] << 8 | bytes[4];
    if (bytes[2] > 4 || record == 0 || record > RECORD_MAX) return HELLO_NOT_TLS;
    if (size > RECORD_HEAD && bytes[RECORD_HEAD] != CLIENT_HELLO) return HELLO_NOT_TLS;
    if (record < HANDSHAKE_HEAD) return HELLO_FRAGMENTED;
    if (size < RECORD_HEAD + HANDSHAKE_HEAD) return HELLO_SPLIT;
    size_t body = (size_t)bytes[6] << 16 | (size_t)bytes[7] << 8 | bytes[8];
    if (body > RECORD_MAX - HANDSHAKE_HEAD) return HELLO_OVERSIZED;
    if (body > record - HANDSHAKE_HEAD) return HELLO_FRAGMENTED;
    if (size - RECORD_HEAD < record) return HELLO_SPLIT;
    if (body < record - HANDSHAKE_HEAD) return HELLO_MALFORMED;
    hello->size = RECORD_HEAD + record;
    return read_body((struct reader){bytes + RECORD_HEAD + HANDSHAKE_HEAD, body, false},
                     hello->name);
}

void client_hello_read(const uint8_t *bytes, size_t size, struct client_hello *hello)
{
    hello->size = 0;
    hello->name[0] = '\0';
    hello->kind = read_record(bytes, size, hello);
    if (hello->kind == HELLO_MALFORMED || hello->kind == HELLO_UNNAMED) hello->name[0] = '\0';
}

enum hello_next client_hello_next(const uint8_t *bytes, size_t size, size_t *at,
                                  struct client_hello *hello)
{
    for (*at = 0; *at < size;) {
        const uint8_t *record = bytes + *at;
        size_t left = size - *at;
        if (record[0] != HANDSHAKE && record[0] != ALERT && record[0] != CHANGE_CIPHER_SPEC)
            return HELLO_NEXT_OVER;
        if (left < RECORD_HEAD + 1) return HELLO_NEXT_SPLIT;
        if (record[0] == HANDSHAKE) {
            size_t length = (size_t)record[3] << 8 | record[4];
            /* An empty fragment of a handshake message: the rest follows in later records. */
            if (length == 0) {
                *hello = (struct client_hello){.kind = HELLO_FRAGMENTED};
                return HELLO_NEXT_AGAIN;
            }
            if (record[RECORD_HEAD] != CLIENT_HELLO) return HELLO_NEXT_OVER;
            client_hello_read(record, left, hello);
            return HELLO_NEXT_AGAIN;
        }
        size_t length = (size_t)record[3] << 8 | record[4];
        if (length > left - RECORD_HEAD) return HELLO_NEXT_SPLIT;
        *at += RECORD_HEAD + length;
    }
    return HELLO_NEXT_OPEN;
}
