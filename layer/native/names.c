/* The doors of look-ups: a name that no rule allows is refused before a query leaves. */
#include "names.h"

#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "addresses.h"
#include "guard.h"
#include "learnt.h"
#include "network.h"
#include "resolving.h"
#include "symbols.h"

#define ANSWERS_MAX 64 /* of one look-up that are learnt */

/* ---- judging ---- */

uint16_t network_service_port(const char *service)
{
    if (service == NULL) return 0;
    if (strcmp(service, "https") == 0) return 443;
    if (strcmp(service, "http") == 0) return 80;
    uint32_t port = 0;
    for (unsigned i = 0; service[i] != '\0'; i++) {
        if (service[i] < '0' || service[i] > '9' || i > 5) return 0;
        port = port * 10 + (uint32_t)(service[i] - '0');
    }
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

void network_name_object(const char *name, uint16_t port, char *object)
{
    char normal[DNS_NAME_MAX + 1];
    network_object(dns_normalise(name, normal) ? normal : name, port, object);
}

/* `name` is normalised, or NULL where it is none. */
static struct fs_verdict judge(const char *name, uint16_t port)
{
    struct fs_verdict verdict = {.mode = FS_ALLOW, .policy_mode = FS_ALLOW, .reason = FS_ALWAYS, .rule = UINT32_MAX};
    if (UNLIKELY(guard_on_probation())) {
        verdict.mode = verdict.policy_mode = FS_BLOCK;
        verdict.reason = FS_GUARD;
        return verdict;
    }
    if (guard_ignores(FS_OUTBOUND) || (name != NULL && network_is_own_name(name))) return verdict;
    struct fs_request request = {
        .family = FS_OUTBOUND,
        .names = &name,
        .name_count = name != NULL,
        .partition = guard.partition,
        .port = port,
    };
    verdict = guard_decide(&request);
    if (name == NULL && verdict.mode != FS_ALLOW && verdict.reason != FS_RECONFIGURED) verdict.reason = FS_MALFORMED;
    return verdict;
}

struct fs_verdict network_judge_name(const char *name, uint16_t port)
{
    char normal[DNS_NAME_MAX + 1];
    uint8_t ip[16], version;
    struct fs_verdict verdict = {.mode = FS_ALLOW, .policy_mode = FS_ALLOW, .reason = FS_ALWAYS, .rule = UINT32_MAX};
    if (name == NULL || name[0] == '\0' || address_parse(name, ip, &version)) return verdict;
    return judge(dns_normalise(name, normal) ? normal : NULL, port);
}

bool names_refuses(struct lookup *lookup, const char *name, uint16_t port, const void *caller)
{
    size_t length = strnlen(name, sizeof lookup->asked - 1);
    memcpy(lookup->asked, name, length);
    lookup->asked[length] = '\0';
    lookup->port = port;
    bool proper = dns_normalise(lookup->asked, lookup->name);
    if (!proper) lookup->name[0] = '\0';
    lookup->verdict = judge(proper ? lookup->name : NULL, port);
    lookup->announced = lookup->verdict.mode == FS_ALERT;
    if (lookup->verdict.mode == FS_ALLOW &&
        (lookup->verdict.reason != FS_RULE || !(guard.policy->flags & FS_FLAG_EVENTS_ALLOWED_FIRST)))
        return false;
    char object[ADDRESS_OBJECT_MAX];
    const char *host = proper ? lookup->name : lookup->asked;
    network_object(host, port, object);
    if (!guard_noted(FS_OUTBOUND, object)) {
        struct guard_act act = {
            .ring = RING_LIBC, .family = FS_OUTBOUND, .verb = "look up", .host = host, .port = port, .caller = caller};
        guard_report(&act, &lookup->verdict, NULL, 0);
    }
    return lookup->verdict.mode == FS_BLOCK;
}

/* A name longer than any is malformed; where that is only reported, libc gets the caller's own string. */
static const char *asked(const struct lookup *lookup, const char *name)
{
    return strlen(lookup->asked) == sizeof lookup->asked - 1 ? name : lookup->asked;
}

bool names_refuses_packet(const unsigned char *packet, int size, unsigned char *copy, const void *caller)
{
    struct lookup lookup;
    char name[DNS_NAME_MAX + 1];
    bool plain = packet != NULL && size > 0 && size <= DNS_PACKET_MAX;
    if (plain) {
        memcpy(copy, packet, (size_t)size);
        plain = dns_question(copy, (size_t)size, name);
    }
    /* No host has this name: it stands for a packet that asks for none. */
    return names_refuses(&lookup, plain ? name : "(a query that cannot be read)", 0, caller);
}

/* The resolver's functions are in libresolv before glibc 2.34, under their names with underscores, and can be loaded late. */
#define HAVE(symbol) (real.symbol != NULL || (symbols_resolve(), real.symbol != NULL))
#define NEXT(symbol) (real.symbol != NULL ? real.symbol : real.__##symbol)
#define HAVE_NEXT(symbol) (NEXT(symbol) != NULL || (symbols_resolve(), NEXT(symbol) != NULL))

static bool begin(struct resolving *resolving)
{
    return resolving_begin(resolving, network_blocks());
}

/* ---- learning ---- */

static void learn(const struct lookup *lookup, int family, const void *bytes)
{
    uint8_t ip[16] = {0};
    if (lookup->name[0] == '\0' || (family != AF_INET && family != AF_INET6)) return;
    memcpy(ip, bytes, family == AF_INET ? 4 : 16);
    uint8_t version = address_normalise(ip, family == AF_INET ? 4 : 6);
    if (address_is_localhost(ip, version)) return;
    learnt_add(ip, version, lookup->name, lookup->announced);
}

static void learn_list(const struct lookup *lookup, const struct addrinfo *list)
{
    for (unsigned i = 0; list != NULL && i < ANSWERS_MAX; i++, list = list->ai_next) {
        if (list->ai_family == AF_INET && list->ai_addrlen >= sizeof(struct sockaddr_in))
            learn(lookup, AF_INET, &((const struct sockaddr_in *)(const void *)list->ai_addr)->sin_addr);
        else if (list->ai_family == AF_INET6 && list->ai_addrlen >= sizeof(struct sockaddr_in6))
            learn(lookup, AF_INET6, &((const struct sockaddr_in6 *)(const void *)list->ai_addr)->sin6_addr);
    }
}

static void learn_host(const struct lookup *lookup, const struct hostent *host)
{
    if (host == NULL || host->h_addr_list == NULL) return;
    for (unsigned i = 0; i < ANSWERS_MAX && host->h_addr_list[i] != NULL; i++)
        learn(lookup, host->h_addrtype, host->h_addr_list[i]);
}

/* ---- getaddrinfo ---- */

static int look_up(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result,
                   const void *caller)
{
    struct lookup lookup;
    struct resolving resolving;
    uint8_t ip[16], version;
    char number[DNS_NAME_MAX + 3];
    size_t length = strnlen(node, sizeof number);
    if (length < sizeof number) {
        memcpy(number, node, length);
        number[length] = '\0';
        if (address_parse(number, ip, &version) || length == 0) {
            struct addrinfo numeric = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG, .ai_family = AF_UNSPEC};
            if (hints != NULL) numeric = *hints;
            numeric.ai_flags |= AI_NUMERICHOST;
            return real.getaddrinfo(number, service, &numeric, result);
        }
    }
    struct addrinfo wanted;
    if (hints != NULL) {
        wanted = *hints;
        if (wanted.ai_flags & AI_NUMERICHOST) return real.getaddrinfo(node, service, &wanted, result);
        hints = &wanted;
    }
    if (names_refuses(&lookup, node, network_service_port(service), caller) || !begin(&resolving)) {
        errno = EACCES;
        return EAI_FAIL;
    }
    int status = real.getaddrinfo(asked(&lookup, node), service, hints, result);
    resolving_end(&resolving);
    if (status == 0) {
        int error = errno;
        learn_list(&lookup, *result);
        errno = error;
    }
    return status;
}

