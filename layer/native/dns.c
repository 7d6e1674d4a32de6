/* Names and DNS questions (RFC 1035, RFC 6891). No libc calls beyond memory. */
#include "dns.h"

#include <string.h>

static bool letter(char c, char *lower)
{
    if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
    *lower = c;
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool dns_normalise(const char *name, char *out)
{
    size_t length = strnlen(name, DNS_NAME_MAX + 2);
    if (length > 0 && name[length - 1] == '.') length--;
    if (length == 0 || length > DNS_NAME_MAX) return false;
    size_t label = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '.') {
            if (label == 0) return false;
            label = 0;
            out[i] = '.';
            continue;
        }
        if (!letter(name[i], &out[i]) || ++label > 63) return false;
    }
    out[length] = '\0';
    return label > 0;
}

bool dns_join(const char *name, const char *domain, char *out)
{
    size_t length = strnlen(name, DNS_NAME_MAX + 1);
    size_t more = domain == NULL ? 0 : strnlen(domain, DNS_NAME_MAX + 1);
    if (length > 0 && name[length - 1] == '.' && more > 0) length--;
    if (length == 0 || length + (more > 0 ? more + 1 : 0) > DNS_NAME_MAX) return false;
    memcpy(out, name, length);
    if (more > 0) {
        out[length++] = '.';
        memcpy(out + length, domain, more);
        length += more;
    }
    out[length] = '\0';
    return true;
}

static unsigned read16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

#define HEADER 12
#define TYPE_OPT 41

bool dns_question(const uint8_t *packet, size_t size, char *out)
{
    if (size < HEADER || size > DNS_PACKET_MAX) return false;
    /* QR and OPCODE: a standard query. One question, no answers, no authorities, at most one additional record. */
    if ((packet[2] & 0xf8) != 0 || read16(packet + 4) != 1 || read16(packet + 6) != 0 || read16(packet + 8) != 0) return false;
    unsigned additional = read16(packet + 10);
    if (additional > 1) return false;
    char name[DNS_NAME_MAX + 1];
    size_t at = HEADER, length = 0;
    for (;;) {
        if (at >= size) return false;
        size_t label = packet[at++];
        if (label == 0) break;
        if (label > 63 || label > size - at) return false;
        if (length + label + (length > 0) > DNS_NAME_MAX) return false;
        if (length > 0) name[length++] = '.';
        for (size_t i = 0; i < label; i++) {
            if (!letter((char)packet[at + i], &name[length + i])) return false;
        }
        length += label;
        at += label;
    }
    if (length == 0 || size - at < 4) return false;
    name[length] = '\0';
    at += 4; /* type and class */
    if (additional == 1) {
        if (size - at < 11 || packet[at] != 0 || read16(packet + at + 1) != TYPE_OPT || read16(packet + at + 9) != 0) return false;
        at += 11;
    }
    if (at != size) return false;
    memcpy(out, name, length + 1);
    return true;
}
