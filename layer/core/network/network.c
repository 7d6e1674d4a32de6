/* Judges where packets go: for the doors and for the interpreter ring. */
#include "network/network.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "guard/callers.h"
#include "guard/guard.h"
#include "events/events.h"
#include "network/names/resolvers.h"
#include "network/proxies.h"
#include "network/runtime_api/runtime_api.h"
#include "support/sys.h"

/* ---- judging ---- */

const struct fs_verdict network_let_through = {
    .mode = FS_ALLOW, .policy_mode = FS_ALLOW, .reason = FS_ALWAYS, .rule = UINT32_MAX};
/* A forked child on probation may not use the network. */
const struct fs_verdict network_on_probation = {
    .mode = FS_BLOCK, .policy_mode = FS_BLOCK, .reason = FS_GUARD, .rule = UINT32_MAX};

struct fs_verdict network_judge_kind(void)
{
    if (guard_ignores(FS_OUTBOUND)) return network_let_through;
    struct fs_request request = {.family = FS_OUTBOUND, .facts = &guard.facts};
    struct fs_verdict verdict = guard_decide(&request);
    if (verdict.mode != FS_ALLOW && verdict.reason != FS_RECONFIGURED) verdict.reason = FS_FAMILY;
    return verdict;
}

bool network_blocks(void) { return network_judge_kind().mode == FS_BLOCK; }

bool network_is_own_name(const char *name)
{
    static const char *const own[] = {"localhost", "localhost.localdomain", "ip6-localhost",
                                      "ip6-loopback"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(name, own[i]) == 0) return true;
    }
    return (guard.host_name[0] != '\0' && strcasecmp(name, guard.host_name) == 0) ||
           runtime_api_is_host(name);
}

void network_judge_runtime_api(struct network_target *target)
{
    target->family = FS_RUNTIME_API;
    target->verdict = target->runtime_caller != RUNTIME_OTHER || guard_ignores(FS_RUNTIME_API)
                          ? network_let_through
                          : runtime_api_judge();
}

bool network_is_resolver(const struct address *address)
{
    return address->kind == ADDRESS_IP && address->port == RESOLVERS_PORT &&
           !guard_ignores(FS_OUTBOUND) && resolvers_has(address->ip, address->version);
}

struct fs_request network_request(const struct address *address, struct learnt_names *names)
{
    learnt_find(address->ip, address->version, names);
    struct fs_request request = {
        .family = FS_OUTBOUND,
        .names = names->names,
        .name_count = names->count,
        .ip_version = address->version,
        .facts = &guard.facts,
        .port = address->port,
    };
    memcpy(request.ip, address->ip, sizeof request.ip);
    return request;
}

void network_judge_ip(struct network_target *target, const void *caller, bool connecting)
{
    const struct address *address = &target->address;
    target->family = FS_OUTBOUND;
    target->verdict = network_let_through;
    target->announced = false;
    target->proxy = UNLIKELY(proxies_count > 0) && proxies_is(address);
    target->host[0] = '\0';
    target->runtime_caller = RUNTIME_OTHER;
    memset(target->asked, 0, sizeof target->asked);
    if (UNLIKELY(guard_on_probation())) {
        target->verdict = network_on_probation;
        return;
    }
    target->resolver = false;
    if (UNLIKELY(address->port == guard.runtime_api_port) &&
        runtime_api_is(address->ip, address->version)) {
        target->runtime_caller = caller != NULL             ? (uint8_t)runtime_api_caller(caller)
                                 : runtime_api_client_asked ? (uint8_t)RUNTIME_CLIENT
                                                            : (uint8_t)RUNTIME_OTHER;
        if (target->runtime_caller == RUNTIME_PERMITTED &&
            (!connecting || guard_ignores(FS_RUNTIME_API)))
            target->runtime_caller = RUNTIME_OTHER;
        network_judge_runtime_api(target);
        return;
    }
    if (network_asks_resolver(address) && !guard_resolving_for(caller)) {
        /* Questions over UDP are judged one by one (dns_socket.c). No rule allows other
         * datagrams there. */
        target->resolver = true;
        target->verdict = network_judge_kind();
        if (target->verdict.reason == FS_FAMILY) target->verdict.reason = FS_NO_RULE;
        return;
    }
    if (!guard.loopback_listed && address_is_localhost(address->ip, address->version)) return;
    if (address->port == RESOLVERS_PORT && guard_resolving_for(caller)) return;
    if (address->port == guard.xray_port && guard.xray_ip_version != 0 &&
        address_equal(address->ip, address->version, guard.xray_ip, guard.xray_ip_version))
        return;
    if (guard_ignores(FS_OUTBOUND)) return;
    struct learnt_names names;
    struct fs_request request = network_request(address, &names);
    request.caller = caller;
    target->verdict = guard_decide_each(&request, target->asked);
    if (UNLIKELY(callers_matter) && target->verdict.callers == 0 && target->proxy)
        target->verdict.callers = callers_of(&request); /* a proxy will be asked for a name */
    if (target->verdict.mode == FS_ALLOW && target->verdict.reason != FS_RULE) return;
    target->announced = target->verdict.mode == FS_ALERT &&
                        (address->port == 0 ? names.announced
                                            : learnt_is_announced(&names, address->port,
                                                                  guard_thread.note_package));
    if (names.count > 0) {
        unsigned which = target->verdict.name < names.count ? target->verdict.name : 0;
        memcpy(target->host, names.names[which], strlen(names.names[which]) + 1);
    }
}

