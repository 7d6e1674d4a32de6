/* Socket addresses and the spellings of numeric hosts. No libc calls beyond memory. */
#include "network/addresses.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "support/text.h"

#define IPV6_SHORTEST                                                                              \
    24 /* SIN6_LEN_RFC2133: a sockaddr_in6 without its scope, which Linux takes as well */

uint8_t address_normalise(uint8_t ip[16], uint8_t version)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t zeros[16];
    if (version == 6 && memcmp(ip, mapped, sizeof mapped) == 0) {
        memcpy(ip, ip + 12, 4);
        memset(ip + 4, 0, 12);
        version = 4;
    }
    if (version == 4 && memcmp(ip, zeros, 4) == 0) {
        ip[0] = 127;
        ip[3] = 1;
    } else if (version == 6 && memcmp(ip, zeros, 16) == 0) {
        ip[15] = 1;
    }
    return version;
}

void address_read(const void *bytes, size_t size, bool sending, struct address *address)
{
    memset(address, 0, sizeof *address);
    address->kind = ADDRESS_NONE;
    sa_family_t family;
    if (bytes == NULL || size < sizeof family) return;
    if (size > ADDRESS_SIZE_MAX) size = ADDRESS_SIZE_MAX;
    memcpy(&family, bytes, sizeof family);
    address->family = family;
    if (family == AF_UNSPEC && !sending) return;
    if (family == AF_INET || family == AF_UNSPEC) {
        struct sockaddr_in in;
        if (size < sizeof in) {
            if (family == AF_INET) address->kind = ADDRESS_SHORT;
            return;
        }
        memcpy(&in, bytes, sizeof in);
        memcpy(address->ip, &in.sin_addr, 4);
        address->port = ntohs(in.sin_port);
        address->version = address_normalise(address->ip, 4);
        address->kind = ADDRESS_IP;
    } else if (family == AF_INET6) {
        struct sockaddr_in6 in = {0};
        if (size < IPV6_SHORTEST) {
            address->kind = ADDRESS_SHORT;
            return;
        }
        memcpy(&in, bytes, size < sizeof in ? size : sizeof in);
        memcpy(address->ip, &in.sin6_addr, 16);
        address->port = ntohs(in.sin6_port);
        address->version = address_normalise(address->ip, 6);
        address->kind = ADDRESS_IP;
    } else if (family == AF_UNIX) {
        size_t length = size - offsetof(struct sockaddr_un, sun_path);
        if (length > sizeof address->path - 2) length = sizeof address->path - 2;
        memcpy(address->path, (const char *)bytes + offsetof(struct sockaddr_un, sun_path), length);
        address->kind = ADDRESS_UNIX;
    } else if (family == AF_NETLINK) {
        address->kind = ADDRESS_NETLINK;
    } else {
        address->kind = ADDRESS_FOREIGN;
    }
}

bool address_is_localhost(const uint8_t ip[16], uint8_t version)
{
    static const uint8_t four[4] = {127, 0, 0, 1};
    static const uint8_t six[16] = {[15] = 1};
    return version == 4 ? memcmp(ip, four, 4) == 0 : version == 6 && memcmp(ip, six, 16) == 0;
}

bool address_is_loopback(const uint8_t ip[16], uint8_t version)
{
    return version == 4 ? ip[0] == 127 : address_is_localhost(ip, version);
}

bool address_is_special(const uint8_t ip[16], uint8_t version)
{
    static const uint8_t lattice[8] = {0xfd, 0x00, 0x0e, 0xc2, 0x00, 0x80};
    if (version == 4) return (ip[0] == 169 && ip[1] == 254 && ip[2] != 171) || ip[0] >= 224;
    if (ip[0] == 0xff || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)) return true;
    return memcmp(ip, lattice, 4) == 0 && memcmp(ip, lattice, sizeof lattice) != 0;
}

bool address_equal(const uint8_t a[16], uint8_t a_version, const uint8_t b[16], uint8_t b_version)
{
    return a_version == b_version && memcmp(a, b, a_version == 4 ? 4 : 16) == 0;
}

static void text_of_six(const uint8_t ip[16], char *to)
{
    unsigned groups[8];
    for (unsigned i = 0; i < 8; i++) groups[i] = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
    /* RFC 5952: the longest run of two or more zero groups is shortened, the first of equals. */
    unsigned best = 8, best_length = 1;
    for (unsigned i = 0; i < 8;) {
        unsigned end = i;
        while (end < 8 && groups[end] == 0) end++;
        if (end - i > best_length) {
            best = i;
            best_length = end - i;
        }
        i = end + 1;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i == best) {
            *to++ = ':';
            i += best_length - 1;
            if (i == 7) *to++ = ':';
            continue;
        }
        if (i > 0) *to++ = ':';
        to = text_digits(to, groups[i], 16);
    }
    *to = '\0';
}

void address_text(const uint8_t ip[16], uint8_t version, char *text)
{
    if (version == 6) {
        text_of_six(ip, text);
        return;
    }
    for (unsigned i = 0; version == 4 && i < 4; i++) {
        if (i > 0) *text++ = '.';
        text = text_digits(text, ip[i], 10);
    }
    *text = '\0';
}

