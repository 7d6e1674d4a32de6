/* Which connections are inspected, and what is reported. See inspect.h. */
#include "network/first_bytes/inspect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "network/first_bytes/fd_use.h"
#include "guard/guard.h"
#include "events/events.h"
#include "libc/stream_fds.h"
#include "network/first_bytes/inspect_parts.h"
#include "network/first_bytes/judging.h"
#include "network/names/learnt.h"
#include "network/network.h"
#include "network/proxies.h"
#include "network/names/resolvers.h"
#include "network/runtime_api/runtime_api.h"
#include "support/sys.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* ---- reporting ---- */

bool inspect_blocks(const struct pending *entry)
{
    return entry->kind == PENDING_PERMITTED ? runtime_api_blocks() : network_blocks();
}

bool inspect_violates(const struct pending *entry, const struct finding *finding,
                      const void *caller)
{
    int error = errno;
    if (entry->kind == PENDING_PERMITTED) return runtime_api_refuses(caller);
    char host[DNS_NAME_MAX + 1], ip[ADDRESS_TEXT_MAX];
    struct fs_verdict verdict = network_judge_kind();
    if (verdict.mode == FS_ALLOW) return false;
    bool elsewhere = finding->target_port != 0;
    judging_name_of(entry, host);
    if (elsewhere) {
        uint8_t mode = verdict.mode;
        verdict = finding->verdict;
        if (mode < verdict.mode) verdict.mode = mode;
    } else {
        if (verdict.reason != FS_RECONFIGURED)
            verdict.reason = finding->word == judging_other_server_name ||
                                     finding->word == judging_host_words[HOST_REFUSED]
                                 ? FS_SERVER_NAME
                                 : FS_TLS;
        const struct fs_rule *rule =
            entry->rules[0] != UINT32_MAX ? fs_policy_rule(guard.policy, entry->rules[0]) : NULL;
        if (rule != NULL) {
            verdict.rule = entry->rules[0];
            verdict.source = fs_policy_string(guard.policy, rule->source);
        }
    }
    address_text(entry->ip, entry->version, ip);
    struct act act = {
        .ring = RING_LIBC,
        .family = FS_OUTBOUND,
        .verb = "send",
        /* If the bytes name a host, that is the destination. */
        .host = finding->server_name[0] != '\0' ? finding->server_name
                : host[0] != '\0'               ? host
                                                : NULL,
        .ip = entry->version != 0 && !elsewhere &&
                      !(pending_is_tunnel(entry) && finding->server_name[0] != '\0')
                  ? ip
                  : NULL,
        .port = elsewhere                                                     ? finding->target_port
                : pending_is_tunnel(entry) && finding->server_name[0] != '\0' ? entry->tunnel_port
                                                                              : entry->port,
        .protocol = entry->kind == PENDING_DATAGRAM ? "udp" : "tcp",
        .first_bytes = elsewhere ? "behind_proxy" : finding->word,
        .connected_as =
            finding->server_name[0] != '\0' && !elsewhere && host[0] != '\0' ? host : NULL,
        .caller = caller,
    };
    events_report(&act, &verdict, NULL, 0);
    errno = error;
    return verdict.mode == FS_BLOCK;
}

bool inspect_violates_by(const struct pending *entry, const char *word, const void *caller)
{
    struct finding finding = {.word = word};
    return inspect_violates(entry, &finding, caller);
}

/* ---- connections ---- */

bool inspect_is_datagram(int fd)
{
    return sys_socket_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;
}

static bool is_socket(const void *cookie, int fd)
{
    return pending_cookie(fd) == *(const uint64_t *)cookie;
}

static bool is_stream(uint64_t cookie)
{
    for (int fd = 0; fd <= LAST_STANDARD; fd++)
        if (is_socket(&cookie, fd)) return true;
    return stream_fds_any(is_socket, &cookie);
}

bool inspect_is_stream(int fd)
{
    uint64_t cookie = pending_cookie(fd);
    return cookie != 0 && is_stream(cookie);
}

bool inspect_has_stream(int fd) { return fd >= 0 && (fd <= LAST_STANDARD || stream_fds_has(fd)); }

/* The kernel changes the bytes that are written, because a protocol above TCP was set during an
 * earlier connection. MPTCP is such a protocol too, but changes no bytes. */
static bool transforms(int fd)
{
    char name[16] = "";
    socklen_t size = sizeof name;
    return sys_call(SYS_getsockopt, fd, IPPROTO_TCP, TCP_ULP, name, &size) == 0 && size > 0 &&
           name[0] != '\0' && strncmp(name, "mptcp", sizeof name) != 0;
}

/* Sets `*entry` to what the policy and the floor require of a connection to this address: the
 * stricter of the two. */
static void describe(const struct address *address, const struct fs_verdict asked[2],
                     uint64_t callers, struct pending *entry)
{
    static const uint8_t kinds[] = {PENDING_PLAIN, PENDING_HTTP, PENDING_TLS};
    unsigned strictest = FS_BYTES_ANY;
    memset(entry, 0, sizeof *entry);
    memcpy(entry->ip, address->ip, sizeof entry->ip);
    entry->version = address->version;
    entry->port = address->port;
    entry->callers = callers;
    for (unsigned which = 0; which < 2; which++) {
        const struct fs_verdict *verdict = &asked[which];
        if (verdict->first_bytes > strictest) strictest = verdict->first_bytes;
        entry->rules[which] = verdict->first_bytes != FS_BYTES_ANY ? verdict->rule
                              : verdict->mode == FS_ALLOW          ? UINT32_MAX
                                                                   : PENDING_ANY_NAME;
    }
    entry->kind = kinds[strictest];
}

