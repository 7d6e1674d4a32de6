/* Sockets of programs that speak DNS themselves. See dns_socket.h. */
#include "network/dns/dns_socket.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>

#include "network/addresses.h"
#include "network/first_bytes/fd_use.h"
#include "network/dns/dns_message.h"
#include "guard/guard.h"
#include "network/first_bytes/inspect.h"
#include "network/first_bytes/pending.h"
#include "network/names/names.h"
#include "network/names/lookup_fds.h"
#include "network/network.h"
#include "network/names/resolvers.h"
#include "support/copied.h"
#include "support/sys.h"

#define UDP_CORK 1

_Atomic unsigned dns_outstanding;

static bool is_internet(const struct dns_peer *peer)
{
    sa_family_t family;
    memcpy(&family, peer->bytes, sizeof family);
    return family == AF_INET || family == AF_INET6;
}

/* ---- what was asked ---- */

enum { OUTSTANDING = 64 };
static _Atomic uint64_t
    asked[OUTSTANDING]; /* hashes; the lowest bit: the lookup was reported and allowed */
static _Atomic unsigned next_asked;

static uint64_t more(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t key_of(int fd, const struct dns_query *query)
{
    uint64_t cookie = pending_cookie(fd);
    uint64_t hash = more(UINT64_C(14695981039346656037), &cookie, sizeof cookie);
    hash = more(hash, &query->id, sizeof query->id);
    hash = more(hash, &query->type, sizeof query->type);
    return more(hash, query->name, strlen(query->name)) | 2; /* 0 marks a free slot */
}

static void remember(int fd, const struct dns_query *query, bool announced)
{
    uint64_t key = (key_of(fd, query) & ~UINT64_C(1)) | announced;
    unsigned place = atomic_fetch_add_explicit(&next_asked, 1, memory_order_relaxed) % OUTSTANDING;
    if (atomic_exchange(&asked[place], key) == 0) atomic_fetch_add(&dns_outstanding, 1);
}

static bool was_asked(int fd, const struct dns_query *query, bool *announced)
{
    uint64_t key = key_of(fd, query) & ~UINT64_C(1);
    for (unsigned i = 0; i < OUTSTANDING; i++) {
        uint64_t found = atomic_load(&asked[i]);
        if ((found & ~UINT64_C(1)) != key || !atomic_compare_exchange_strong(&asked[i], &found, 0))
            continue;
        atomic_fetch_sub(&dns_outstanding, 1);
        *announced = found & 1;
        return true;
    }
    return false;
}

/* ---- connecting ---- */

/* The socket was passed on, and may be about to appear at an fd that has no mark yet. */
static bool refuses_passed(int fd, const void *caller)
{
    struct pending entry;
    return guard_has_pending() && pending_find(pending_cookie(fd), &entry) && entry.passed &&
           network_refuses_kind("connect what was passed on", "dns", caller);
}

bool dns_connects(int fd, const void *address, socklen_t size, const void *caller, int *result)
{
    if (guard_resolving_for(caller) || !dns_is_udp(fd) || guard_on_probation()) return false;
    dns_mark(fd);
    if (inspect_is_stream(fd) && network_refuses_kind("make a stream", "udp", caller)) {
        *result = -1;
        return true;
    }
    if (!network_blocks()) {
        (void)refuses_passed(fd, caller);
        (void)fd_use_awaits_socket(pending_cookie(fd));
        *result = real.connect(fd, (const struct sockaddr *)address, size);
        return true;
    }
    /* Connects the socket that was inspected, whatever happens to the program's fd in between. */
    int own = sys_own_fd(fd);
    if (own < 0) {
        errno = -own;
        *result = -1;
        return true;
    }
    bool udp = dns_is_udp(own);
    if (udp) {
        dns_mark(own);
        /* Wait for threads that inspected this socket before it was marked, or inspected this fd
         * before it referred to the socket, until they have written. */
        if (refuses_passed(own, caller) || (!fd_use_awaits_socket(pending_cookie(own)) &&
                                            network_refuses_kind("connect", "udp", caller))) {
            sys_close(own);
            *result = -1;
            return true;
        }
        *result = real.connect(own, (const struct sockaddr *)address, size);
    }
    sys_close(own);
    return udp;
}

bool dns_probes(int fd)
{
    if (!dns_is_udp(fd)) return false;
    dns_mark(fd); /* a message without a name is then sent to port 0, which the kernel
                     refuses */
    return true;
}

/* ---- sending ---- */

/* Copies a message's bytes. Returns their count, or -1 if there are more than a query can have, or
 * they cannot be read. */
static long gather(const struct msghdr *message, uint8_t bytes[DNS_QUERY_MAX])
{
    enum { VECTORS_MAX = 8 };
    struct iovec vectors[VECTORS_MAX];
    size_t size = 0;
    if (message->msg_iovlen > VECTORS_MAX ||
        (message->msg_iovlen > 0 &&
         !sys_readable(message->msg_iov, message->msg_iovlen * sizeof *vectors)))
        return -1;
    memcpy(vectors, message->msg_iov, message->msg_iovlen * sizeof *vectors);
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        size_t length = vectors[i].iov_len;
        if (length == 0) continue;
        if (length > DNS_QUERY_MAX - size || !sys_readable(vectors[i].iov_base, length)) return -1;
        memcpy(bytes + size, vectors[i].iov_base, length);
        size += length;
    }
    return (long)size;
}

