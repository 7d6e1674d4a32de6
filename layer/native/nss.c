/* The doors to libc's own DNS module, which only code that looks for it calls by name (libc itself calls inward, or from
 * within a look-up that a door let through). Anybody else goes by getaddrinfo. */
#include <nss.h>
#include <netdb.h>
#include <stdint.h>

#include "guard.h"
#include "network.h"
#include "symbols.h"

static bool passes(const char *symbol, const void *caller)
{
    return guard_thread.resolving > 0 || !network_refuses_kind("ask the resolver's inside", symbol, caller);
}

static int unavailable(int *error, int *host_error)
{
    *error = EACCES;
    *host_error = NO_RECOVERY;
    return NSS_STATUS_UNAVAIL;
}

static int no_answer(void)
{
    errno = EACCES;
    return -1;
}

/* Before glibc 2.34 these are in libraries that libc loads at the first look-up. */
#define PASSES(symbol)                                   \
    ((!guard_ready() || passes(#symbol, CALLER())) && \
     (real.symbol != NULL || (symbols_resolve(), real.symbol != NULL)))

DOOR int _nss_dns_gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t room, int *error, int *host_error)
{
    if (!PASSES(_nss_dns_gethostbyname_r)) return unavailable(error, host_error);
    return real._nss_dns_gethostbyname_r(name, host, buffer, room, error, host_error);
}

DOOR int _nss_dns_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t room, int *error,
                                   int *host_error)
{
    if (!PASSES(_nss_dns_gethostbyname2_r)) return unavailable(error, host_error);
    return real._nss_dns_gethostbyname2_r(name, family, host, buffer, room, error, host_error);
}

DOOR int _nss_dns_gethostbyname3_r(const char *name, int family, struct hostent *host, char *buffer, size_t room, int *error,
                                   int *host_error, int32_t *seconds, char **canonical)
{
    if (!PASSES(_nss_dns_gethostbyname3_r)) return unavailable(error, host_error);
    return real._nss_dns_gethostbyname3_r(name, family, host, buffer, room, error, host_error, seconds, canonical);
}

DOOR int _nss_dns_gethostbyname4_r(const char *name, void *tuples, char *buffer, size_t room, int *error, int *host_error,
                                   int32_t *seconds)
{
    if (!PASSES(_nss_dns_gethostbyname4_r)) return unavailable(error, host_error);
    return real._nss_dns_gethostbyname4_r(name, tuples, buffer, room, error, host_error, seconds);
}

DOOR int _nss_dns_gethostbyaddr_r(const void *address, socklen_t size, int family, struct hostent *host, char *buffer,
                                  size_t room, int *error, int *host_error)
{
    if (!PASSES(_nss_dns_gethostbyaddr_r)) return unavailable(error, host_error);
    return real._nss_dns_gethostbyaddr_r(address, size, family, host, buffer, room, error, host_error);
}

DOOR int _nss_dns_gethostbyaddr2_r(const void *address, socklen_t size, int family, struct hostent *host, char *buffer,
                                   size_t room, int *error, int *host_error, int32_t *seconds)
{
    if (!PASSES(_nss_dns_gethostbyaddr2_r)) return unavailable(error, host_error);
    return real._nss_dns_gethostbyaddr2_r(address, size, family, host, buffer, room, error, host_error, seconds);
}

DOOR int _nss_dns_getnetbyname_r(const char *name, struct netent *net, char *buffer, size_t room, int *error, int *host_error)
{
    if (!PASSES(_nss_dns_getnetbyname_r)) return unavailable(error, host_error);
    return real._nss_dns_getnetbyname_r(name, net, buffer, room, error, host_error);
}

DOOR int _nss_dns_getnetbyaddr_r(uint32_t number, int family, struct netent *net, char *buffer, size_t room, int *error,
                                 int *host_error)
{
    if (!PASSES(_nss_dns_getnetbyaddr_r)) return unavailable(error, host_error);
    return real._nss_dns_getnetbyaddr_r(number, family, net, buffer, room, error, host_error);
}

DOOR int _nss_dns_getcanonname_r(const char *name, char *buffer, size_t room, char **result, int *error, int *host_error)
{
    if (!PASSES(_nss_dns_getcanonname_r)) return unavailable(error, host_error);
    return real._nss_dns_getcanonname_r(name, buffer, room, result, error, host_error);
}

DOOR int __res_context_query(void *context, const char *name, int class, int type, unsigned char *answer, int size,
                             unsigned char **grown, unsigned char **grown2, int *size2, int *result2, int *malloced2)
{
    if (!PASSES(__res_context_query)) return no_answer();
    return real.__res_context_query(context, name, class, type, answer, size, grown, grown2, size2, result2, malloced2);
}

DOOR int __res_context_search(void *context, const char *name, int class, int type, unsigned char *answer, int size,
                              unsigned char **grown, unsigned char **grown2, int *size2, int *result2, int *malloced2)
{
    if (!PASSES(__res_context_search)) return no_answer();
    return real.__res_context_search(context, name, class, type, answer, size, grown, grown2, size2, result2, malloced2);
}

DOOR int __res_context_send(void *context, const unsigned char *packet, int length, const unsigned char *packet2, int length2,
                            unsigned char *answer, int size, unsigned char **grown, unsigned char **grown2, int *size2,
                            int *result2, int *malloced2)
{
    if (!PASSES(__res_context_send)) return no_answer();
    return real.__res_context_send(context, packet, length, packet2, length2, answer, size, grown, grown2, size2, result2,
                                   malloced2);
}

#include "aliases_nss.gen.h"
