/* Names. No libc calls beyond memory. */
#include "network/dns/dns.h"

#include <string.h>

bool dns_letter(char c, char *lower)
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
        if (!dns_letter(name[i], &out[i]) || ++label > 63) return false;
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
