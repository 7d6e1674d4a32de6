/* What a connection's first bytes may be. See inspect.h. */
#include "inspect.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "client_hello.h"
#include "guard.h"
#include "learnt.h"
#include "network.h"
#include "proxies.h"
#include "resolvers.h"
#include "sys.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* A greeting in one record, and what may follow it. */
enum { COPY_MAX = 32768 };

/* Streams write to the standard descriptors from within libc, whoever opens them. */
enum { LAST_STANDARD = 2 };

static const struct fs_policy *policy_at(unsigned which) { return which == 0 ? guard.policy : guard.floor; }

/* ---- what must come first ---- */

static struct fs_request request_for(const char *const *name, uint16_t port)
{
    struct fs_request request = {
        .family = FS_OUTBOUND, .names = name, .name_count = name != NULL, .facts = &guard.facts, .port = port};
    return request;
}

static bool allows_address(const struct fs_policy *policy, const struct address *address)
{
    struct fs_request request = request_for(NULL, address->port);
    memcpy(request.ip, address->ip, sizeof request.ip);
    request.ip_version = address->version;
    return fs_policy_decide(policy, &request).mode == FS_ALLOW;
}

/* The rule by which `policy` allows the name, UINT32_MAX where none does. */
static uint32_t rule_for(const struct fs_policy *policy, const char *name, uint16_t port)
{
    struct fs_request request = request_for(&name, port);
    struct fs_verdict verdict = fs_policy_decide(policy, &request);
    return verdict.mode == FS_ALLOW && verdict.reason == FS_RULE ? verdict.rule : UINT32_MAX;
}

enum { TLS_UNSTATED = 0, TLS_REQUIRED = 1, TLS_NONE = 3 };

static enum pending_kind kind_of(const struct fs_policy *policy, uint32_t index, uint16_t port)
{
    const struct fs_rule *rule = fs_policy_rule(policy, index);
    uint8_t tls = rule ? rule->tls : TLS_REQUIRED;
    /* A number that is not known is no permission to speak plainly. */
    if (tls == TLS_REQUIRED || tls > TLS_NONE || (tls == TLS_UNSTATED && port == 443)) return PENDING_TLS;
    return tls == TLS_UNSTATED && port == 80 ? PENDING_HTTP : PENDING_PLAIN;
}

/* What one policy wants of a connection to this address. PENDING_STRANGER: it does not allow it. */
static enum pending_kind wanted_by(const struct fs_policy *policy, const struct address *address,
                                   const struct learnt_names *names, uint32_t *rule)
{
    *rule = UINT32_MAX;
    if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW || allows_address(policy, address)) return PENDING_PLAIN;
    enum pending_kind kind = PENDING_STRANGER;
    for (unsigned i = 0; i < names->count; i++) {
        uint32_t found = rule_for(policy, names->names[i], address->port);
        if (found == UINT32_MAX) continue;
        enum pending_kind one = kind_of(policy, found, address->port);
        /* Where one name of this address may be spoken to in any way, so may the address. */
        if (one == PENDING_PLAIN) return PENDING_PLAIN;
        if (kind == PENDING_STRANGER) {
            kind = one;
            *rule = found;
        }
    }
    return kind;
}

static void describe(const struct address *address, struct pending *entry)
{
    struct learnt_names names;
    memset(entry, 0, sizeof *entry);
    memcpy(entry->ip, address->ip, sizeof entry->ip);
    entry->version = address->version;
    entry->port = address->port;
    entry->rules[0] = entry->rules[1] = UINT32_MAX;
    entry->kind = PENDING_PLAIN;
    if (guard_ignores(FS_OUTBOUND)) return;
    learnt_find(address->ip, address->version, &names);
    for (unsigned which = 0; which < 2; which++) {
        enum pending_kind kind = wanted_by(policy_at(which), address, &names, &entry->rules[which]);
        /* The strictest: a stranger's, then TLS, then HTTP. */
        if (kind == PENDING_STRANGER || (kind == PENDING_TLS && entry->kind != PENDING_STRANGER) ||
            (kind == PENDING_HTTP && entry->kind == PENDING_PLAIN))
            entry->kind = (uint8_t)kind;
    }
}