DOOR int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    if (!guard_ready() || node == NULL || guard_thread.resolving > 0) return real.getaddrinfo(node, service, hints, result);
    return look_up(node, service, hints, result, CALLER());
}

/* Where something blocks, in the caller's own time: the threads that libc would ask from are not ours to make absolute. */
static int look_up_all(struct gaicb **list, int count, const void *caller)
{
    for (int i = 0; i < count; i++) {
        struct gaicb *one = list[i];
        if (one == NULL) continue;
        one->ar_result = NULL;
        one->__return = one->ar_name == NULL
                            ? real.getaddrinfo(NULL, one->ar_service, one->ar_request, &one->ar_result)
                            : look_up(one->ar_name, one->ar_service, one->ar_request, &one->ar_result, caller);
    }
    return 0;
}

DOOR int getaddrinfo_a(int mode, struct gaicb **list, int count, struct sigevent *event)
{
    bool ready = guard_ready();
    if (!HAVE(getaddrinfo_a)) {
        errno = ENOSYS;
        return EAI_SYSTEM;
    }
    if (!ready || list == NULL || guard_ignores(FS_OUTBOUND)) return real.getaddrinfo_a(mode, list, count, event);
    if (network_blocks()) {
        bool tells = mode == GAI_NOWAIT && event != NULL && event->sigev_notify != SIGEV_NONE;
        if (!tells || !network_refuses_kind("look up in the background", "dns", CALLER())) return look_up_all(list, count, CALLER());
        errno = EACCES;
        return EAI_FAIL;
    }
    for (int i = 0; i < count; i++) {
        struct lookup lookup;
        uint8_t ip[16], version;
        const char *name = list[i] != NULL ? list[i]->ar_name : NULL;
        if (name != NULL && !address_parse(name, ip, &version)) names_refuses(&lookup, name, network_service_port(list[i]->ar_service), CALLER());
    }
    return real.getaddrinfo_a(mode, list, count, event);
}

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
    if ((read.kind == ADDRESS_IP && network_refuses_reverse(read.ip, read.version, CALLER())) || !begin(&resolving)) {
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
    if (refuses_reverse(copy, size, family, CALLER()) || !begin(&resolving)) return no_host();
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
    if (refuses_reverse(copy, size, family, CALLER()) || !begin(&resolving)) return no_host_r(result, host_error);
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
    if (refuses_reverse(copy, size, family, CALLER()) || !begin(&resolving)) return no_host();
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
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_host();
    struct hostent *host = real.gethostbyname(asked(&lookup, name));
    resolving_end(&resolving);
    learn_host(&lookup, host);
    return host;
}

