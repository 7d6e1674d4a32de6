/* Doors of the older lookup functions: hosts by name, names by address, networks. */
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "network/addresses.h"
#include "guard/guard.h"
#include "network/names/names.h"
#include "network/network.h"
#include "network/names/search_list.h"
#include "support/copied.h"
#include "support/sys.h"

/* ---- from an address to a name ---- */

static bool refuses_reverse(const void *bytes, size_t size, int family, const void *caller)
{
    uint8_t ip[16] = {0};
    size_t needed = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
    if (needed == 0 || bytes == NULL || size < needed) return false;
    memcpy(ip, bytes, needed);
    return network_refuses_reverse(ip, family == AF_INET ? 4 : 6, caller);
}

static int judged_getnameinfo(const struct sockaddr *address, socklen_t size, char *host,
                              socklen_t host_size, char *service, socklen_t service_size, int flags,
                              const void *caller)
{
    if (host == NULL || host_size == 0 || flags & NI_NUMERICHOST)
        return real.getnameinfo(address, size, host, host_size, service, service_size, flags);
    char copy[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    struct address read;
    if (size > sizeof copy) size = sizeof copy; /* libc reads only this much */
    memcpy(copy, address, size);
    address_read(copy, size, false, &read);
    NAMES_CALL(call, real.getnameinfo, COPIED_BY_HAND(copy, address), size, host, host_size,
               service, service_size, flags);
    bool judged = read.kind == ADDRESS_IP;
    if ((judged && network_refuses_reverse(read.ip, read.version, caller)) || !names_ask(&call))
        return errno = EACCES, EAI_FAIL;
    return (int)call.result;
}

/* The result "not found", for hosts and for networks. */
static void *none(void)
{
    h_errno = NO_RECOVERY;
    errno = EACCES;
    return NULL;
}

static int none_r(void *result, int *host_error)
{
    memset(result, 0, sizeof(void *));
    *host_error = NO_RECOVERY;
    errno = EACCES;
    return EACCES;
}

enum { IP_LONGEST = 16, TOO_LONG }; /* libc accepts a longer one, but reads only this much */

static struct hostent *judged_gethostbyaddr(const void *bytes, socklen_t size, int family,
                                            const void *caller)
{
    char copy[TOO_LONG];
    if (size > TOO_LONG) size = TOO_LONG;
    memcpy(copy, bytes, size);
    if (refuses_reverse(copy, size, family, caller)) return none();
    NAMES_CALL(call, real.gethostbyaddr, COPIED_BY_HAND(copy, bytes), size, family);
    if (!names_ask(&call)) return none();
    return (struct hostent *)call.result;
}

static int judged_gethostbyaddr_r(const void *bytes, socklen_t size, int family,
                                  struct hostent *host, char *buffer, size_t room,
                                  struct hostent **result, int *host_error, const void *caller)
{
    char copy[TOO_LONG];
    if (size > TOO_LONG) size = TOO_LONG;
    memcpy(copy, bytes, size);
    if (refuses_reverse(copy, size, family, caller)) return none_r(result, host_error);
    NAMES_CALL(call, real.gethostbyaddr_r, COPIED_BY_HAND(copy, bytes), size, family, host, buffer,
               room, result, host_error);
    if (!names_ask(&call)) return none_r(result, host_error);
    return (int)call.result;
}

DOOR struct hostent *res_gethostbyaddr(const void *bytes, socklen_t size, int family)
{
    char copy[IP_LONGEST];
    if (!guard_ready() || bytes == NULL || size > sizeof copy) return none();
    memcpy(copy, bytes, size);
    if (refuses_reverse(copy, size, family, CALLER())) return none();
    (void)SYMBOLS_HAVE(res_gethostbyaddr);
    NAMES_CALL(call, real.res_gethostbyaddr, COPIED_BY_HAND(copy, bytes), size, family);
    if (!names_ask(&call)) return none();
    return (struct hostent *)call.result;
}

/* ---- gethostbyname ---- */

/* An address in digits needs no query. `number` gets our copy. */
static bool is_number(const char *name, char *number, size_t room)
{
    uint8_t ip[16], version;
    size_t length = strnlen(name, room);
    if (length == room) return false;
    memcpy(number, name, length);
    number[length] = '\0';
    return length == 0 || address_parse_plain(number, ip, &version);
}

/* Calls a function of libc that takes a name, or a name and a family. */
static struct hostent *host_by_name(void (*function)(void), const char *name, int family,
                                    const void *caller)
{
    struct lookup lookup;
    if (names_refuses(&lookup, name, 0, caller)) return none();
    NAMES_CALL(call, function, names_asked(&lookup, name), family);
    if (!names_ask(&call)) return none();
    struct hostent *host = (struct hostent *)call.result;
    search_list_report(&lookup, NULL, host == NULL, caller);
    names_learn_host(&lookup, host);
    return host;
}

#define HOST_BY_NAME(symbol, name, family, caller)                                                 \
    host_by_name((void (*)(void))real.symbol, name, family, caller)

static struct hostent *judged_gethostbyname(const char *name, const void *caller)
{
    char number[64];
    if (is_number(name, number, sizeof number)) return real.gethostbyname(number);
    return HOST_BY_NAME(gethostbyname, name, 0, caller);
}

static struct hostent *judged_gethostbyname2(const char *name, int family, const void *caller)
{
    char number[64];
    if (is_number(name, number, sizeof number)) return real.gethostbyname2(number, family);
    return HOST_BY_NAME(gethostbyname2, name, family, caller);
}

DOOR struct hostent *res_gethostbyname(const char *name)
{
    if (!guard_ready() || name == NULL) return none();
    (void)SYMBOLS_HAVE(res_gethostbyname);
    return HOST_BY_NAME(res_gethostbyname, name, 0, CALLER());
}

DOOR struct hostent *res_gethostbyname2(const char *name, int family)
{
    if (!guard_ready() || name == NULL) return none();
    (void)SYMBOLS_HAVE(res_gethostbyname2);
    return HOST_BY_NAME(res_gethostbyname2, name, family, CALLER());
}

/* libc's result, in our own memory: in the caller's, another thread could change it before the
 * guard learns from it. */
struct found {
    struct hostent host, *result;
    char *bytes, *given; /* ours and the caller's */
    size_t room;
};

static char *moved(const struct found *found, char *at)
{
    return at >= found->bytes && at < found->bytes + found->room
               ? found->given + (at - found->bytes)
               : at;
}

static char **moved_list(const struct found *found, char **list)
{
    for (char **at = list; at != NULL && *at != NULL; at++) *at = moved(found, *at);
    return (char **)(void *)moved(found, (char *)list);
}

/* Call names_refuses first. */
static int ask_host(struct names_call *call, const struct lookup *lookup, struct found *found,
                    struct hostent *host, struct hostent **result, int *host_error,
                    const void *caller)
{
    if (!names_ask(call)) return none_r(result, host_error);
    int status = (int)call->result;
    struct hostent *one = COPIED_BY_HAND(found->result, *result);
    search_list_report(lookup, NULL, status != 0 || one == NULL, caller);
    if (status == 0) names_learn_host(lookup, one);
    if (status == 0 && one == &found->host) {
        one->h_name = moved(found, one->h_name);
        one->h_aliases = moved_list(found, one->h_aliases);
        one->h_addr_list = moved_list(found, one->h_addr_list);
        memcpy(found->given, found->bytes, found->room);
        *host = *one;
        one = host;
    }
    *result = one;
    return status;
}

enum { ALIGNED = 16, LARGEST = 1 << 28 };

/* Calls gethostbyname_r, or gethostbyname2_r where `function` takes a family. */
static int host_by_name_r(void (*function)(void), const char *name, const int *family,
                          struct hostent *host, char *buffer, size_t room, struct hostent **result,
                          int *host_error, const void *caller)
{
    struct lookup lookup;
    if (names_refuses(&lookup, name, 0, caller)) return none_r(result, host_error);
    char *own = room < LARGEST ? sys_scratch(room + ALIGNED) : NULL;
    if (own == NULL) return none_r(result, host_error);
    struct found found = {
        .bytes = own + (uintptr_t)buffer % ALIGNED, .given = buffer, .room = room};
    struct hostent *into = COPIED_BY_HAND(&found.host, host);
    struct hostent **at = COPIED_BY_HAND(&found.result, result);
    char *bytes = COPIED_BY_HAND(found.bytes, buffer);
    const char *asked = names_asked(&lookup, name);
    NAMES_CALL(one, function, asked, into, bytes, room, at, host_error);
    NAMES_CALL(two, function, asked, family ? *family : 0, into, bytes, room, at, host_error);
    int status = ask_host(family ? &two : &one, &lookup, &found, host, result, host_error, caller);
    int error = errno;
    sys_scratch_free(own, room + ALIGNED);
    errno = error;
    return status;
}

static int judged_gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t room,
                                  struct hostent **result, int *host_error, const void *caller)
{
    char number[64];
    if (is_number(name, number, sizeof number))
        return real.gethostbyname_r(number, host, buffer, room, result, host_error);
    return host_by_name_r((void (*)(void))real.gethostbyname_r, name, NULL, host, buffer, room,
                          result, host_error, caller);
}