/* ---- reporting ---- */

/* Why first bytes are not what they must be: details.first_bytes of the event. */
static const char *const hello_words[] = {
    [HELLO_SPLIT] = "split",         [HELLO_NOT_TLS] = "not_tls",        [HELLO_OVERSIZED] = "oversized",
    [HELLO_FRAGMENTED] = "fragmented", [HELLO_MALFORMED] = "malformed",  [HELLO_UNNAMED] = "no_server_name",
    [HELLO_ENCRYPTED] = "ech",       [HELLO_EARLY_DATA] = "early_data",
};
static const char *const host_words[] = {
    [HOST_SPLIT] = "split",       [HOST_NOT_HTTP] = "not_http", [HOST_MALFORMED] = "malformed",
    [HOST_UNNAMED] = "no_host",   [HOST_TWICE] = "two_hosts",   [HOST_UPGRADE] = "upgrade",
    [HOST_REFUSED] = "other_host",
};
static const char other_server_name[] = "other_server_name";

struct finding {
    const char *word;                /* NULL: nothing was found */
    char server_name[DNS_NAME_MAX + 1]; /* that was named instead, "" for none */
    uint16_t target_port;            /* the finding is about another destination, behind a proxy: its port; else 0 */
    struct fs_verdict verdict;       /* of that */
};

static bool is_tunnel(const struct pending *entry)
{
    return entry->kind == PENDING_TUNNEL || entry->kind == PENDING_TUNNEL_AGAIN;
}

/* The name by which the address was allowed, "" where none is known any more. */
static void name_of(const struct pending *entry, char *out)
{
    struct learnt_names names;
    learnt_find(entry->ip, entry->version, &names);
    out[0] = '\0';
    for (unsigned which = 0; which < 2; which++) {
        const struct fs_policy *policy = policy_at(which);
        if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW) continue;
        for (unsigned i = 0; i < names.count; i++) {
            if (rule_for(policy, names.names[i], entry->port) == UINT32_MAX) continue;
            memcpy(out, names.names[i], strlen(names.names[i]) + 1);
            return;
        }
    }
}

/* Reports; true where it is to be cut. */
static bool violates(const struct pending *entry, const struct finding *finding, const void *caller)
{
    int error = errno;
    char host[DNS_NAME_MAX + 1], ip[ADDRESS_TEXT_MAX];
    struct fs_verdict verdict = network_judge_kind();
    if (verdict.mode == FS_ALLOW) return false;
    bool elsewhere = finding->target_port != 0;
    name_of(entry, host);
    if (elsewhere) {
        uint8_t mode = verdict.mode;
        verdict = finding->verdict;
        verdict.mode = mode;
    } else {
        if (verdict.reason != FS_RECONFIGURED)
            verdict.reason = finding->word == other_server_name || finding->word == host_words[HOST_REFUSED] ? FS_SERVER_NAME : FS_TLS;
        const struct fs_rule *rule = entry->rules[0] != UINT32_MAX ? fs_policy_rule(guard.policy, entry->rules[0]) : NULL;
        if (rule != NULL) {
            verdict.rule = entry->rules[0];
            verdict.source = fs_policy_string(guard.policy, rule->source);
        }
    }
    address_text(entry->ip, entry->version, ip);
    struct guard_act act = {
        .ring = RING_LIBC,
        .family = FS_OUTBOUND,
        .verb = "send",
        /* Whom it is for is said by the bytes, where they say it. */
        .host = finding->server_name[0] != '\0' ? finding->server_name : host[0] != '\0' ? host : NULL,
        .ip = entry->version != 0 && !elsewhere && !(is_tunnel(entry) && finding->server_name[0] != '\0') ? ip : NULL,
        .port = elsewhere                                                      ? finding->target_port
                : is_tunnel(entry) && finding->server_name[0] != '\0' ? entry->tunnel_port
                                                                       : entry->port,
        .protocol = entry->kind == PENDING_DATAGRAM ? "udp" : "tcp",
        .first_bytes = elsewhere ? "behind_proxy" : finding->word,
        .connected_as = finding->server_name[0] != '\0' && !elsewhere && host[0] != '\0' ? host : NULL,
        .caller = caller,
    };
    guard_report(&act, &verdict, NULL, 0);
    errno = error;
    return verdict.mode == FS_BLOCK;
}

