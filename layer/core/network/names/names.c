/* Lookups of names: copies, judges and reports the name, and learns from the answer. The doors are
 * in addrinfo.c, hosts.c and queries.c. */
#include "network/names/names.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "files/files.h"
#include "network/addresses.h"
#include "network/names/apart.h"
#include "guard/guard.h"
#include "events/events.h"
#include "network/names/learnt.h"
#include "network/names/local_resolvers.h"
#include "network/names/lookup_fds.h"
#include "network/network.h"
#include "support/copied.h"
#include "support/text.h"

#define ANSWERS_MAX 64 /* learnt from one lookup */

/* ---- judging ---- */

uint16_t names_service_port(const char *service)
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

void names_object(const char *name, uint16_t port, char *object)
{
    char normal[DNS_NAME_MAX + 1];
    address_object(dns_normalise(name, normal) ? normal : name, port, object);
}

/* `name` is normalised, or NULL if the string is not a name. */
static struct fs_verdict judge(const char *name, uint16_t port, const struct fs_callers *callers,
                               const void *caller)
{
    if (UNLIKELY(guard_on_probation())) return network_on_probation;
    if (guard_ignores(FS_OUTBOUND) || (name != NULL && network_is_own_name(name)))
        return network_let_through;
    struct fs_request request = {
        .family = FS_OUTBOUND,
        .names = &name,
        .name_count = name != NULL,
        .facts = &guard.facts,
        .port = port,
        .look_up = callers == NULL,
        .callers = callers,
        .caller = caller,
    };
    struct fs_verdict verdict = guard_decide(&request);
    if (name == NULL && verdict.mode != FS_ALLOW && verdict.reason != FS_RECONFIGURED)
        verdict.reason = FS_MALFORMED;
    return verdict;
}

struct fs_verdict names_judge(const char *name, uint16_t port, const struct fs_callers *callers)
{
    char normal[DNS_NAME_MAX + 1];
    uint8_t ip[16], version;
    if (name == NULL || name[0] == '\0' || address_parse(name, ip, &version))
        return network_let_through;
    return judge(dns_normalise(name, normal) ? normal : NULL, port, callers, NULL);
}

bool names_refuses(struct lookup *lookup, const char *name, uint16_t port, const void *caller)
{
    text_copy(lookup->asked, sizeof lookup->asked, name);
    lookup->port = port;
    bool proper = dns_normalise(lookup->asked, lookup->name);
    if (!proper) lookup->name[0] = '\0';
    lookup->verdict = judge(proper ? lookup->name : NULL, port, NULL, caller);
    lookup->announced = lookup->verdict.mode == FS_ALERT;
    lookup->package = GUARD_PACKAGE_UNKNOWN;
    if (!guard_tells(&lookup->verdict)) return false;
    char object[ADDRESS_OBJECT_MAX];
    const char *host = proper ? lookup->name : lookup->asked;
    address_object(host, port, object);
    if (guard_noted(FS_OUTBOUND, object)) {
        lookup->package = guard_thread.note_package;
        /* asyncio looks names up in a thread of its own, so this event names no caller. The event
         * of the connection will. */
        if (lookup->package == GUARD_PACKAGE_NONE) lookup->announced = false;
    } else {
        struct act act = {.ring = RING_LIBC,
                          .family = FS_OUTBOUND,
                          .verb = "look up",
                          .host = host,
                          .port = port,
                          .caller = caller};
        copied_given = name;
        events_report(&act, &lookup->verdict, NULL, 0);
    }
    return lookup->verdict.mode == FS_BLOCK;
}

const char *names_asked(const struct lookup *lookup, const char *name)
{
    bool whole = strlen(lookup->asked) < sizeof lookup->asked - 1;
    return whole ? COPIED_BY_HAND(lookup->asked, name) : name;
}

bool names_refuses_query(struct names_query *query, const void *packet, size_t size,
                         const void *caller)
{
    query->length = packet != NULL && size <= sizeof query->copy ? size : 0;
    if (query->length > 0) memcpy(query->copy, packet, query->length);
    if (!dns_query_read(query->copy, &query->length, &query->question)) query->length = 0;
    /* Not a host name: it stands for a packet from which no name can be read. */
    return names_refuses(&query->lookup,
                         query->length > 0 ? query->question.name : "(a query that cannot be read)",
                         0, caller);
}

void names_report_servers(const void *state)
{
    if (resolving_is_redirected(state))
        (void)network_refuses_kind("ask another name server", "dns", NULL);
}