static int judged_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer,
                                   size_t room, struct hostent **result, int *host_error,
                                   const void *caller)
{
    char number[64];
    if (is_number(name, number, sizeof number))
        return real.gethostbyname2_r(number, family, host, buffer, room, result, host_error);
    return host_by_name_r((void (*)(void))real.gethostbyname2_r, name, &family, host, buffer, room,
                          result, host_error, caller);
}

/* ---- networks ---- */

static struct netent *judged_getnetbyname(const char *name, const void *caller)
{
    struct lookup lookup;
    if (names_refuses(&lookup, name, 0, caller)) return none();
    NAMES_CALL(call, real.getnetbyname, names_asked(&lookup, name));
    if (!names_ask(&call)) return none();
    search_list_report(&lookup, NULL, call.result == 0, caller);
    return (struct netent *)call.result;
}

static int judged_getnetbyname_r(const char *name, struct netent *net, char *buffer, size_t room,
                                 struct netent **result, int *host_error, const void *caller)
{
    struct lookup lookup;
    if (names_refuses(&lookup, name, 0, caller)) return none_r(result, host_error);
    NAMES_CALL(call, real.getnetbyname_r, names_asked(&lookup, name), net, buffer, room, result,
               host_error);
    if (!names_ask(&call)) return none_r(result, host_error);
    search_list_report(&lookup, NULL, (int)call.result != 0 || *result == NULL, caller);
    return (int)call.result;
}

static struct netent *judged_getnetbyaddr(uint32_t number, int family, const void *caller)
{
    uint32_t bytes = htonl(number);
    if (refuses_reverse(&bytes, sizeof bytes, AF_INET, caller)) return none();
    NAMES_CALL(call, real.getnetbyaddr, number, family);
    if (!names_ask(&call)) return none();
    return (struct netent *)call.result;
}

static int judged_getnetbyaddr_r(uint32_t number, int family, struct netent *net, char *buffer,
                                 size_t room, struct netent **result, int *host_error,
                                 const void *caller)
{
    uint32_t bytes = htonl(number);
    if (refuses_reverse(&bytes, sizeof bytes, AF_INET, caller)) return none_r(result, host_error);
    NAMES_CALL(call, real.getnetbyaddr_r, number, family, net, buffer, room, result, host_error);
    if (!names_ask(&call)) return none_r(result, host_error);
    return (int)call.result;
}

/* ---- this host ---- */

/* Without /etc/hostid, libc looks up the host's own name, which is always allowed. */
static long judged_gethostid(const void *caller)
{
    (void)caller;
    NAMES_CALL(call, real.gethostid, 0);
    return names_ask(&call) ? call.result : 0;
}

#include "doors_hosts.gen.h"