static bool violates_by(const struct pending *entry, const char *word, const void *caller)
{
    struct finding finding = {.word = word};
    return violates(entry, &finding, caller);
}

/* ---- connections ---- */

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof value;
    return sys_call(SYS_getsockopt, fd, level, name, &value, &size) == 0 ? value : -1;
}

static bool is_datagram(int fd) { return option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM; }

static bool is_standard(uint64_t cookie)
{
    for (int fd = 0; fd <= LAST_STANDARD; fd++)
        if (pending_cookie(fd) == cookie) return true;
    return false;
}

bool inspect_is_standard(int fd)
{
    uint64_t cookie = pending_cookie(fd);
    return cookie != 0 && is_standard(cookie);
}

/* The kernel makes other bytes of what is written: a protocol above TCP was set in an earlier connection. MPTCP is one too, and
 * changes none. */
static bool transforms(int fd)
{
    char name[16] = "";
    socklen_t size = sizeof name;
    return sys_call(SYS_getsockopt, fd, IPPROTO_TCP, TCP_ULP, name, &size) == 0 && size > 0 && name[0] != '\0' &&
           strncmp(name, "mptcp", sizeof name) != 0;
}

bool inspect_connects(int fd, const struct address *address, bool by_rule, bool connecting, const void *caller)
{
    struct pending entry, before;
    bool proxy = proxies_is(address);
    if (LIKELY(!by_rule && !proxy && !pending_any())) return false;
    describe(address, &entry);
    /* Judged already: let through always, or reported, or allowed for this thread. */
    if (!by_rule || entry.kind == PENDING_STRANGER) entry.kind = PENDING_PLAIN;
    if (UNLIKELY(proxy)) entry.kind = PENDING_PROXY;
    if (LIKELY(entry.kind == PENDING_PLAIN && !pending_any())) return false;
    bool datagram = is_datagram(fd);
    if (datagram && entry.kind == PENDING_TLS) entry.kind = PENDING_DATAGRAM;
    if (datagram && entry.kind != PENDING_DATAGRAM) entry.kind = PENDING_PLAIN;
    if (datagram && !connecting) return entry.kind == PENDING_DATAGRAM && violates_by(&entry, "datagram", caller);
    uint64_t cookie = pending_cookie(fd);
    bool there = pending_find(cookie, &before);
    if (entry.kind == PENDING_PLAIN) {
        if (there && before.kind != PENDING_STREAM) pending_put(cookie, &entry);
        return false;
    }
    if (there && before.kind == PENDING_STREAM) return violates_by(&entry, "stream", caller);
    if (is_standard(cookie)) return violates_by(&entry, "stream", caller);
    if (!datagram && transforms(fd)) return violates_by(&entry, "unseen", caller);
    /* What was said already decides how what follows is read: from the start it cannot be read again. */
    if (there && before.begun && (entry.kind == PENDING_HTTP || entry.kind == PENDING_PROXY)) entry.kind = PENDING_STRANGER;
    if (pending_put(cookie, &entry)) return false;
    return violates_by(&entry, "too_many", caller);
}

/* ---- which names ---- */

/* `name` may be named on this connection: by the entry that allowed it, or by one that allows another name of this address. */
static bool allows_name(const struct pending *entry, const char *name)
{
    bool tunnel = is_tunnel(entry);
    struct address address = {.kind = ADDRESS_IP, .version = entry->version, .port = entry->port};
    memcpy(address.ip, entry->ip, sizeof address.ip);
    struct learnt_names names = {0};
    if (!tunnel) learnt_find(entry->ip, entry->version, &names);
    struct fs_request request = request_for(NULL, tunnel ? entry->tunnel_port : entry->port);
    for (unsigned which = 0; which < 2; which++) {
        const struct fs_policy *policy = policy_at(which);
        if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW) continue;
        if (!tunnel && allows_address(policy, &address)) continue;
        bool allowed = entry->rules[which] != UINT32_MAX && fs_policy_entry_allows_name(policy, entry->rules[which], name, &request);
        for (unsigned i = 0; !allowed && i < names.count; i++) {
            uint32_t rule = rule_for(policy, names.names[i], entry->port);
            allowed = rule != UINT32_MAX && fs_policy_entry_allows_name(policy, rule, name, &request);
        }
        if (!allowed) return false;
    }
    return true;
}