/* DNS clients use no other flags. The others change what is sent, or when (MSG_MORE, MSG_ZEROCOPY,
 * MSG_SPLICE_PAGES). */
#define PLAIN_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT | MSG_CONFIRM | MSG_EOR)

/* Judges and sends a question to the name server at `to`. */
static ssize_t ask(int fd, const struct msghdr *message, int flags, void *to, socklen_t to_size,
                   const void *caller)
{
    struct names_query query;
    uint8_t bytes[DNS_QUERY_MAX];
    long size = gather(message, bytes);
    bool plain = size >= 0 && (flags & ~PLAIN_FLAGS) == 0 && message->msg_controllen == 0;
    if (names_refuses_query(&query, plain ? bytes : NULL, plain ? (size_t)size : 0, caller))
        return errno = EACCES, -1;
    if (query.length > 0) remember(fd, &query.question, query.lookup.announced);
    if (query.length == 0 || !network_blocks()) return real.sendmsg(fd, message, flags);
    struct iovec vector = {COPIED_BY_HAND(query.copy, message->msg_iov->iov_base), query.length};
    struct msghdr own = {
        .msg_name = to, .msg_namelen = to_size, .msg_iov = &vector, .msg_iovlen = 1};
    return real.sendmsg(fd, &own, flags) < 0 ? -1 : (ssize_t)size;
}

/* For bytes that the guard cannot read. Over TCP, the program can split a question anywhere. */
static bool refuses_unseen(int fd, const void *caller)
{
    const char *kind = dns_is_udp(fd) ? "udp" : "dns over tcp";
    return network_refuses_kind("send uninspected", kind, caller);
}

bool dns_sends(int fd, const struct msghdr *message, int flags, const void *caller, ssize_t *result)
{
    /* libresolv before glibc 2.34 passes these doors during a lookup that was judged. */
    if (guard_resolving_for(caller) || guard_ignores(FS_OUTBOUND)) return false;
    if (message->msg_name != NULL && message->msg_namelen > 0) {
        if (!dns_is_udp(fd)) return false;
        *result = ask(fd, message, flags, message->msg_name, message->msg_namelen, caller);
        return true;
    }
    struct dns_peer peer;
    long error = dns_peer_of(fd, &peer);
    if (error == -ENOTCONN) {
        /* Another thread may connect it right now, to any peer. Return what the kernel said, and
         * do not send. */
        if (!network_blocks() || !dns_is_udp(fd)) return false;
        errno = EDESTADDRREQ;
        *result = -1;
        return true;
    }
    if (error != 0 || !is_internet(&peer)) return false;
    bool resolver = dns_is_resolver(&peer);
    if (!dns_is_udp(fd)) return *result = -1, resolver && refuses_unseen(fd, caller);
    if (resolver) {
        *result = ask(fd, message, flags, peer.bytes, peer.size, caller);
        return true;
    }
    struct address address;
    address_read(peer.bytes, peer.size, false, &address);
    if (address.kind == ADDRESS_IP && inspect_refuses_datagram(fd, &address, caller)) {
        *result = -1;
        return true;
    }
    if (!network_blocks()) return false;
    /* Send to the peer that was judged. Another thread may connect the socket to another one. */
    struct msghdr named = *message;
    named.msg_name = peer.bytes;
    named.msg_namelen = peer.size;
    *result = real.sendmsg(fd, &named, flags);
    return true;
}

