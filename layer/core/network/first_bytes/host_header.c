/* Heads and bodies of HTTP/1 requests (RFC 9112). See host_header.h. No libc calls beyond memory.
 */
#include "network/first_bytes/host_header.h"

#include <string.h>
#include <strings.h>

#include "support/text.h"

enum state {
    HEAD,
    BODY,
    CHUNK_SIZE,
    CHUNK_SIZE_END,
    CHUNK_DATA,
    CHUNK_DATA_END,
    CHUNK_DATA_LINE,
    LAST_CHUNK,
    LAST_CHUNK_END,
    TRAILER,
    TRAILER_END
};

static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

struct text {
    const char *at;
    size_t size;
};

static bool is(struct text text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.at, word, text.size) == 0;
}

static bool begins(struct text text, const char *word)
{
    size_t size = strlen(word);
    return text.size >= size && strncasecmp(text.at, word, size) == 0;
}

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT". */
static bool read_authority(struct text text, struct host_target *target)
{
    const char *colon = NULL;
    size_t size = text.size;
    if (size > 0 && text.at[0] == '[') {
        const char *end = memchr(text.at, ']', size);
        if (end == NULL) return false;
        size = (size_t)(end - text.at) + 1;
        if (size < text.size) colon = text.at + size;
        if (colon != NULL && *colon != ':') return false;
        if (size < 4 || size - 2 > DNS_NAME_MAX) return false;
        for (size_t i = 1; i < size - 1; i++) {
            char c = text.at[i];
            if (text_hex_digit(c) < 0 && c != ':' && c != '.') return false;
        }
        memcpy(target->name, text.at + 1, size - 2);
        target->name[size - 2] = '\0';
    } else {
        colon = memchr(text.at, ':', size);
        if (colon != NULL) size = (size_t)(colon - text.at);
        char name[DNS_NAME_MAX + 2];
        if (size == 0 || size >= sizeof name) return false;
        memcpy(name, text.at, size);
        name[size] = '\0';
        if (!dns_normalise(name, target->name)) return false;
    }
    target->port = 0;
    if (colon == NULL) return true;
    uint32_t port = 0;
    size_t digits = text.size - (size_t)(colon + 1 - text.at);
    if (digits == 0 || digits > 5) return false;
    for (size_t i = 1; i <= digits; i++) {
        if (colon[i] < '0' || colon[i] > '9') return false;
        port = port * 10 + (uint32_t)(colon[i] - '0');
    }
    target->port = (uint16_t)port;
    return port > 0 && port <= UINT16_MAX;
}

/* Takes a line up to its CRLF. Fails if there is none yet, or on a byte that heads cannot have. */
static enum host_kind take_line(const char *bytes, size_t size, size_t *at, struct text *line)
{
    for (size_t i = *at; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\r') {
            if (i + 1 == size) return HOST_SPLIT;
            if (bytes[i + 1] != '\n') return HOST_MALFORMED;
            *line = (struct text){bytes + *at, i - *at};
            *at = i + 2;
            return HOST_OK;
        }
        if ((c < ' ' && c != '\t') || c == 0x7f) return HOST_MALFORMED;
    }
    return HOST_SPLIT;
}

struct head {
    struct host_target targets[2]; /* of the request line, of the Host header */
    bool named[2];
    struct host_request request;
    bool has_length, old;
    uint16_t default_port; /* of the scheme of an absolute target */
};

