/* The doors of the older look-ups: hosts by name, names by address, networks. */
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "addresses.h"
#include "guard.h"
#include "names.h"
#include "network.h"

/* ---- from an address to a name ---- */

static bool refuses_reverse(const void *bytes, size_t size, int family, const void *caller)
{
    uint8_t ip[16] = {0};
    size_t needed = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
    if (needed == 0 || bytes == NULL || size < needed) return false;
    memcpy(ip, bytes, needed);
    return network_refuses_reverse(ip, family == AF_INET ? 4 : 6, caller);
}

DOOR int getnameinfo(const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *service,
                     socklen_t service_size, int flags)
{
    if (!guard_ready() || guard_thread.resolving > 0 || address == NULL || size > ADDRESS_SIZE_MAX || host == NULL ||
        host_size == 0 || flags & NI_NUMERICHOST)
        return real.getnameinfo(address, size, host, host_size, service, service_size, flags);
    char copy[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    struct address read;
    struct resolving resolving;
    memcpy(copy, address, size);
    address_read(copy, size, false, &read);
    if ((read.kind == ADDRESS_IP && network_refuses_reverse(read.ip, read.version, CALLER())) || !names_begin(&resolving)) {
        errno = EACCES;
        return EAI_FAIL;
    }
    int status = real.getnameinfo((const struct sockaddr *)(const void *)copy, size, host, host_size, service, service_size, flags);
    resolving_end(&resolving);
    return status;
}

static struct hostent *no_host(void)
{
    h_errno = NO_RECOVERY;
    errno = EACCES;
    return NULL;
}

static int no_host_r(struct hostent **result, int *host_error)
{
    *result = NULL;
    *host_error = NO_RECOVERY;
    errno = EACCES;
    return EACCES;
}

DOOR struct hostent *gethostbyaddr(const void *bytes, socklen_t size, int family)
{
    if (!guard_ready() || guard_thread.resolving > 0 || bytes == NULL || size > 16) return real.gethostbyaddr(bytes, size, family);
    char copy[16];
    struct resolving resolving;
    memcpy(copy, bytes, size);
    if (refuses_reverse(copy, size, family, CALLER()) || !names_begin(&resolving)) return no_host();
    struct hostent *host = real.gethostbyaddr(copy, size, family);
    resolving_end(&resolving);
    return host;
}

DOOR int gethostbyaddr_r(const void *bytes, socklen_t size, int family, struct hostent *host, char *buffer, size_t room,
                         struct hostent **result, int *host_error)
{
    if (!guard_ready() || guard_thread.resolving > 0 || bytes == NULL || size > 16)
        return real.gethostbyaddr_r(bytes, size, family, host, buffer, room, result, host_error);
    char copy[16];
    struct resolving resolving;
    memcpy(copy, bytes, size);
    if (refuses_reverse(copy, size, family, CALLER()) || !names_begin(&resolving)) return no_host_r(result, host_error);
    int status = real.gethostbyaddr_r(copy, size, family, host, buffer, room, result, host_error);
    resolving_end(&resolving);
    return status;
}

DOOR struct hostent *res_gethostbyaddr(const void *bytes, socklen_t size, int family)
{
    char copy[16];
    struct resolving resolving;
    if (!guard_ready() || bytes == NULL || size > sizeof copy || !HAVE(res_gethostbyaddr)) return no_host();
    memcpy(copy, bytes, size);
    if (refuses_reverse(copy, size, family, CALLER()) || !names_begin(&resolving)) return no_host();
    struct hostent *host = real.res_gethostbyaddr(copy, size, family);
    resolving_end(&resolving);
    return host;
}

/* ---- gethostbyname ---- */

/* Numbers are answered without a query. `number` gets our copy. */
static bool is_number(const char *name, char *number, size_t room)
{
    uint8_t ip[16], version;
    size_t length = strnlen(name, room);
    if (length == room) return false;
    memcpy(number, name, length);
    number[length] = '\0';
    return length == 0 || address_parse_plain(number, ip, &version);
}

DOOR struct hostent *gethostbyname(const char *name)
{
    if (!guard_ready() || guard_thread.resolving > 0 || name == NULL) return real.gethostbyname(name);
    struct lookup lookup;
    struct resolving resolving;
    char number[64];
    if (is_number(name, number, sizeof number)) return real.gethostbyname(number);
    if (names_refuses(&lookup, name, 0, CALLER()) || !names_begin(&resolving)) return no_host();
    struct hostent *host = real.gethostbyname(names_asked(&lookup, name));
    resolving_end(&resolving);
    names_learn_host(&lookup, host);
    return host;
}

DOOR struct hostent *gethostbyname2(const char *name, int family)
{
    if (!guard_ready() || guard_thread.resolving > 0 || name == NULL) return real.gethostbyname2(name, family);
    struct lookup lookup;
    struct resolving resolving;
    char number[64];
    if (is_number(name, number, sizeof number)) return real.gethostbyname2(number, family);
    if (names_refuses(&lookup, name, 0, CALLER()) || !names_begin(&resolving)) return no_host();
    struct hostent *host = real.gethostbyname2(names_asked(&lookup, name), family);
    resolving_end(&resolving);
    names_learn_host(&lookup, host);
    return host;
}

DOOR int gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t room, struct hostent **result,
                         int *host_error)
{
    if (!guard_ready() || guard_thread.resolving > 0 || name == NULL)
        return real.gethostbyname_r(name, host, buffer, room, result, host_error);
    struct lookup lookup;
    struct resolving resolving;
    char number[64];
    if (is_number(name, number, sizeof number)) return real.gethostbyname_r(number, host, buffer, room, result, host_error);
    if (names_refuses(&lookup, name, 0, CALLER()) || !names_begin(&resolving)) return no_host_r(result, host_error);
    int status = real.gethostbyname_r(names_asked(&lookup, name), host, buffer, room, result, host_error);
    resolving_end(&resolving);
    if (status == 0) names_learn_host(&lookup, *result);
    return status;
}