bool dns_refuses_unseen(int fd, const void *caller)
{
    return !guard_ignores(FS_OUTBOUND) && dns_may_ask(fd) && refuses_unseen(fd, caller);
}

/* ---- receiving ---- */

bool dns_receives(int fd, int flags)
{
    uint8_t packet[DNS_ANSWER_MAX];
    struct dns_peer from = {.size = sizeof from.bytes};
    struct dns_answer answer;
    if (guard_ignores(FS_OUTBOUND) || flags & (MSG_PEEK | MSG_ERRQUEUE | MSG_OOB) ||
        !dns_is_udp(fd) || inspect_peeks_elsewhere(fd))
        return false;
    /* Peek at the packet in the kernel's queue, where no thread can change it. The kernel also
     * tells the sender. */
    long size = sys_call(SYS_recvfrom, fd, packet, sizeof packet, (flags & MSG_DONTWAIT) | MSG_PEEK,
                         from.bytes, &from.size);
    if (size < 0) return errno = (int)-size, true;
    if (!dns_is_resolver(&from) || !dns_answer_read(packet, (size_t)size, &answer)) return false;
    struct lookup lookup = {.port = 0};
    if (!was_asked(fd, &answer.question, &lookup.announced)) return false;
    memcpy(lookup.name, answer.question.name, sizeof lookup.name);
    names_learn_addresses(&lookup, &answer);
    return false;
}

/* ---- acts after which a socket could not be watched ---- */

bool dns_refuses_copy(int fd, const void *caller)
{
    if (__builtin_expect(!dns_watches(fd), 1) || guard_ignores(FS_OUTBOUND)) return false;
    if (guard_has_lookups() && lookup_fds_refuses(fd, "duplicate", caller)) return true;
    return dns_is_marked(fd) && dns_leads_to_resolver(fd) &&
           network_refuses_kind("duplicate a connection", "dns", caller);
}

bool dns_refuses_stream(int fd, const void *caller)
{
    if (__builtin_expect(!dns_watches(fd), 1) || guard_ignores(FS_OUTBOUND)) return false;
    return dns_is_udp(fd) && network_refuses_kind("make a stream", "udp", caller);
}

bool dns_refuses_bind(const void *bytes, size_t size, const void *caller)
{
    struct address address;
    uint16_t port;
    if (size < 4) return false;
    memcpy(&port, (const char *)bytes + 2, sizeof port);
    if (__builtin_expect(port != htons(RESOLVERS_PORT), 1) || guard_ignores(FS_OUTBOUND))
        return false;
    address_read(bytes, size, true, &address);
    /* The socket could answer in place of a name server on this machine: IP_PKTINFO lets a message
     * claim that server's address, whatever address is bound. */
    if (address.kind != ADDRESS_IP ||
        (!resolvers_are_here() && !resolvers_has(address.ip, address.version) &&
         !address_is_localhost(address.ip, address.version)))
        return false;
    return network_refuses_kind("answer", "dns", caller);
}

bool dns_refuses_option(int level, int name, const void *caller)
{
    return __builtin_expect((level == IPPROTO_UDP || level == IPPROTO_UDPLITE) && name == UDP_CORK,
                            0) &&
           network_refuses_kind("set an option", "corked datagrams", caller);
}