static void ask(void *context)
{
    typedef long function(long, long, long, long, long, long, long, long);
    struct names_call *call = context;
    struct resolving resolving;
    if (!resolving_begin(&resolving, call->absolute, (uintptr_t)__builtin_frame_address(0))) return;
    const long *a = call->arguments;
    call->result = ((function *)call->function)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    resolving_end(&resolving);
    call->asked = true;
}

bool names_refuse_local_resolver(bool any)
{
    const char *place = guard_ignores(FS_OUTBOUND) ? NULL : local_resolvers_changed(any);
    if (LIKELY(place == NULL)) return false;
    struct fs_verdict verdict = network_judge_kind();
    struct act act = {
        .ring = RING_LIBC,
        .family = FS_OUTBOUND,
        .verb = "look up by",
        .path = place,
        .protocol = "dns",
    };
    events_report(&act, &verdict, NULL, 0);
    return verdict.mode == FS_BLOCK;
}

bool names_ask(struct names_call *call)
{
    call->asked = false;
    files_check_lookup_variables(NULL);
    if (names_refuse_local_resolver(false)) return false;
    call->absolute = network_blocks();
    const struct mark before = guard_thread.resolving;
    enum apart how = call->absolute ? apart_run(ask, call, call->leaves_nothing) : APART_IMPOSSIBLE;
    if (how == APART_IMPOSSIBLE) {
        if (!call->absolute && !guard_ignores(FS_OUTBOUND)) names_report_servers(NULL);
        bool counted = lookup_fds_begin();
        ask(call);
        lookup_fds_end(counted);
    }
    if (LIKELY(call->asked)) return !names_refuse_local_resolver(false);
    /* A child that was killed has left the mark of its lookup, because it shares this thread's
     * memory. */
    guard_thread.resolving = before;
    const char *verb = how == APART_FAILED ? "look up, and no process could be made for it"
                                           : "ask another name server";
    (void)network_refuses_kind(verb, "dns", NULL);
    return false;
}

/* ---- learning ---- */

/* Never learnt: addresses of this machine, link-local ones (except VPC Lattice's), EC2's metadata,
 * groups. Otherwise a server that answers for an allowed name could lead there. */
static void learn_address(const struct lookup *lookup, const uint8_t ip[16], uint8_t version)
{
    if (lookup->name[0] == '\0' || address_is_localhost(ip, version)) return;
    if (address_is_special(ip, version) && !network_is_own_name(lookup->name)) return;
    learnt_add(ip, version, lookup->name,
               lookup->announced ? learnt_announcement(lookup->port, lookup->package) : 0);
}

void names_learn_addresses(const struct lookup *lookup, struct dns_answer *answer)
{
    for (unsigned i = 0; i < answer->count; i++) {
        struct dns_address *address = &answer->addresses[i];
        uint8_t version = address_normalise(address->ip, address->version);
        learn_address(lookup, address->ip, version);
    }
}

void names_learn_answer(const struct lookup *lookup, const void *packet, size_t size)
{
    struct dns_answer answer;
    if (size > DNS_ANSWER_MAX) size = DNS_ANSWER_MAX;
    if (dns_answer_read(packet, size, &answer) && strcmp(answer.question.name, lookup->name) == 0)
        names_learn_addresses(lookup, &answer);
}

static void learn(const struct lookup *lookup, int family, const void *bytes)
{
    uint8_t ip[16] = {0};
    if (family != AF_INET && family != AF_INET6) return;
    memcpy(ip, bytes, family == AF_INET ? 4 : 16);
    uint8_t version = address_normalise(ip, family == AF_INET ? 4 : 6);
    learn_address(lookup, ip, version);
}

void names_learn_list(const struct lookup *lookup, const struct addrinfo *list)
{
    for (unsigned i = 0; list != NULL && i < ANSWERS_MAX; i++, list = list->ai_next) {
        if (list->ai_family == AF_INET && list->ai_addrlen >= sizeof(struct sockaddr_in))
            learn(lookup, AF_INET,
                  &((const struct sockaddr_in *)(const void *)list->ai_addr)->sin_addr);
        else if (list->ai_family == AF_INET6 && list->ai_addrlen >= sizeof(struct sockaddr_in6))
            learn(lookup, AF_INET6,
                  &((const struct sockaddr_in6 *)(const void *)list->ai_addr)->sin6_addr);
    }
}

void names_learn_host(const struct lookup *lookup, const struct hostent *host)
{
    if (host == NULL || host->h_addr_list == NULL) return;
    for (unsigned i = 0; i < ANSWERS_MAX && host->h_addr_list[i] != NULL; i++)
        learn(lookup, host->h_addrtype, host->h_addr_list[i]);
}