/* ---- reporting ---- */

static const char *protocol_of(int fd)
{
    int type = sys_socket_option(fd, SOL_SOCKET, SO_TYPE);
    if (type < 0) return NULL;
    int protocol = sys_socket_option(fd, SOL_SOCKET, SO_PROTOCOL);
    if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) return "icmp";
    return type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : "other";
}

static bool refuses(const struct fs_verdict *verdict)
{
    if (verdict->mode == FS_BLOCK) errno = EACCES;
    return verdict->mode == FS_BLOCK;
}

bool network_refuses(const struct network_target *target, int fd, const char *verb,
                     const void *caller)
{
    if (LIKELY(!guard_tells(&target->verdict))) return false;
    const struct address *address = &target->address;
    char ip[ADDRESS_TEXT_MAX], object[ADDRESS_OBJECT_MAX];
    address_text(address->ip, address->version, ip);
    address_object(ip, address->port, object);
    if (guard_noted(target->family, object) ||
        (target->announced && learnt_take_announced(address->ip, address->version, address->port,
                                                    guard_thread.note_package)))
        return refuses(&target->verdict);
    struct act act = {
        .ring = RING_LIBC,
        .family = target->family,
        .verb = verb,
        .host = target->host[0] != '\0' ? target->host : NULL,
        .ip = ip,
        .port = address->port,
        .protocol = protocol_of(fd),
        .socket = &fd,
        .caller = caller,
    };
    events_report(&act, &target->verdict, NULL, 0);
    return refuses(&target->verdict);
}

bool network_refuses_kind(const char *verb, const char *kind, const void *caller)
{
    struct fs_verdict verdict = network_judge_kind();
    if (UNLIKELY(guard_on_probation())) verdict = network_on_probation;
    if (verdict.mode == FS_ALLOW) return false;
    if (!guard_noted(FS_OUTBOUND, kind)) {
        struct act act = {.ring = RING_LIBC,
                          .family = FS_OUTBOUND,
                          .verb = verb,
                          .protocol = kind,
                          .caller = caller};
        events_report(&act, &verdict, NULL, 0);
    }
    return refuses(&verdict);
}

bool network_refuses_reverse(const uint8_t ip[16], uint8_t version, const void *caller)
{
    struct network_target target = {.address = {.kind = ADDRESS_IP, .version = version}};
    struct learnt_names names;
    memcpy(target.address.ip, ip, sizeof target.address.ip);
    target.address.version = address_normalise(target.address.ip, version);
    learnt_find(target.address.ip, target.address.version, &names);
    if (!guard_on_probation()) {
        for (unsigned i = 0; i < names.count; i++) {
            if (network_is_own_name(names.names[i])) return false;
        }
    }
    network_judge_ip(&target, NULL, false);
    /* This lookup names no port, so an address that is allowed on any port passes. */
    if (target.verdict.reason == FS_PORT) return false;
    /* Nothing is connected here, so the announcement stays for the connection. */
    if (target.announced) return false;
    return network_refuses(&target, -1, "look up", caller);
}

/* ---- for the interpreter ring ---- */

struct fs_verdict network_judge_target(const void *bytes, size_t size, char *host, char *ip,
                                       uint16_t *port, enum fs_family *family, bool *announced)
{
    struct network_target target;
    char copy[ADDRESS_SIZE_MAX];
    if (size > sizeof copy) size = sizeof copy;
    if (size > 0) memcpy(copy, bytes, size);
    host[0] = ip[0] = '\0';
    *port = 0;
    *family = FS_OUTBOUND;
    *announced = false;
    address_read(copy, size, false, &target.address);
    if (target.address.kind == ADDRESS_FOREIGN) return network_judge_kind();
    if (target.address.kind != ADDRESS_IP) return network_let_through;
    network_judge_ip(&target, NULL, true);
    /* The door decides: it knows the protocol, and reads the question. */
    if (target.resolver) target.verdict = network_let_through;
    memcpy(host, target.host, strlen(target.host) + 1);
    address_text(target.address.ip, target.address.version, ip);
    *port = target.address.port;
    *family = target.family;
    *announced = target.announced;
    return target.announced ? network_let_through : target.verdict;
}
