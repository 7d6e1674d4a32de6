/* Heads and bodies of a proxy's answers (RFC 9110, section 9.3.6; RFC 9112). See proxy_answer.h. No
 * libc calls beyond memory. */
#include "network/first_bytes/proxy_answer.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "support/text.h"

enum state {
    STATUS,
    FIELDS,
    BODY,
    CHUNK_SIZE,
    CHUNK_REST,
    CHUNK_DATA,
    CHUNK_END,
    TRAILER,
    OPEN,
    UNCLEAR
};
enum { HAS_LENGTH = 1, CHUNKED = 2, RETURNED = 4 };
enum { HEAD_MAX = 65536 };

static bool read_status(struct proxy_answer *answer)
{
    const char *line = answer->line;
    if (answer->length < 12 || memcmp(line, "HTTP/1.", 7) != 0 ||
        (line[7] != '0' && line[7] != '1') || line[8] != ' ')
        return false;
    answer->status = 0;
    for (unsigned i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') return false;
        answer->status = (uint16_t)(answer->status * 10 + (line[i] - '0'));
    }
    return answer->status >= 100 && (answer->length == 12 || line[12] == ' ');
}

/* The value of the header `name` (given with its colon), NUL-terminated. NULL if the line is
 * another header. */
static const char *value_of(struct proxy_answer *answer, const char *name)
{
    size_t at = strlen(name);
    if (answer->length < at || strncasecmp(answer->line, name, at) != 0) return NULL;
    while (at < answer->length && (answer->line[at] == ' ' || answer->line[at] == '\t')) at++;
    while (answer->length > at &&
           (answer->line[answer->length - 1] == ' ' || answer->line[answer->length - 1] == '\t'))
        answer->length--;
    answer->line[answer->length] = '\0';
    return answer->line + at;
}

static bool read_field(struct proxy_answer *answer)
{
    /* A continuation line, or a line that was cut: its header can only be one of these if the
     * name is short. */
    if (answer->line[0] == ' ' || answer->line[0] == '\t' ||
        memchr(answer->line, ':', answer->length) == NULL)
        return answer->length == PROXY_ANSWER_LINE - 1;
    const char *length = value_of(answer, "content-length:");
    if (length != NULL) {
        if (answer->flags & HAS_LENGTH || length[0] == '\0' || strlen(length) > 18) return false;
        answer->flags |= HAS_LENGTH;
        for (answer->left = 0; *length != '\0'; length++) {
            if (*length < '0' || *length > '9') return false;
            answer->left = answer->left * 10 + (uint64_t)(*length - '0');
        }
    }
    const char *coding = value_of(answer, "transfer-encoding:");
    if (coding != NULL) {
        if (answer->flags & CHUNKED || strcasecmp(coding, "chunked") != 0) return false;
        answer->flags |= CHUNKED;
    }
    return true;
}

/* The empty line was read. */
static enum state after_head(struct proxy_answer *answer)
{
    unsigned status = answer->status, flags = answer->flags;
    uint64_t left = answer->left;
    answer->flags = 0;
    answer->left = 0;
    answer->digits = 0;
    answer->head = 0;
    if (status == 101) return UNCLEAR;
    if (status < 200) return STATUS;
    if (status < 300) return OPEN;
    if (status == 304) return STATUS;
    if (flags & CHUNKED) return flags & HAS_LENGTH ? UNCLEAR : CHUNK_SIZE;
    if (!(flags & HAS_LENGTH)) return UNCLEAR; /* until the connection ends */
    answer->left = left;
    return left > 0 ? BODY : STATUS;
}

/* Takes a byte of a line. Returns true if it ends the line, which is then in `line` (cut if too
 * long). A byte that lines cannot have makes the state UNCLEAR. */
static bool ends_line(struct proxy_answer *answer, char c)
{
    if (++answer->head > HEAD_MAX) answer->state = UNCLEAR;
    if (answer->flags & RETURNED) {
        answer->flags &= (uint8_t)~RETURNED;
        if (c != '\n') answer->state = UNCLEAR;
        return c == '\n';
    }
    if (c == '\r')
        answer->flags |= RETURNED;
    else if ((unsigned char)c < ' ' && c != '\t')
        answer->state = UNCLEAR;
    else if (answer->length < PROXY_ANSWER_LINE - 1)
        answer->line[answer->length++] = c;
    return false;
}

static bool read_chunk_size(struct proxy_answer *answer)
{
    answer->left = 0;
    for (answer->digits = 0;
         answer->digits < answer->length && text_hex_digit(answer->line[answer->digits]) >= 0;
         answer->digits++) {
        if (answer->digits == 15) return false;
        answer->left = answer->left << 4 | (uint64_t)text_hex_digit(answer->line[answer->digits]);
    }
    char after = answer->digits < answer->length ? answer->line[answer->digits] : ';';
    return answer->digits > 0 && (after == ';' || after == ' ');
}

/* A line is over. */
static void take_line(struct proxy_answer *answer, enum proxy_said *said)
{
    bool ok = true;
    switch (answer->state) {
    case STATUS:
        ok = read_status(answer);
        answer->state = FIELDS;
        break;
    case FIELDS:
        if (answer->length > 0) {
            ok = read_field(answer);
            break;
        }
        unsigned status = answer->status;
        answer->state = (uint8_t)after_head(answer);
        if (status >= 300) *said = PROXY_SAID_NO;
        break;
    case CHUNK_SIZE:
        ok = read_chunk_size(answer);
        answer->state = answer->left > 0 ? CHUNK_DATA : TRAILER;
        break;
    case CHUNK_END:
        ok = answer->length == 0;
        answer->state = CHUNK_SIZE;
        break;
    case TRAILER:
        if (answer->length == 0) {
            answer->state = STATUS;
            answer->head = 0;
        }
        break;
    default: break;
    }
    answer->length = 0;
    if (!ok) answer->state = UNCLEAR;
}

enum proxy_said proxy_answer_feed(struct proxy_answer *answer, const char *bytes, size_t size,
                                  int asked)
{
    enum proxy_said said = PROXY_SAID_NOTHING;
    answer->seen += size;
    for (size_t at = 0; at < size && answer->state != UNCLEAR;) {
        if (answer->state == OPEN) break;
        if (answer->state == BODY || answer->state == CHUNK_DATA) {
            uint64_t part = answer->left < size - at ? answer->left : size - at;
            at += (size_t)part;
            answer->left -= part;
            if (answer->left == 0) answer->state = answer->state == BODY ? STATUS : CHUNK_END;
            continue;
        }
        /* An answer without a request, or a second answer. */
        if (answer->state == STATUS && answer->head == 0 && (!asked || said == PROXY_SAID_NO)) {
            answer->state = UNCLEAR;
            break;
        }
        if (answer->state == CHUNK_SIZE || answer->state == CHUNK_END) answer->head = 0;
        if (ends_line(answer, bytes[at++]) && answer->state != UNCLEAR) take_line(answer, &said);
    }
    if (answer->state == OPEN) return PROXY_SAID_YES;
    /* A refusal counts even if its end is uncertain: requests may follow it, but no tunnel. */
    if (said == PROXY_SAID_NO) return said;
    return answer->state == UNCLEAR ? PROXY_SAID_UNCLEAR : said;
}