DOOR struct hostent *gethostbyname2(const char *name, int family)
{
    if (!guard_ready() || guard_thread.resolving > 0 || name == NULL) return real.gethostbyname2(name, family);
    struct lookup lookup;
    struct resolving resolving;
    char number[64];
    if (is_number(name, number, sizeof number)) return real.gethostbyname2(number, family);
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_host();
    struct hostent *host = real.gethostbyname2(asked(&lookup, name), family);
    resolving_end(&resolving);
    learn_host(&lookup, host);
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
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_host_r(result, host_error);
    int status = real.gethostbyname_r(asked(&lookup, name), host, buffer, room, result, host_error);
    resolving_end(&resolving);
    if (status == 0) learn_host(&lookup, *result);
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
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_host_r(result, host_error);
    int status = real.gethostbyname2_r(asked(&lookup, name), family, host, buffer, room, result, host_error);
    resolving_end(&resolving);
    if (status == 0) learn_host(&lookup, *result);
    return status;
}

DOOR struct hostent *res_gethostbyname(const char *name)
{
    struct lookup lookup;
    struct resolving resolving;
    if (!guard_ready() || name == NULL || !HAVE(res_gethostbyname)) return no_host();
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_host();
    struct hostent *host = real.res_gethostbyname(asked(&lookup, name));
    resolving_end(&resolving);
    learn_host(&lookup, host);
    return host;
}

DOOR struct hostent *res_gethostbyname2(const char *name, int family)
{
    struct lookup lookup;
    struct resolving resolving;
    if (!guard_ready() || name == NULL || !HAVE(res_gethostbyname2)) return no_host();
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_host();
    struct hostent *host = real.res_gethostbyname2(asked(&lookup, name), family);
    resolving_end(&resolving);
    learn_host(&lookup, host);
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
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_net();
    struct netent *net = real.getnetbyname(asked(&lookup, name));
    resolving_end(&resolving);
    return net;
}