DOOR int gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t room,
                          struct hostent **result, int *host_error)
{
    if (!guard_ready() || guard_thread.resolving > 0 || name == NULL)
        return real.gethostbyname2_r(name, family, host, buffer, room, result, host_error);
    struct lookup lookup;
    struct resolving resolving;
    char number[64];
    if (is_number(name, number, sizeof number))
        return real.gethostbyname2_r(number, family, host, buffer, room, result, host_error);
    if (names_refuses(&lookup, name, 0, CALLER()) || !names_begin(&resolving)) return no_host_r(result, host_error);
    int status = real.gethostbyname2_r(names_asked(&lookup, name), family, host, buffer, room, result, host_error);
    resolving_end(&resolving);
    if (status == 0) names_learn_host(&lookup, *result);
    return status;
}

DOOR struct hostent *res_gethostbyname(const char *name)
{
    struct lookup lookup;
    struct resolving resolving;
    if (!guard_ready() || name == NULL || !HAVE(res_gethostbyname)) return no_host();
    if (names_refuses(&lookup, name, 0, CALLER()) || !names_begin(&resolving)) return no_host();
    struct hostent *host = real.res_gethostbyname(names_asked(&lookup, name));
    resolving_end(&resolving);
    names_learn_host(&lookup, host);
    return host;
}

DOOR struct hostent *res_gethostbyname2(const char *name, int family)
{
    struct lookup lookup;
    struct resolving resolving;
    if (!guard_ready() || name == NULL || !HAVE(res_gethostbyname2)) return no_host();
    if (names_refuses(&lookup, name, 0, CALLER()) || !names_begin(&resolving)) return no_host();
    struct hostent *host = real.res_gethostbyname2(names_asked(&lookup, name), family);
    resolving_end(&resolving);
    names_learn_host(&lookup, host);
    return host;
}

/* ---- networks ---- */

static struct netent *no_net(void)
{
    h_errno = NO_RECOVERY;
    errno = EACCES;
    return NULL;
}

static int no_net_r(struct netent **result, int *host_error)
{
    *result = NULL;
    *host_error = NO_RECOVERY;
    errno = EACCES;
    return EACCES;
}

DOOR struct netent *getnetbyname(const char *name)
{
    if (!guard_ready() || guard_thread.resolving > 0 || name == NULL) return real.getnetbyname(name);
    struct lookup lookup;
    struct resolving resolving;
    if (names_refuses(&lookup, name, 0, CALLER()) || !names_begin(&resolving)) return no_net();
    struct netent *net = real.getnetbyname(names_asked(&lookup, name));
    resolving_end(&resolving);
    return net;
}

DOOR int getnetbyname_r(const char *name, struct netent *net, char *buffer, size_t room, struct netent **result, int *host_error)
{
    if (!guard_ready() || guard_thread.resolving > 0 || name == NULL)
        return real.getnetbyname_r(name, net, buffer, room, result, host_error);
    struct lookup lookup;
    struct resolving resolving;
    if (names_refuses(&lookup, name, 0, CALLER()) || !names_begin(&resolving)) return no_net_r(result, host_error);
    int status = real.getnetbyname_r(names_asked(&lookup, name), net, buffer, room, result, host_error);
    resolving_end(&resolving);
    return status;
}

DOOR struct netent *getnetbyaddr(uint32_t number, int family)
{
    if (!guard_ready() || guard_thread.resolving > 0) return real.getnetbyaddr(number, family);
    struct resolving resolving;
    uint32_t bytes = htonl(number);
    if (refuses_reverse(&bytes, sizeof bytes, AF_INET, CALLER()) || !names_begin(&resolving)) return no_net();
    struct netent *net = real.getnetbyaddr(number, family);
    resolving_end(&resolving);
    return net;
}

DOOR int getnetbyaddr_r(uint32_t number, int family, struct netent *net, char *buffer, size_t room, struct netent **result,
                        int *host_error)
{
    if (!guard_ready() || guard_thread.resolving > 0)
        return real.getnetbyaddr_r(number, family, net, buffer, room, result, host_error);
    struct resolving resolving;
    uint32_t bytes = htonl(number);
    if (refuses_reverse(&bytes, sizeof bytes, AF_INET, CALLER()) || !names_begin(&resolving)) return no_net_r(result, host_error);
    int status = real.getnetbyaddr_r(number, family, net, buffer, room, result, host_error);
    resolving_end(&resolving);
    return status;
}

#include "aliases_hosts.gen.h"
