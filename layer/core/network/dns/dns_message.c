/* DNS messages: questions and answers. No libc calls beyond memory. */
#include "network/dns/dns_message.h"

#include <string.h>

#define HEADER        12
#define CLASS_IN      1
#define OPTION_COOKIE 10
#define CHAIN_MAX     16

enum {
    A = 1,
    NS = 2,
    CNAME = 5,
    SOA = 6,
    PTR = 12,
    MX = 15,
    TXT = 16,
    AAAA = 28,
    SRV = 33,
    NAPTR = 35,
    OPT = 41,
    DS = 43,
    DNSKEY = 48,
    TLSA = 52,
    SVCB = 64,
    HTTPS = 65,
    CAA = 257
};

/* Only questions leave. A type is two bytes that could carry data, so only these types are
 * allowed. */
static const uint16_t types[] = {A,   NS,    CNAME, SOA,    PTR,  MX,   TXT,   AAAA,
                                 SRV, NAPTR, DS,    DNSKEY, TLSA, SVCB, HTTPS, CAA};

static unsigned read16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

static bool is_asked_for(unsigned type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i] == type) return true;
    }
    return false;
}

/* Reads the name at `*at` and advances past it. Accepts pointers that lead backwards only, so that
 * reading ends. `name` is normalised, or "" if it is not a host name. */
static bool read_name(const uint8_t *packet, size_t size, size_t *at, bool pointers, char *name)
{
    size_t from = *at, low = *at, length = 0;
    bool jumped = false, host = true;
    for (;;) {
        if (from >= size) return false;
        size_t label = packet[from++];
        if (label == 0) break;
        if ((label & 0xc0) == 0xc0) {
            if (!pointers || from >= size) return false;
            size_t target = (label & 0x3f) << 8 | packet[from++];
            if (!jumped) *at = from;
            jumped = true;
            if (target >= low) return false;
            low = from = target;
            continue;
        }
        if (label > 63 || label > size - from || length + label + (length > 0) > DNS_NAME_MAX)
            return false;
        if (length > 0) name[length++] = '.';
        for (size_t i = 0; i < label; i++) {
            if (!dns_letter((char)packet[from + i], &name[length + i])) host = false;
        }
        length += label;
        from += label;
    }
    if (!jumped) *at = from;
    name[host ? length : 0] = '\0';
    return true;
}

/* An OPT record up to its options' length; EDNS version 0, no extended code, no flag but DO. */
static bool is_plain_opt(const uint8_t *record)
{
    return record[0] == 0 && read16(record + 1) == OPT && record[5] == 0 && record[6] == 0 &&
           (record[7] & 0x7f) == 0 && record[8] == 0;
}

bool dns_query_read(uint8_t *packet, size_t *size, struct dns_query *query)
{
    enum { RECORD = 11, OPTION = 4 };
    size_t end = *size, at = HEADER;
    if (end < HEADER || end > DNS_QUERY_MAX) return false;
    /* Accept a standard query with any RD, AD and CD, one question, and at most one additional
     * record. */
    if ((packet[2] & 0xfe) != 0 || (packet[3] & 0xcf) != 0) return false;
    if (read16(packet + 4) != 1 || read16(packet + 6) != 0 || read16(packet + 8) != 0) return false;
    unsigned additional = read16(packet + 10);
    if (additional > 1) return false;
    if (!read_name(packet, end, &at, false, query->name) || query->name[0] == '\0' || end - at < 4)
        return false;
    query->id = (uint16_t)read16(packet);
    query->type = (uint16_t)read16(packet + at);
    if (!is_asked_for(query->type) || read16(packet + at + 2) != CLASS_IN) return false;
    at += 4;
    if (additional == 1) {
        if (end - at < RECORD || !is_plain_opt(packet + at)) return false;
        size_t options = read16(packet + at + 9), left = end - at - RECORD;
        if (options != left) return false;
        if (options > 0) {
            if (options < OPTION) return false;
            size_t cookie = read16(packet + at + RECORD + 2);
            if (read16(packet + at + RECORD) != OPTION_COOKIE || cookie != options - OPTION ||
                cookie < 8 || cookie > 40)
                return false;
            packet[at + 9] = packet[at + 10] = 0;
        }
        at += RECORD;
        *size = at;
        return true;
    }
    return at == end;
}

struct record {
    char owner[DNS_NAME_MAX + 1];
    unsigned type, class, length;
    size_t data;
};

/* Reads the record at `*at` and advances past it. */
static bool read_record(const uint8_t *packet, size_t size, size_t *at, struct record *record)
{
    if (!read_name(packet, size, at, true, record->owner) || size - *at < 10) return false;
    record->type = read16(packet + *at);
    record->class = read16(packet + *at + 2);
    record->length = read16(packet + *at + 8);
    record->data = *at + 10;
    if (record->length > size - record->data) return false;
    *at = record->data + record->length;
    return true;
}

static void take(struct dns_answer *answer, const uint8_t *data, unsigned length)
{
    if (answer->count == DNS_ADDRESSES_MAX) return;
    struct dns_address *address = &answer->addresses[answer->count++];
    memset(address, 0, sizeof *address);
    memcpy(address->ip, data, length);
    address->version = length == 4 ? 4 : 6;
}

/* One pass over the records. Returns true if `name` is an alias; it then becomes the name that the
 * alias stands for. */
static bool follow(const uint8_t *packet, size_t size, size_t at, unsigned records, char *name,
                   struct dns_answer *answer)
{
    struct record record;
    answer->count = 0;
    for (unsigned i = 0; i < records && read_record(packet, size, &at, &record); i++) {
        if (record.class != CLASS_IN || strcmp(record.owner, name) != 0) continue;
        if ((record.type == A && record.length == 4) ||
            (record.type == AAAA && record.length == 16)) {
            take(answer, packet + record.data, record.length);
        } else if (record.type == CNAME) {
            size_t from = record.data;
            char target[DNS_NAME_MAX + 1];
            if (!read_name(packet, size, &from, true, target) ||
                from != record.data + record.length || target[0] == '\0')
                return false;
            memcpy(name, target, strlen(target) + 1);
            return true;
        }
    }
    return false;
}

bool dns_answer_read(const uint8_t *packet, size_t size, struct dns_answer *answer)
{
    size_t at = HEADER;
    answer->count = 0;
    if (size < HEADER || size > DNS_ANSWER_MAX) return false;
    /* A response to a standard query, without an error. */
    if ((packet[2] & 0xf8) != 0x80 || (packet[3] & 0x0f) != 0 || read16(packet + 4) != 1)
        return false;
    unsigned records = read16(packet + 6);
    struct dns_query *question = &answer->question;
    if (!read_name(packet, size, &at, false, question->name) || question->name[0] == '\0' ||
        size - at < 4)
        return false;
    question->id = (uint16_t)read16(packet);
    question->type = (uint16_t)read16(packet + at);
    if (read16(packet + at + 2) != CLASS_IN) return false;
    at += 4;
    char name[DNS_NAME_MAX + 1];
    memcpy(name, question->name, sizeof name);
    for (unsigned step = 0; step < CHAIN_MAX; step++) {
        if (!follow(packet, size, at, records, name, answer)) return true;
    }
    answer->count = 0; /* a loop, or longer than resolvers follow */
    return true;
}