DOOR int getnetbyname_r(const char *name, struct netent *net, char *buffer, size_t room, struct netent **result, int *host_error)
{
    if (!guard_ready() || guard_thread.resolving > 0 || name == NULL)
        return real.getnetbyname_r(name, net, buffer, room, result, host_error);
    struct lookup lookup;
    struct resolving resolving;
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_net_r(result, host_error);
    int status = real.getnetbyname_r(asked(&lookup, name), net, buffer, room, result, host_error);
    resolving_end(&resolving);
    return status;
}

DOOR struct netent *getnetbyaddr(uint32_t number, int family)
{
    if (!guard_ready() || guard_thread.resolving > 0) return real.getnetbyaddr(number, family);
    struct resolving resolving;
    uint32_t bytes = htonl(number);
    if (refuses_reverse(&bytes, sizeof bytes, AF_INET, CALLER()) || !begin(&resolving)) return no_net();
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
    if (refuses_reverse(&bytes, sizeof bytes, AF_INET, CALLER()) || !begin(&resolving)) return no_net_r(result, host_error);
    int status = real.getnetbyaddr_r(number, family, net, buffer, room, result, host_error);
    resolving_end(&resolving);
    return status;
}

/* ---- the resolver's own functions ---- */

static int no_answer(void)
{
    h_errno = NO_RECOVERY;
    errno = EACCES;
    return -1;
}

/* The caller's resolver state names the servers that are asked: where something blocks, the thread's own is taken. */
static void *state_of(void *given)
{
    return network_blocks() ? resolving_state() : given;
}

DOOR int res_query(const char *name, int class, int type, unsigned char *answer, int size)
{
    struct lookup lookup;
    struct resolving resolving;
    bool ready = guard_ready();
    if (!HAVE_NEXT(res_query)) return no_answer();
    if (!ready || guard_thread.resolving > 0 || name == NULL) return NEXT(res_query)(name, class, type, answer, size);
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_answer();
    int status = NEXT(res_query)(asked(&lookup, name), class, type, answer, size);
    resolving_end(&resolving);
    return status;
}

DOOR int res_search(const char *name, int class, int type, unsigned char *answer, int size)
{
    struct lookup lookup;
    struct resolving resolving;
    bool ready = guard_ready();
    if (!HAVE_NEXT(res_search)) return no_answer();
    if (!ready || guard_thread.resolving > 0 || name == NULL) return NEXT(res_search)(name, class, type, answer, size);
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_answer();
    int status = NEXT(res_search)(asked(&lookup, name), class, type, answer, size); /* with no list to search, where it blocks */
    resolving_end(&resolving);
    return status;
}

DOOR int res_querydomain(const char *name, const char *domain, int class, int type, unsigned char *answer, int size)
{
    struct lookup lookup;
    struct resolving resolving;
    char whole[DNS_NAME_MAX + 1];
    bool ready = guard_ready();
    if (!HAVE_NEXT(res_query) || !HAVE_NEXT(res_querydomain)) return no_answer();
    if (!ready || guard_thread.resolving > 0 || name == NULL)
        return NEXT(res_querydomain)(name, domain, class, type, answer, size);
    if (!dns_join(name, domain, whole)) whole[0] = '\0';
    if (names_refuses(&lookup, whole, 0, CALLER()) || !begin(&resolving)) return no_answer();
    int status = whole[0] != '\0' ? NEXT(res_query)(lookup.asked, class, type, answer, size)
                                  : NEXT(res_querydomain)(name, domain, class, type, answer, size);
    resolving_end(&resolving);
    return status;
}

DOOR int res_nquery(void *state, const char *name, int class, int type, unsigned char *answer, int size)
{
    struct lookup lookup;
    struct resolving resolving;
    bool ready = guard_ready();
    if (!HAVE_NEXT(res_nquery)) return no_answer();
    if (!ready || guard_thread.resolving > 0 || name == NULL) return NEXT(res_nquery)(state, name, class, type, answer, size);
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_answer();
    int status = NEXT(res_nquery)(state_of(state), asked(&lookup, name), class, type, answer, size);
    resolving_end(&resolving);
    return status;
}