void address_object(const char *host, uint16_t port, char *object)
{
    size_t length = strnlen(host, ADDRESS_OBJECT_MAX - 9);
    bool brackets = memchr(host, ':', length) != NULL;
    char *to = object;
    if (brackets) *to++ = '[';
    memcpy(to, host, length);
    to += length;
    if (brackets) *to++ = ']';
    *to++ = ':';
    text_number(to, port);
}

/* inet_aton(3): one to four numbers, each decimal, octal (0…) or hexadecimal (0x…); the last fills
 * the bytes that are left. */
static bool parse_four(const char *host, bool hexadecimal, uint8_t ip[16])
{
    uint32_t parts[4];
    unsigned count = 0;
    for (;;) {
        if (count == 4) return false;
        int base = 10, digit;
        bool digits = false;
        if (*host == '0') {
            digits = true;
            base = 8;
            host++;
            if (hexadecimal && (*host == 'x' || *host == 'X')) {
                base = 16;
                digits = false;
                host++;
            }
        }
        uint64_t value = 0;
        for (; (digit = text_hex_digit(*host)) >= 0 && digit < base; host++) {
            digits = true;
            value = value * (unsigned)base + (unsigned)digit;
            if (value > UINT32_MAX) return false;
        }
        if (!digits) return false;
        parts[count++] = (uint32_t)value;
        if (*host == '\0') break;
        if (*host++ != '.') return false;
    }
    for (unsigned i = 0; i + 1 < count; i++) {
        if (parts[i] > 255) return false;
    }
    uint32_t last = parts[count - 1];
    unsigned room = 4 - (count - 1);
    if (room < 4 && last >= UINT32_C(1) << (8 * room)) return false;
    uint32_t value = last;
    for (unsigned i = 0; i + 1 < count; i++) value |= parts[i] << (24 - 8 * i);
    memset(ip, 0, 16);
    for (unsigned i = 0; i < 4; i++) ip[i] = (uint8_t)(value >> (24 - 8 * i));
    return true;
}

/* inet_pton(3)'s dotted form: four decimal numbers without leading zeros, up to the end of the
 * text. */
static bool parse_dotted(const char *text, size_t length, uint8_t out[4])
{
    size_t at = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;
        while (at < length && text[at] >= '0' && text[at] <= '9') {
            if (digits > 0 && value == 0) return false;
            value = value * 10 + (unsigned)(text[at++] - '0');
            if (++digits > 3 || value > 255) return false;
        }
        if (digits == 0) return false;
        out[i] = (uint8_t)value;
        if (i < 3 && (at >= length || text[at++] != '.')) return false;
    }
    return at == length;
}

static bool parse_six(const char *text, size_t length, uint8_t ip[16])
{
    uint8_t bytes[16] = {0};
    size_t filled = 0, gap = 17, at = 0;
    if (length >= 1 && text[0] == ':') {
        if (length < 2 || text[1] != ':') return false;
        gap = 0;
        at = 2;
    }
    while (at < length) {
        size_t start = at;
        unsigned value = 0, digits = 0;
        while (at < length && text_hex_digit(text[at]) >= 0) {
            value = value << 4 | (unsigned)text_hex_digit(text[at++]);
            if (++digits > 4) return false;
        }
        if (at < length && text[at] == '.') {
            if (filled + 4 > 16 || !parse_dotted(text + start, length - start, bytes + filled))
                return false;
            filled += 4;
            break;
        }
        if (digits == 0 || filled + 2 > 16) return false;
        bytes[filled++] = (uint8_t)(value >> 8);
        bytes[filled++] = (uint8_t)value;
        if (at == length) break;
        if (text[at++] != ':') return false;
        if (at == length) return false;
        if (text[at] == ':') {
            if (gap != 17) return false;
            gap = filled;
            at++;
        }
    }
    if (gap == 17) {
        if (filled != 16) return false;
    } else {
        if (filled > 14) return false;
        size_t tail = filled - gap;
        memmove(bytes + 16 - tail, bytes + gap, tail);
        memset(bytes + gap, 0, 16 - filled);
    }
    memcpy(ip, bytes, 16);
    return true;
}

static bool parse(const char *host, bool hexadecimal, bool scope, uint8_t ip[16], uint8_t *version)
{
    if (parse_four(host, hexadecimal, ip)) {
        *version = address_normalise(ip, 4);
        return true;
    }
    size_t length = strnlen(host, 254);
    const char *percent = memchr(host, '%', length);
    if (percent != NULL && !scope) return false;
    if (!parse_six(host, percent != NULL ? (size_t)(percent - host) : length, ip)) return false;
    *version = address_normalise(ip, 6);
    return true;
}

bool address_parse(const char *host, uint8_t ip[16], uint8_t *version)
{
    return parse(host, true, true, ip, version);
}

bool address_parse_plain(const char *host, uint8_t ip[16], uint8_t *version)
{
    return parse(host, false, false, ip, version);
}
