/* Which addresses are proxies. See proxies.h. */
#include "network/proxies.h"

#include <string.h>
#include <strings.h>

#include "network/dns/dns.h"
#include "guard/facts.h"
#include "network/names/learnt.h"

enum { PROXIES = 6 };

static struct proxy {
    char name[DNS_NAME_MAX + 1]; /* "" where it is an address */
    uint8_t ip[16], version;
    uint16_t port;
} proxies[PROXIES];
unsigned proxies_count;

/* "http://USER:SECRET@HOST:PORT/"; without a scheme it is http. Requests to a proxy over TLS
 * cannot be read. */
static void read_proxy(const char *text)
{
    const char *scheme = strstr(text, "://");
    if (scheme != NULL && strncasecmp(text, "https", 5) == 0) return;
    bool socks = strncasecmp(text, "socks", 5) == 0;
    if (scheme != NULL) text = scheme + 3;
    size_t size = strcspn(text, "/?#");
    for (size_t i = size; i > 0; i--)
        if (text[i - 1] == '@') {
            text += i;
            size -= i;
            break;
        }
    char host[DNS_NAME_MAX + 3];
    struct proxy proxy = {.port = 80};
    const char *colon = NULL;
    for (size_t i = size; i > 0 && text[i - 1] != ']'; i--)
        if (text[i - 1] == ':') {
            colon = text + i - 1;
            break;
        }
    size_t length = colon != NULL ? (size_t)(colon - text) : size;
    if (colon != NULL) {
        uint32_t port = 0;
        for (const char *digit = colon + 1;
             digit < text + size && *digit >= '0' && *digit <= '9' && port <= UINT16_MAX; digit++)
            port = port * 10 + (uint32_t)(*digit - '0');
        if (port == 0 || port > UINT16_MAX) return;
        proxy.port = (uint16_t)port;
    } else if (socks) {
        proxy.port = 1080;
    }
    if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof host || proxies_count == PROXIES) return;
    memcpy(host, text, length);
    host[length] = '\0';
    if (address_parse(host, proxy.ip, &proxy.version))
        proxy.version = address_normalise(proxy.ip, proxy.version);
    else if (!dns_normalise(host, proxy.name))
        return;
    proxies[proxies_count++] = proxy;
}

void proxies_start(void)
{
    static const char *const variables[PROXIES] = {"HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",
                                                   "https_proxy", "ALL_PROXY",  "all_proxy"};
    proxies_count = 0;
    for (unsigned i = 0; i < PROXIES; i++) {
        const char *value = facts_value(variables[i]);
        if (value != NULL && value[0] != '\0') read_proxy(value);
    }
}

bool proxies_is(const struct address *address)
{
    for (unsigned i = 0; i < proxies_count; i++) {
        const struct proxy *proxy = &proxies[i];
        if (proxy->port != address->port) continue;
        if (proxy->name[0] == '\0') {
            if (address_equal(address->ip, address->version, proxy->ip, proxy->version))
                return true;
            continue;
        }
        if (strcmp(proxy->name, "localhost") == 0 &&
            address_is_localhost(address->ip, address->version))
            return true;
        struct learnt_names names;
        learnt_find(address->ip, address->version, &names);
        for (unsigned name = 0; name < names.count; name++)
            if (strcmp(names.names[name], proxy->name) == 0) return true;
    }
    return false;
}