struct judging {
    struct pending *entry;
    struct finding *finding;
};

static bool allows_host(void *context, const struct host_target *target)
{
    struct judging *judging = context;
    if (allows_name(judging->entry, target->name)) return true;
    memcpy(judging->finding->server_name, target->name, sizeof target->name);
    return false;
}

/* What a proxy is asked for: judged as if it were dialled. */
static bool allows_behind(void *context, const struct host_target *target)
{
    struct judging *judging = context;
    uint16_t port = target->port != 0 ? target->port : 80;
    struct address address = {.kind = ADDRESS_IP, .port = port};
    struct pending *entry = judging->entry;
    struct finding *finding = judging->finding;
    if (address_parse(target->name, address.ip, &address.version)) {
        address.version = address_normalise(address.ip, address.version);
        struct fs_request request = request_for(NULL, port);
        memcpy(request.ip, address.ip, sizeof request.ip);
        request.ip_version = address.version;
        finding->verdict = guard_decide(&request);
    } else {
        finding->verdict = network_judge_name(target->name, port);
    }
    if (finding->verdict.mode != FS_BLOCK && finding->verdict.mode != FS_ALERT) {
        if (!target->connect) return true;
        entry->rules[0] = entry->rules[1] = UINT32_MAX;
        entry->tunnel_port = port;
        entry->kind = PENDING_FREE;
        for (unsigned which = 0; address.version == 0 && which < 2; which++) {
            const struct fs_policy *policy = policy_at(which);
            if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW) continue;
            entry->rules[which] = rule_for(policy, target->name, port);
            if (entry->rules[which] != UINT32_MAX && kind_of(policy, entry->rules[which], port) == PENDING_TLS)
                entry->kind = PENDING_TUNNEL;
        }
        return true;
    }
    memcpy(finding->server_name, target->name, sizeof target->name);
    finding->target_port = port;
    return false;
}

/* ---- judging bytes ---- */

static void judge_hello(const struct client_hello *hello, struct pending *entry, struct finding *finding)
{
    if (hello->kind != HELLO_NAMED) {
        finding->word = hello_words[hello->kind];
    } else if (!allows_name(entry, hello->name)) {
        finding->word = other_server_name;
    } else {
        return;
    }
    memcpy(finding->server_name, hello->name, sizeof hello->name);
}

/* After the greeting: another one may follow, once. */
static void judge_next(const uint8_t *bytes, size_t size, struct pending *entry, struct finding *finding)
{
    struct client_hello hello;
    size_t at;
    bool tunnel = is_tunnel(entry);
    switch (client_hello_next(bytes, size, &at, &hello)) {
    case HELLO_NEXT_SPLIT: finding->word = hello_words[HELLO_SPLIT]; return;
    case HELLO_NEXT_OPEN: entry->kind = tunnel ? PENDING_TUNNEL_AGAIN : PENDING_TLS_AGAIN; return;
    case HELLO_NEXT_AGAIN: judge_hello(&hello, entry, finding); break;
    default: break;
    }
    if (finding->word == NULL) entry->kind = PENDING_FREE;
}

static void judge_requests(const char *bytes, size_t size, struct pending *entry, struct finding *finding)
{
    struct judging judging = {entry, finding};
    bool tunnel;
    size_t used;
    bool proxy = entry->kind == PENDING_PROXY;
    enum host_kind kind = host_flow_feed(&entry->flow, bytes, size, proxy ? allows_behind : allows_host, &judging, &tunnel, &used);
    if (kind != HOST_FINE)
        finding->word = host_words[kind];
    else if (tunnel && !proxy)
        finding->word = host_words[HOST_UPGRADE];
    else if (tunnel && used != size)
        finding->word = host_words[HOST_MALFORMED]; /* nobody waited for the tunnel */
}