DOOR int res_nsearch(void *state, const char *name, int class, int type, unsigned char *answer, int size)
{
    struct lookup lookup;
    struct resolving resolving;
    bool ready = guard_ready();
    if (!HAVE_NEXT(res_nsearch)) return no_answer();
    if (!ready || guard_thread.resolving > 0 || name == NULL) return NEXT(res_nsearch)(state, name, class, type, answer, size);
    if (names_refuses(&lookup, name, 0, CALLER()) || !begin(&resolving)) return no_answer();
    int status = NEXT(res_nsearch)(state_of(state), asked(&lookup, name), class, type, answer, size);
    resolving_end(&resolving);
    return status;
}

DOOR int res_nquerydomain(void *state, const char *name, const char *domain, int class, int type, unsigned char *answer, int size)
{
    struct lookup lookup;
    struct resolving resolving;
    char whole[DNS_NAME_MAX + 1];
    bool ready = guard_ready();
    if (!HAVE_NEXT(res_nquery) || !HAVE_NEXT(res_nquerydomain)) return no_answer();
    if (!ready || guard_thread.resolving > 0 || name == NULL)
        return NEXT(res_nquerydomain)(state, name, domain, class, type, answer, size);
    if (!dns_join(name, domain, whole)) whole[0] = '\0';
    if (names_refuses(&lookup, whole, 0, CALLER()) || !begin(&resolving)) return no_answer();
    int status = whole[0] != '\0' ? NEXT(res_nquery)(state_of(state), lookup.asked, class, type, answer, size)
                                  : NEXT(res_nquerydomain)(state, name, domain, class, type, answer, size);
    resolving_end(&resolving);
    return status;
}

DOOR int res_send(const unsigned char *packet, int length, unsigned char *answer, int size)
{
    unsigned char copy[DNS_PACKET_MAX];
    struct resolving resolving;
    bool ready = guard_ready();
    if (!HAVE_NEXT(res_send)) return no_answer();
    if (!ready || guard_thread.resolving > 0 || guard_ignores(FS_OUTBOUND)) return NEXT(res_send)(packet, length, answer, size);
    if (names_refuses_packet(packet, length, copy, CALLER()) || !begin(&resolving)) return no_answer();
    bool copied = length > 0 && length <= DNS_PACKET_MAX;
    int status = NEXT(res_send)(copied ? copy : packet, length, answer, size);
    resolving_end(&resolving);
    return status;
}

DOOR int res_nsend(void *state, const unsigned char *packet, int length, unsigned char *answer, int size)
{
    unsigned char copy[DNS_PACKET_MAX];
    struct resolving resolving;
    bool ready = guard_ready();
    if (!HAVE_NEXT(res_nsend)) return no_answer();
    if (!ready || guard_thread.resolving > 0 || guard_ignores(FS_OUTBOUND))
        return NEXT(res_nsend)(state, packet, length, answer, size);
    if (names_refuses_packet(packet, length, copy, CALLER()) || !begin(&resolving)) return no_answer();
    bool copied = length > 0 && length <= DNS_PACKET_MAX;
    int status = NEXT(res_nsend)(state_of(state), copied ? copy : packet, length, answer, size);
    resolving_end(&resolving);
    return status;
}

/* Not aliases by the table: each is looked for under its own name too. */
DOOR extern __typeof__(res_query) __res_query __attribute__((alias("res_query")));
DOOR extern __typeof__(res_search) __res_search __attribute__((alias("res_search")));
DOOR extern __typeof__(res_querydomain) __res_querydomain __attribute__((alias("res_querydomain")));
DOOR extern __typeof__(res_send) __res_send __attribute__((alias("res_send")));
DOOR extern __typeof__(res_nquery) __res_nquery __attribute__((alias("res_nquery")));
DOOR extern __typeof__(res_nsearch) __res_nsearch __attribute__((alias("res_nsearch")));
DOOR extern __typeof__(res_nquerydomain) __res_nquerydomain __attribute__((alias("res_nquerydomain")));
DOOR extern __typeof__(res_nsend) __res_nsend __attribute__((alias("res_nsend")));

#include "aliases_names.gen.h"