static enum host_kind read_request_line(struct text line, struct head *head)
{
    size_t method = 0;
    while (method < line.size && line.at[method] >= 'A' && line.at[method] <= 'Z') method++;
    head->request.line = line.at;
    head->request.line_size = line.size;
    if (method == 0 || method > 32 || method == line.size || line.at[method] != ' ')
        return HOST_NOT_HTTP;
    struct text target = {line.at + method + 1, line.size - method - 1};
    const char *space = memchr(target.at, ' ', target.size);
    if (space == NULL) return HOST_NOT_HTTP;
    struct text version = {space + 1, target.size - (size_t)(space + 1 - target.at)};
    target.size = (size_t)(space - target.at);
    head->old = version.size == 8 && version.at[7] == '0';
    if (version.size != 8 || memcmp(version.at, "HTTP/1.", 7) != 0 ||
        (version.at[7] != '0' && version.at[7] != '1'))
        return HOST_NOT_HTTP;
    if (target.size == 0 || memchr(target.at, '\t', target.size) != NULL) return HOST_MALFORMED;
    if (method == 7 && memcmp(line.at, "CONNECT", 7) == 0) {
        if (!read_authority(target, &head->targets[0]) || head->targets[0].port == 0)
            return HOST_MALFORMED;
        head->targets[0].connect = head->named[0] = true;
        return HOST_OK;
    }
    if (target.at[0] == '/' || (target.size == 1 && target.at[0] == '*')) return HOST_OK;
    size_t scheme = begins(target, "http://") ? 7 : begins(target, "https://") ? 8 : 0;
    if (scheme == 0) return HOST_MALFORMED;
    struct text authority = {target.at + scheme, target.size - scheme};
    for (size_t i = 0; i < authority.size; i++)
        if (authority.at[i] == '/' || authority.at[i] == '?' || authority.at[i] == '#')
            authority.size = i;
    if (!read_authority(authority, &head->targets[0])) return HOST_MALFORMED;
    head->named[0] = true;
    head->default_port = scheme == 8 ? 443 : 80;
    return HOST_OK;
}

static enum host_kind read_length(struct text value, struct head *head)
{
    if (head->has_length || value.size == 0 || value.size > 18) return HOST_MALFORMED;
    for (size_t i = 0; i < value.size; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') return HOST_MALFORMED;
        head->request.length = head->request.length * 10 + (uint64_t)(value.at[i] - '0');
    }
    head->has_length = true;
    return HOST_OK;
}

static enum host_kind read_field(struct text line, struct head *head)
{
    size_t size = 0;
    while (size < line.size && is_token(line.at[size])) size++;
    if (size == 0 || size == line.size || line.at[size] != ':') return HOST_MALFORMED;
    struct text name = {line.at, size}, value = {line.at + size + 1, line.size - size - 1};
    while (value.size > 0 && (value.at[0] == ' ' || value.at[0] == '\t')) value.at++, value.size--;
    while (value.size > 0 && (value.at[value.size - 1] == ' ' || value.at[value.size - 1] == '\t'))
        value.size--;
    if (is(name, "host")) {
        if (head->named[1]) return HOST_TWICE;
        if (!read_authority(value, &head->targets[1])) return HOST_MALFORMED;
        head->named[1] = true;
    } else if (is(name, "content-length")) {
        return read_length(value, head);
    } else if (is(name, "transfer-encoding")) {
        if (head->request.chunked || !is(value, "chunked")) return HOST_MALFORMED;
        head->request.chunked = true;
    } else if (is(name, "upgrade")) {
        return HOST_UPGRADE;
    } else if (is(name, "expect")) {
        /* With any other expectation, servers disagree on where the body begins. */
        if (head->request.expects || !is(value, "100-continue")) return HOST_MALFORMED;
        head->request.expects = true;
    } else if (is(name, "lambda-runtime-function-response-mode")) {
        head->request.streams = is(value, "streaming");
    }
    /* Some servers take "_" for "-", and would see one of these headers. */
    for (size_t i = 0; i < name.size; i++)
        if (name.at[i] == '_' && (begins(name, "content") || begins(name, "transfer")))
            return HOST_MALFORMED;
    return HOST_OK;
}