/* `entry` becomes what it is after these bytes. */
static void judge(const uint8_t *bytes, size_t size, struct pending *entry, struct finding *finding)
{
    struct client_hello hello;
    entry->begun = true;
    switch (entry->kind) {
    case PENDING_FREE: return;
    case PENDING_TLS:
    case PENDING_TUNNEL:
        client_hello_read(bytes, size, &hello);
        judge_hello(&hello, entry, finding);
        if (finding->word == NULL) judge_next(bytes + hello.size, size - hello.size, entry, finding);
        return;
    case PENDING_TLS_AGAIN:
    case PENDING_TUNNEL_AGAIN: judge_next(bytes, size, entry, finding); return;
    case PENDING_HTTP:
    case PENDING_PROXY: judge_requests((const char *)bytes, size, entry, finding); return;
    case PENDING_DATAGRAM: finding->word = "datagram"; return;
    case PENDING_STREAM: finding->word = "stream"; return;
    default: finding->word = "inherited"; return;
    }
}

/* ---- sending ---- */

/* The bytes of `message` after the first `skip`, as many as fit. False where they cannot be read. */
static bool gather(const struct msghdr *message, size_t skip, uint8_t *copy, size_t *size)
{
    *size = 0;
    size_t count = message->msg_iovlen < IOV_MAX ? message->msg_iovlen : IOV_MAX;
    if (count > 0 && !sys_readable(message->msg_iov, count * sizeof *message->msg_iov)) return false;
    for (size_t i = 0; i < count && *size < COPY_MAX; i++) {
        struct iovec part = message->msg_iov[i];
        size_t passed = skip < part.iov_len ? skip : part.iov_len;
        skip -= passed;
        part.iov_base = (char *)part.iov_base + passed;
        part.iov_len -= passed;
        if (part.iov_len > COPY_MAX - *size) part.iov_len = COPY_MAX - *size;
        if (part.iov_len == 0) continue;
        /* Every page of it: a part in the middle could be missing. */
        for (size_t at = 0; at < part.iov_len; at += 4096)
            if (!sys_readable((const char *)part.iov_base + at, part.iov_len - at < 4096 ? part.iov_len - at : 4096)) return false;
        memcpy(copy + *size, part.iov_base, part.iov_len);
        *size += part.iov_len;
    }
    return true;
}

static ssize_t fails(int error)
{
    errno = error;
    return -1;
}

static void cut(int fd) { sys_call(SYS_shutdown, fd, SHUT_RDWR); }

#ifndef SO_PEERNAME
#define SO_PEERNAME 28
#endif

/* Where a socket leads, or is on its way to: getpeername says that of no connection that is still being made, while bytes can
 * be given to it already. False where it leads nowhere, or where that cannot be told. */
