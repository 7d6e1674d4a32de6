/* dns.c: names. An accepted name is already normalised, and short enough. */
#include "network/dns/dns.h"

#include "fuzz.h"

static void normal(const char *name)
{
    char again[DNS_NAME_MAX + 1];
    PROMISE(strlen(name) <= DNS_NAME_MAX && name[0] != '\0');
    PROMISE(dns_normalise(name, again) && strcmp(name, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[DNS_NAME_MAX + 1];
    char *text = copied_text(data, size);
    if (dns_normalise(text, out)) normal(out);
    char *other = strchr(text, '/');
    if (other) {
        *other++ = '\0';
        if (dns_join(text, other, out)) PROMISE(strlen(out) <= DNS_NAME_MAX);
    }
    free(text);
    return 0;
}
