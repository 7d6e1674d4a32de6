/* What a connection's first bytes may be. See inspect.h. */
#include "inspect.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "crossing.h"
#include "guard.h"
#include "inspect_parts.h"
#include "judging.h"
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

/* ---- reporting ---- */

bool inspect_violates(const struct pending *entry, const struct finding *finding, const void *caller)
{
    int error = errno;
    char host[DNS_NAME_MAX + 1], ip[ADDRESS_TEXT_MAX];
    struct fs_verdict verdict = network_judge_kind();
    if (verdict.mode == FS_ALLOW) return false;
    bool elsewhere = finding->target_port != 0;
    judging_name_of(entry, host);
    if (elsewhere) {
        uint8_t mode = verdict.mode;
        verdict = finding->verdict;
        verdict.mode = mode;
    } else {
        if (verdict.reason != FS_RECONFIGURED)
            verdict.reason = finding->word == judging_other_server_name || finding->word == judging_host_words[HOST_REFUSED] ? FS_SERVER_NAME : FS_TLS;
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

bool inspect_violates_by(const struct pending *entry, const char *word, const void *caller)
{
    struct finding finding = {.word = word};
    return inspect_violates(entry, &finding, caller);
}

/* ---- connections ---- */

int inspect_option(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof value;
    return sys_call(SYS_getsockopt, fd, level, name, &value, &size) == 0 ? value : -1;
}

bool inspect_is_datagram(int fd) { return inspect_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM; }

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

bool inspect_may_watch(const struct address *address, bool by_rule) { return by_rule || pending_any() || proxies_is(address); }

bool inspect_connects(int fd, const struct address *address, bool by_rule, bool connecting, const void *caller)
{
    struct pending entry, before;
    bool proxy = proxies_is(address);
    if (LIKELY(!by_rule && !proxy && !pending_any())) return false;
    judging_describe(address, &entry);
    /* Judged already: let through always, or reported, or allowed for this thread. */
    if (!by_rule || entry.kind == PENDING_STRANGER) entry.kind = PENDING_PLAIN;
    if (UNLIKELY(proxy)) entry.kind = PENDING_PROXY;
    if (LIKELY(entry.kind == PENDING_PLAIN && !pending_any())) return false;
    bool datagram = inspect_is_datagram(fd);
    if (datagram && entry.kind == PENDING_TLS) entry.kind = PENDING_DATAGRAM;
    if (datagram && entry.kind != PENDING_DATAGRAM) entry.kind = PENDING_PLAIN;
    if (datagram && !connecting) return entry.kind == PENDING_DATAGRAM && inspect_violates_by(&entry, "datagram", caller);
    uint64_t cookie = pending_cookie(fd);
    bool there = pending_find(cookie, &before);
    if (entry.kind == PENDING_PLAIN) {
        if (there && before.kind != PENDING_STREAM) pending_put(cookie, &entry);
        return false;
    }
    if (there && before.kind == PENDING_STREAM) return inspect_violates_by(&entry, "stream", caller);
    if (is_standard(cookie)) return inspect_violates_by(&entry, "stream", caller);
    if (!datagram && transforms(fd)) return inspect_violates_by(&entry, "unseen", caller);
    /* What was said already decides how what follows is read: from the start it cannot be read again. */
    if (there && before.begun && (entry.kind == PENDING_HTTP || entry.kind == PENDING_PROXY)) entry.kind = PENDING_STRANGER;
    if (!datagram && there && before.passed) return inspect_violates_by(&entry, "passed", caller);
    if (!pending_put(cookie, &entry)) return inspect_violates_by(&entry, "too_many", caller);
    /* Who writes from now on finds it in the table; who looked before that must have written, to what leads nowhere yet. */
    return !datagram && !crossing_awaits_socket(cookie) && inspect_violates_by(&entry, "at_once", caller);
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

bool inspect_leads_to(int fd, struct address *address)
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

bool inspect_still_pending(int fd, struct pending *entry)
{
    struct address address;
    if (!inspect_leads_to(fd, &address)) {
        /* MPTCP tells only when it is connected. Any other goes nowhere, and the kernel says so. */
        if (entry->kind == PENDING_PLAIN && inspect_option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_MPTCP) entry->kind = PENDING_STRANGER;
        return entry->kind != PENDING_PLAIN && entry->kind != PENDING_DATAGRAM;
    }
    if (address.kind != ADDRESS_IP) return true;
    bool same = address.port == entry->port && address_equal(address.ip, address.version, entry->ip, entry->version);
    /* It stays in the table: another thread may have shown us another socket at this number, for just as long. */
    if (entry->kind == PENDING_PLAIN && same) return false;
    if (same && entry->kind != PENDING_STRANGER) return true;
    struct pending now;
    judging_describe(&address, &now);
    if (now.kind == PENDING_PLAIN && !proxies_is(&address)) return false;
    /* A greeting can be waited for anew; requests half-way cannot. Datagrams are no greeting, whatever form they have. */
    bool datagram = inspect_is_datagram(fd);
    if (datagram && address.port == RESOLVERS_PORT && !inspect_is_standard(fd) && resolvers_has(address.ip, address.version))
        return false; /* dns_socket.c */
    if (datagram)
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
        judging_bytes(copy, size, &after, &finding);
    if (finding.word != NULL) {
        if (!inspect_violates(entry, &finding, caller)) {
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
        judging_bytes(copy, (size_t)*result, &after, &again);
        if (again.word != NULL) after.kind = PENDING_STRANGER; /* half a head is out */
        *entry = after;
    } else if (*result > 0) {
        if (inspect_violates_by(entry, judging_hello_words[HELLO_SPLIT], caller))
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
    if (!inspect_still_pending(fd, &entry)) {
        errno = error;
        return false;
    }
    struct pending kept;
    if (!pending_take(cookie, &kept)) {
        if (!kept.busy && kept.kind == PENDING_FREE) return false; /* just now it was done with */
        if (!inspect_violates_by(&entry, "at_once", caller)) return false;
        cut(fd);
        *result = fails(EACCES);
        return true;
    }
    errno = error;
    if (kept.kind == entry.kind) entry = kept;
    entry.serial = kept.serial;
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
    if (!pending_find(cookie, &entry) || !inspect_still_pending(fd, &entry)) return false;
    if (!inspect_violates_by(&entry, "unseen", caller)) {
        pending_remove(cookie);
        return false;
    }
    cut(fd);
    errno = EACCES;
    return true;
}