static bool leads_to(int fd, struct address *address)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (sys_call(SYS_getpeername, fd, &peer, &size) != 0) {
        /* The kernel gives no more than was asked for, and refuses to give less. */
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

/* Where the socket leads now, which may be elsewhere than when it was remembered. False: nothing is to be looked at. */
static bool still_pending(int fd, uint64_t cookie, struct pending *entry)
{
    struct address address;
    if (!leads_to(fd, &address)) {
        /* MPTCP tells only when it is connected. Any other goes nowhere, and the kernel says so. */
        if (entry->kind == PENDING_PLAIN && option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_MPTCP) entry->kind = PENDING_STRANGER;
        return entry->kind != PENDING_PLAIN && entry->kind != PENDING_DATAGRAM;
    }
    if (address.kind != ADDRESS_IP) return true;
    bool same = address.port == entry->port && address_equal(address.ip, address.version, entry->ip, entry->version);
    if (entry->kind == PENDING_PLAIN && same) {
        pending_remove(cookie);
        return false;
    }
    if (same && entry->kind != PENDING_STRANGER) return true;
    struct pending now;
    describe(&address, &now);
    if (now.kind == PENDING_PLAIN && !proxies_is(&address)) {
        pending_remove(cookie);
        return false;
    }
    /* A greeting can be waited for anew; requests half-way cannot. Datagrams are no greeting, whatever form they have. */
    if (now.kind == PENDING_TLS && is_datagram(fd))
        now.kind = PENDING_DATAGRAM;
    else if (now.kind != PENDING_TLS)
        now.kind = PENDING_STRANGER;
    *entry = now;
    return true;
}

enum sent { SENT_ALL, SENT_PART, SENT_NOT, SENT_BY_OTHERS };

/* Judges these bytes, our own, and sends them. SENT_BY_OTHERS: reported and let through, nothing was sent. `*result` is the
 * call's. */
static enum sent send_judged(int fd, struct pending *entry, const struct msghdr *message, uint8_t *copy, size_t size, int flags,
                             const void *caller, ssize_t *result)
{
    struct pending after = *entry;
    struct finding finding = {0};
    if (flags & MSG_OOB && entry->kind != PENDING_FREE)
        finding.word = "out_of_band"; /* a byte that the peer does not see in its place */
    else if (size > 0)
        judge(copy, size, &after, &finding);
    if (finding.word != NULL) {
        if (!violates(entry, &finding, caller)) {
            entry->kind = PENDING_FREE; /* it says what it likes */
            return SENT_BY_OTHERS;
        }
        cut(fd);
        *result = fails(EACCES);
        return SENT_NOT;
    }
    struct msghdr out = *message;
    struct iovec vector = {.iov_base = copy, .iov_len = size};
    out.msg_iov = &vector;
    out.msg_iovlen = 1;
    *result = real.sendmsg(fd, &out, flags);
    if (*result < 0) return SENT_NOT;
    if ((size_t)*result == size) {
        *entry = after;
        return SENT_ALL;
    }
    if (*result > 0 && (entry->kind == PENDING_HTTP || entry->kind == PENDING_PROXY)) {
        struct finding again = {0};
        after = *entry;
        judge(copy, (size_t)*result, &after, &again);
        if (again.word != NULL) after.kind = PENDING_STRANGER; /* half a head is out */
        *entry = after;
    } else if (*result > 0) {
        if (violates_by(entry, hello_words[HELLO_SPLIT], caller))
            cut(fd);
        else
            entry->kind = PENDING_FREE;
    }
    return SENT_PART;
}

/* `cookie` is taken. Piece by piece, until all is sent as it would be without us, or nothing needs a look any more: true where
 * the whole call was dealt with. */
static bool sends_copy(int fd, uint64_t cookie, struct pending *entry, const struct msghdr *message, int flags,
                       const void *caller, ssize_t *result)
{
    struct msghdr piece = *message;
    uint8_t *copy = sys_scratch(COPY_MAX);
    size_t size = 0, total = 0;
    enum sent sent = SENT_NOT;
    *result = copy == NULL ? fails(ENOBUFS) : 0;
    while (copy != NULL) {
        if (!gather(message, total, copy, &size)) {
            *result = fails(EFAULT);
            break;
        }
        if (size == 0 && total > 0) break;
        sent = send_judged(fd, entry, &piece, copy, size, flags, caller, result);
        if (sent == SENT_BY_OTHERS && total > 0) continue; /* all in this one call, as without us */
        if (sent != SENT_ALL) break;
        total += size;
        if (size < COPY_MAX) break;
        /* Where the rest needs no look, it goes out in this one call all the same. */
        piece.msg_name = NULL;
        piece.msg_namelen = 0;
        piece.msg_control = NULL;
        piece.msg_controllen = 0;
    }
    int error = errno;
    sys_scratch_free(copy, COPY_MAX);
    pending_give(cookie, entry);
    errno = error;
    if (sent == SENT_BY_OTHERS && total == 0) return false;
    if (sent == SENT_PART && *result > 0) total += (size_t)*result;
    if (total > 0) *result = (ssize_t)total;
    return true;
}

bool inspect_sends(int fd, const struct msghdr *message, int flags, const void *caller, ssize_t *result)
{
    struct pending entry;
    int error = errno;
    uint64_t cookie = pending_cookie(fd);
    if (LIKELY(!pending_find(cookie, &entry))) return false;
    /* A datagram with an address goes there, and was judged. */
    if (message->msg_name != NULL && message->msg_namelen > 0 && entry.kind == PENDING_DATAGRAM) return false;
    if (!still_pending(fd, cookie, &entry)) {
        errno = error;
        return false;
    }
    struct pending kept;
    if (!pending_take(cookie, &kept)) {
        if (!kept.busy && kept.kind == PENDING_FREE) return false; /* just now it was done with */
        if (!violates_by(&entry, "at_once", caller)) return false;
        cut(fd);
        *result = fails(EACCES);
        return true;
    }
    errno = error;
    if (kept.kind == entry.kind) entry = kept;
    return sends_copy(fd, cookie, &entry, message, flags, caller, result);
}

bool inspect_writes(int fd, const void *bytes, size_t size, int flags, const void *caller, ssize_t *result)
{
    struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return inspect_sends(fd, &message, flags, caller, result);
}

bool inspect_refuses_unseen(int fd, const void *caller)
{
    struct pending entry;
    uint64_t cookie = pending_cookie(fd);
    if (!pending_find(cookie, &entry) || !still_pending(fd, cookie, &entry)) return false;
    if (!violates_by(&entry, "unseen", caller)) {
        pending_remove(cookie);
        return false;
    }
    cut(fd);
    errno = EACCES;
    return true;
}

/* ---- descriptors on their way ---- */

static bool is_internet_stream(int fd)
{
    int domain = option(fd, SOL_SOCKET, SO_DOMAIN);
    return (domain == AF_INET || domain == AF_INET6) && option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
}

/* Segments with data have left. */
static bool has_spoken(int fd)
{
    struct {
        uint8_t before[156];
        uint32_t data_segs_out; /* of struct tcp_info: Linux 4.6 */
    } info = {0};
    socklen_t size = sizeof info;
    return sys_call(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && size >= sizeof info && info.data_segs_out > 0;
}

bool inspect_refuses_passing(int fd, const void *caller)
{
    struct pending entry;
    uint64_t cookie;
    if (!pending_any() || !pending_find(cookie = pending_cookie(fd), &entry) || !still_pending(fd, cookie, &entry)) return false;
    return violates_by(&entry, "passed", caller);
}

bool inspect_refuses_received(int fd, const void *caller)
{
    struct pending entry = {.kind = PENDING_STRANGER, .rules = {UINT32_MAX, UINT32_MAX}}, known;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int domain = option(fd, SOL_SOCKET, SO_DOMAIN);
    if ((domain != AF_INET && domain != AF_INET6) || guard_ignores(FS_OUTBOUND)) return false;
    uint64_t cookie = pending_cookie(fd);
    if (pending_find(cookie, &known)) return inspect_refuses_copy(fd, caller);
    bool stream = option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
    if (sys_call(SYS_getpeername, fd, &peer, &size) == 0) {
        struct address address;
        address_read(&peer, size, false, &address);
        char host[FS_HOST_MAX + 1], ip[ADDRESS_TEXT_MAX];
        uint16_t port;
        enum fs_family family;
        bool announced;
        struct fs_verdict verdict = network_judge_target(&peer, size, host, ip, &port, &family, &announced);
        if (verdict.mode != FS_ALLOW) {
            struct guard_act act = {
                .ring = RING_LIBC, .family = family, .verb = "receive a connection", .ip = ip, .port = port,
                .host = host[0] != '\0' ? host : NULL, .protocol = stream ? "tcp" : "udp", .caller = caller,
            };
            guard_report(&act, &verdict, NULL, 0);
            return verdict.mode == FS_BLOCK;
        }
        describe(&address, &entry);
        if (entry.kind == PENDING_PLAIN && !proxies_is(&address)) return false;
        if (!stream) entry.kind = PENDING_DATAGRAM;
        if (entry.kind != PENDING_TLS && entry.kind != PENDING_DATAGRAM) entry.kind = PENDING_STRANGER;
    } else if (!stream || option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1) {
        return false;
    }
    if (fd >= 0 && fd <= LAST_STANDARD && violates_by(&entry, "stream", caller)) return true;
    return !pending_put(cookie, &entry) && violates_by(&entry, "too_many", caller);
}

bool inspect_refuses_stream(int fd, const void *caller)
{
    struct pending entry = {.kind = PENDING_STREAM, .rules = {UINT32_MAX, UINT32_MAX}}, known;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (guard_ignores(FS_OUTBOUND)) return false;
    uint64_t cookie = pending_cookie(fd);
    if (cookie == 0) return false;
    if (pending_find(cookie, &known)) return still_pending(fd, cookie, &known) && violates_by(&known, "stream", caller);
    if (!is_internet_stream(fd) || sys_call(SYS_getpeername, fd, &peer, &size) == 0 || option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1)
        return false;
    return !pending_put(cookie, &entry) && violates_by(&entry, "too_many", caller);
}

bool inspect_refuses_number(int from, int to, const void *caller)
{
    struct pending entry;
    uint64_t cookie;
    if (!pending_any() || !pending_find(cookie = pending_cookie(from), &entry)) return false;
    pending_shares(cookie);
    if (from == to || (to > LAST_STANDARD && sys_call(SYS_fcntl, to, F_GETFD) < 0)) return false;
    return still_pending(from, cookie, &entry) && violates_by(&entry, "stream", caller);
}

bool inspect_refuses_copy(int copy, const void *caller)
{
    struct pending entry;
    uint64_t cookie;
    if (copy < 0 || copy > LAST_STANDARD || !pending_find(cookie = pending_cookie(copy), &entry)) return false;
    return still_pending(copy, cookie, &entry) && violates_by(&entry, "stream", caller);
}

/* What is written to it goes nowhere. */
static void put_away(int fd)
{
    int nowhere = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
    if (nowhere < 0 || sys_call(SYS_dup3, nowhere, fd, 0) < 0) sys_close(fd);
    if (nowhere >= 0) sys_close(nowhere);
}

/* What is known of a socket that this process did not make. Quiet, and left open where it may not be used: the program did not
 * ask for it. Only where it would be written to unseen, or cannot be remembered, it is taken away. */
static void adopt(int fd, bool forked)
{
    struct pending entry = {.kind = PENDING_STRANGER, .rules = {UINT32_MAX, UINT32_MAX}}, now;
    struct address address;
    int domain = option(fd, SOL_SOCKET, SO_DOMAIN);
    if (domain != AF_INET && domain != AF_INET6) return;
    bool datagram = is_datagram(fd), standard = fd == STDOUT_FILENO || fd == STDERR_FILENO;
    if (!datagram && (!is_internet_stream(fd) || option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1)) return;
    uint64_t cookie = pending_cookie(fd);
    if (forked && pending_find(cookie, &now)) return;
    if (leads_to(fd, &address)) {
        describe(&address, &now);
        bool proxy = proxies_is(&address), spoken = !datagram && has_spoken(fd);
        if (now.kind == PENDING_PLAIN && !proxy) return;
        if (datagram && !standard && address.port == RESOLVERS_PORT && resolvers_has(address.ip, address.version))
            return; /* dns_socket.c */
        /* What has spoken was judged: here, to its end; or by whoever started this program, but for a second greeting. */
        if (spoken && forked) return;
        if (now.kind == PENDING_TLS && !proxy) entry = now;
        if (spoken && address.port != 80 && !proxy) entry.kind = PENDING_TLS_AGAIN;
        memcpy(entry.ip, now.ip, sizeof entry.ip);
        entry.version = now.version;
        entry.port = now.port;
    }
    if (datagram) entry.kind = PENDING_DATAGRAM;
    if (standard && violates_by(&entry, "stream", NULL)) {
        put_away(fd);
        return;
    }
    if (!pending_put(cookie, &entry) && network_blocks()) sys_close(fd);
}

static void adopt_inherited(void *context, int fd)
{
    (void)context;
    adopt(fd, false);
}

static void adopt_forked(void *context, int fd)
{
    (void)context;
    adopt(fd, true);
}

static void adopt_all(void (*visit)(void *context, int fd))
{
    enum { NUMBERS = 1 << 20 };
    if (guard_ignores(FS_OUTBOUND) || pending_each_descriptor(visit, NULL)) return;
    /* No number is left to list them by. */
    for (int fd = 0; fd < NUMBERS; fd++) visit(NULL, fd);
}

void inspect_start(void) { adopt_all(adopt_inherited); }

void inspect_forked(void) { adopt_all(adopt_forked); }