static const struct fs_callers nobody; /* entries with only_for do not count */

void inspect_ask(const struct address *address, struct pending *entry)
{
    struct fs_verdict asked[2] = {0};
    struct learnt_names names;
    struct fs_request request = network_request(address, &names);
    request.callers = &nobody;
    (void)guard_decide_each(&request, asked);
    describe(address, asked, 0, entry);
    if (asked[0].mode != FS_ALLOW || asked[1].mode != FS_ALLOW) entry->kind = PENDING_UNKNOWN;
}

bool inspect_connects(int fd, const struct network_target *target, bool connecting,
                      const void *caller)
{
    struct pending entry, before;
    describe(&target->address, target->asked, target->verdict.callers, &entry);
    if (UNLIKELY(target->proxy)) entry.kind = PENDING_PROXY;
    bool datagram = inspect_is_datagram(fd);
    if (datagram && entry.kind == PENDING_TLS) entry.kind = PENDING_DATAGRAM;
    if (datagram && entry.kind != PENDING_DATAGRAM) entry.kind = PENDING_PLAIN;
    if (datagram && !connecting)
        return entry.kind == PENDING_DATAGRAM && inspect_violates_by(&entry, "datagram", caller);
    uint64_t cookie = pending_cookie(fd);
    bool there = pending_find(cookie, &before);
    if (entry.kind == PENDING_PLAIN) {
        if (there && before.kind != PENDING_STREAM) pending_put(cookie, &entry);
        return false;
    }
    if (there && before.kind == PENDING_STREAM)
        return inspect_violates_by(&entry, "stream", caller);
    if (is_stream(cookie)) return inspect_violates_by(&entry, "stream", caller);
    if (!datagram && transforms(fd)) return inspect_violates_by(&entry, "unseen", caller);
    /* Bytes that were sent before decide how the next ones are read. Parsing cannot start over. */
    if (there && before.begun && (entry.kind == PENDING_HTTP || entry.kind == PENDING_PROXY))
        entry.kind = PENDING_UNKNOWN;
    if (!datagram && there && before.passed) return inspect_violates_by(&entry, "passed", caller);
    if (!pending_put(cookie, &entry)) return inspect_violates_by(&entry, "too_many", caller);
    /* A thread that writes from now on finds the entry. A thread that inspected the socket earlier
     * must finish its write first, while the socket is not connected yet. */
    return !datagram && !fd_use_awaits_socket(cookie) &&
           inspect_violates_by(&entry, "at_once", caller);
}

bool inspect_permits(int fd, const struct address *address, uint8_t permits)
{
    struct pending entry = {.kind = PENDING_PERMITTED,
                            .permits = permits,
                            .flow = {.trailers = true},
                            .version = address->version,
                            .port = address->port,
                            .rules = {UINT32_MAX, UINT32_MAX}},
                   before;
    memcpy(entry.ip, address->ip, sizeof entry.ip);
    uint64_t cookie = pending_cookie(fd);
    bool there = pending_find(cookie, &before);
    if (there && (before.begun || before.passed || before.kind == PENDING_STREAM))
        entry.permits = 0;
    if (is_stream(cookie) || transforms(fd)) entry.permits = 0;
    if (!pending_put(cookie, &entry)) return false;
    return fd_use_awaits_socket(cookie);
}

/* ---- where it leads ---- */

#ifndef SO_PEERNAME
#define SO_PEERNAME 28
#endif

bool inspect_leads_to(int fd, struct address *address)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (sys_call(SYS_getpeername, fd, &peer, &size) != 0) {
        /* The kernel returns at most `size` bytes, and fails if the address is shorter. */
        size = sizeof(struct sockaddr_in6);
        long error = sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERNAME, &peer, &size);
        if (error == -EINVAL) {
            size = sizeof(struct sockaddr_in);
            error = sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERNAME, &peer, &size);
        }
        if (error != 0) return false;
    }
    address_read(&peer, size, false, address);
    return true;
}

bool inspect_still_pending(int fd, struct pending *entry)
{
    struct address address;
    if (!inspect_leads_to(fd, &address)) {
        /* MPTCP names its peer only once connected. Other sockets lead nowhere: the write fails. */
        if (entry->kind == PENDING_PLAIN &&
            sys_socket_option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_MPTCP)
            entry->kind = PENDING_UNKNOWN;
        return entry->kind != PENDING_PLAIN && entry->kind != PENDING_DATAGRAM;
    }
    if (address.kind != ADDRESS_IP) return true;
    bool same = address.port == entry->port &&
                address_equal(address.ip, address.version, entry->ip, entry->version);
    /* The entry stays in the table: another thread may have put a different socket at this fd for a
     * moment. */
    if (entry->kind == PENDING_PLAIN && same) return false;
    if (same && entry->kind != PENDING_UNKNOWN) return true;
    struct pending now;
    inspect_ask(&address, &now);
    if (now.kind == PENDING_PLAIN && !proxies_is(&address)) return false;
    /* A new greeting can be awaited; a request that is half sent cannot be read. Datagrams never
     * count as a greeting. */
    bool datagram = inspect_is_datagram(fd);
    if (datagram && address.port == RESOLVERS_PORT && !inspect_is_stream(fd) &&
        resolvers_has(address.ip, address.version))
        return false; /* dns_socket.c */
    if (datagram)
        now.kind = PENDING_DATAGRAM;
    else if (now.kind != PENDING_TLS)
        now.kind = PENDING_UNKNOWN;
    *entry = now;
    return true;
}