static enum host_kind read_head(const char *bytes, size_t size, size_t *at, struct head *head)
{
    struct text line;
    enum host_kind kind = take_line(bytes, size, at, &line);
    if (kind == HOST_SPLIT && size > 0 && (bytes[*at] < 'A' || bytes[*at] > 'Z'))
        return HOST_NOT_HTTP;
    if (kind != HOST_OK) return kind == HOST_MALFORMED ? HOST_NOT_HTTP : kind;
    kind = read_request_line(line, head);
    while (kind == HOST_OK) {
        kind = take_line(bytes, size, at, &line);
        if (kind != HOST_OK) return kind;
        if (line.size == 0) break;
        kind = read_field(line, head);
    }
    if (kind != HOST_OK) return kind;
    if (!head->named[1] && !head->targets[0].connect) return HOST_UNNAMED;
    /* HTTP/1.0 has no chunks, so servers disagree on where such a request ends. */
    if (head->request.chunked && (head->has_length || head->old)) return HOST_MALFORMED;
    for (unsigned i = 0; i < 2; i++) {
        head->targets[i].request = &head->request;
        if (head->targets[i].port == 0) head->targets[i].port = head->default_port;
    }
    return HOST_OK;
}

/* Takes one byte of a chunked body outside the chunks' data. */
static bool feed_chunks(struct host_flow *flow, char c)
{
    switch (flow->state) {
    case CHUNK_SIZE:
        if (c == '\r') {
            flow->state = CHUNK_SIZE_END;
            return flow->digits > 0;
        }
        if (text_hex_digit(c) < 0 || ++flow->digits > 15) return false;
        flow->left = flow->left << 4 | (uint64_t)text_hex_digit(c);
        return true;
    case CHUNK_SIZE_END:
        flow->state = flow->left > 0 ? CHUNK_DATA : LAST_CHUNK;
        flow->digits = 0;
        return c == '\n';
    case CHUNK_DATA_END: flow->state = CHUNK_DATA_LINE; return c == '\r';
    case CHUNK_DATA_LINE: flow->state = CHUNK_SIZE; return c == '\n';
    case LAST_CHUNK:
        if (flow->trailers && is_token(c)) {
            flow->state = TRAILER;
            return true;
        }
        flow->state = LAST_CHUNK_END;
        return c == '\r';
    case TRAILER:
        if (c == '\r') flow->state = TRAILER_END;
        return c == '\r' || c == '\t' || (c >= ' ' && c != 0x7f);
    case TRAILER_END: flow->state = LAST_CHUNK; return c == '\n';
    default: flow->state = HEAD; return c == '\n';
    }
}

uint64_t host_flow_body(const struct host_flow *flow)
{
    return flow->state == BODY || flow->state == CHUNK_DATA ? flow->left : 0;
}

enum host_kind host_flow_feed(struct host_flow *flow, const char *bytes, size_t size,
                              host_allows *allows, void *context, bool *tunnel, size_t *used)
{
    *tunnel = false;
    for (*used = 0; *used < size;) {
        uint64_t body = host_flow_body(flow);
        if (body > 0) {
            size_t part = body < size - *used ? (size_t)body : size - *used;
            *used += part;
            flow->left -= part;
            if (flow->left == 0) flow->state = flow->state == BODY ? HEAD : CHUNK_DATA_END;
            continue;
        }
        if (flow->state != HEAD) {
            if (!feed_chunks(flow, bytes[*used])) return HOST_MALFORMED;
            ++*used;
            continue;
        }
        struct head head = {0};
        size_t start = *used;
        enum host_kind kind = read_head(bytes, size, used, &head);
        if (kind != HOST_OK) *used = start;
        if (kind != HOST_OK) return kind;
        for (unsigned i = 0; i < 2; i++)
            if (head.named[i] && !(i == 1 && head.targets[0].connect) &&
                !allows(context, &head.targets[i]))
                return HOST_REFUSED;
        if (head.targets[0].connect) {
            if (head.request.chunked || head.request.length > 0) return HOST_MALFORMED;
            *tunnel = true;
            return HOST_OK;
        }
        uint8_t state = head.request.chunked ? CHUNK_SIZE : head.request.length > 0 ? BODY : HEAD;
        *flow = (struct host_flow){
            .state = state, .left = head.request.length, .trailers = flow->trailers};
    }
    return HOST_OK;
}
