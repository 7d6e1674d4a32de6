/* Programs that speak DNS themselves. */
#include "dns_socket.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>

#include "addresses.h"
#include "crossing.h"
#include "dns_message.h"
#include "guard.h"
#include "inspect.h"
#include "names.h"
#include "network.h"
#include "resolvers.h"
#include "sys.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
#define UDP_CORK 1

atomic_bool dns_any;
_Atomic uint64_t dns_marks[DNS_NUMBERS / 64];
_Atomic unsigned dns_outstanding;

/* ---- marks ---- */

void dns_mark(int fd)
{
    if (fd < 0) return;
    if (fd < DNS_NUMBERS) atomic_fetch_or_explicit(&dns_marks[fd / 64], UINT64_C(1) << (fd % 64), memory_order_relaxed);
    atomic_store_explicit(&dns_any, true, memory_order_release);
}

static bool is_udp(int fd)
{
    int protocol = 0;
    socklen_t size = sizeof protocol;
    return sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == IPPROTO_UDP;
}

static void mark_udp(void *context, int fd)
{
    (void)context;
    if (is_udp(fd)) dns_mark(fd);
}

void dns_start(bool inherited)
{
    /* What a program before this one opened; where that cannot be listed, everything. */
    if (!inherited || pending_each_descriptor(mark_udp, NULL)) return;
    for (unsigned i = 0; i < DNS_NUMBERS / 64; i++) atomic_store(&dns_marks[i], ~UINT64_C(0));
    atomic_store(&dns_any, true);
}

/* ---- where to ---- */

bool dns_is_resolver(const void *bytes, size_t size, bool sending)
{
    struct address address;
    /* The cheap question first: the port lies in the same place for both families. */
    uint16_t port;
    if (size < 4) return false;
    memcpy(&port, (const char *)bytes + 2, sizeof port);
    if (__builtin_expect(port != htons(RESOLVERS_PORT), 1) || guard_ignores(FS_OUTBOUND)) return false;
    address_read(bytes, size, sending, &address);
    return address.kind == ADDRESS_IP && resolvers_has(address.ip, address.version);
}

struct peer {
    char bytes[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    socklen_t size;
};

/* 0, or -errno: -ENOTCONN for a socket without one, -ENOTSOCK for what is none. */
static long peer_of(int fd, struct peer *peer)
{
    peer->size = sizeof peer->bytes;
    return sys_call(SYS_getpeername, fd, peer->bytes, &peer->size);
}

static bool is_internet(const struct peer *peer)
{
    sa_family_t family;
    memcpy(&family, peer->bytes, sizeof family);
    return family == AF_INET || family == AF_INET6;
}

/* ---- what was asked ---- */

enum { OUTSTANDING = 64 };
static _Atomic uint64_t asked[OUTSTANDING]; /* the lowest bit: its look-up was reported and let through */
static _Atomic unsigned next_asked;

static uint64_t more(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t key_of(int fd, const struct dns_query *query)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    (void)sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
    uint64_t hash = more(UINT64_C(14695981039346656037), &cookie, sizeof cookie);
    hash = more(hash, &query->id, sizeof query->id);
    hash = more(hash, &query->type, sizeof query->type);
    return more(hash, query->name, strlen(query->name)) | 2; /* 0 is a free place */
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
        if ((found & ~UINT64_C(1)) != key || !atomic_compare_exchange_strong(&asked[i], &found, 0)) continue;
        atomic_fetch_sub(&dns_outstanding, 1);
        *announced = found & 1;
        return true;
    }
    return false;
}

/* ---- connecting ---- */

bool dns_connects(int fd, const void *address, socklen_t size, const void *caller, int *result)
{
    if (guard_thread.resolving > 0 || !is_udp(fd) || guard_on_probation()) return false;
    dns_mark(fd);
    if (inspect_is_standard(fd) && network_refuses_kind("make a stream", "udp", caller)) {
        errno = EACCES;
        *result = -1;
        return true;
    }
    if (!network_blocks()) {
        (void)crossing_awaits_socket(pending_cookie(fd));
        *result = real.connect(fd, (const struct sockaddr *)address, size);
        return true;
    }
    /* What was looked at is what is connected, whatever happens to the program's number meanwhile. */
    int own = sys_own_number(fd);
    if (own < 0) {
        errno = -own;
        *result = -1;
        return true;
    }
    bool udp = is_udp(own);
    if (udp) {
        dns_mark(own);
        /* Who looked at this socket before it was marked, or at its number before it was there, has written. */
        if (!crossing_awaits_socket(pending_cookie(own)) && network_refuses_kind("connect", "udp", caller)) {
            sys_close(own);
            errno = EACCES;
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
    if (!is_udp(fd)) return false;
    dns_mark(fd); /* a message to where it is connected is then one to port 0 by name, which the kernel refuses */
    return true;
}

/* ---- sending ---- */

/* Our copy of a message's bytes, as far as a query can have them. -1: more than that, or not readable. */
static long gather(const struct msghdr *message, uint8_t bytes[DNS_QUERY_MAX])
{
    enum { VECTORS_MAX = 8 };
    struct iovec vectors[VECTORS_MAX];
    size_t size = 0;
    if (message->msg_iovlen > VECTORS_MAX || (message->msg_iovlen > 0 && !sys_readable(message->msg_iov, message->msg_iovlen * sizeof *vectors)))
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

/* Flags that change what is sent, or when (MSG_MORE, MSG_ZEROCOPY, MSG_SPLICE_PAGES), are none of a client's. */
#define PLAIN_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT | MSG_CONFIRM | MSG_EOR)

/* A question to the name server at `to`. */
static ssize_t ask(int fd, const struct msghdr *message, int flags, void *to, socklen_t to_size, const void *caller)
{
    struct names_query query;
    uint8_t bytes[DNS_QUERY_MAX];
    long size = gather(message, bytes);
    bool plain = size >= 0 && (flags & ~PLAIN_FLAGS) == 0 && message->msg_controllen == 0;
    if (names_refuses_query(&query, plain ? bytes : NULL, plain ? (size_t)size : 0, caller)) {
        errno = EACCES;
        return -1;
    }
    if (query.length > 0) remember(fd, &query.question, query.lookup.announced);
    if (query.length == 0 || !network_blocks()) return real.sendmsg(fd, message, flags);
    struct iovec vector = {query.copy, query.length};
    struct msghdr own = {.msg_name = to, .msg_namelen = to_size, .msg_iov = &vector, .msg_iovlen = 1};
    return real.sendmsg(fd, &own, flags) < 0 ? -1 : (ssize_t)size;
}

bool dns_sends(int fd, const struct msghdr *message, int flags, const void *caller, ssize_t *result)
{
    /* libresolv before glibc 2.34 comes through these doors, within a look-up that was judged. */
    if (guard_thread.resolving > 0 || guard_ignores(FS_OUTBOUND)) return false;
    if (message->msg_name != NULL && message->msg_namelen > 0) {
        if (!is_udp(fd)) return false;
        *result = ask(fd, message, flags, message->msg_name, message->msg_namelen, caller);
        return true;
    }
    struct peer peer;
    long error = peer_of(fd, &peer);
    if (error == -ENOTCONN) {
        /* Connected in this moment, by another thread, to who knows where: the kernel's answer is kept to. */
        if (!network_blocks() || !is_udp(fd)) return false;
        errno = EDESTADDRREQ;
        *result = -1;
        return true;
    }
    if (error != 0 || !is_internet(&peer) || !is_udp(fd)) return false;
    if (dns_is_resolver(peer.bytes, peer.size, false)) {
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
    /* To where it was connected, and not to where another thread connects it meanwhile. */
    struct msghdr named = *message;
    named.msg_name = peer.bytes;
    named.msg_namelen = peer.size;
    *result = real.sendmsg(fd, &named, flags);
    return true;
}

bool dns_sends_unseen(int fd, const void *caller, ssize_t *result)
{
    if (guard_ignores(FS_OUTBOUND) || !is_udp(fd) || !network_refuses_kind("send without a look", "udp", caller)) return false;
    errno = EACCES;
    *result = -1;
    return true;
}

/* ---- receiving ---- */

bool dns_receives(int fd, int flags)
{
    uint8_t packet[DNS_ANSWER_MAX];
    struct peer from = {.size = sizeof from.bytes};
    struct dns_answer answer;
    if (guard_ignores(FS_OUTBOUND) || flags & (MSG_PEEK | MSG_ERRQUEUE | MSG_OOB) || !is_udp(fd)) return false;
    /* Looked at where it lies, before it is in memory that another thread writes to; with the sender as the kernel knows it. */
    long size = sys_call(SYS_recvfrom, fd, packet, sizeof packet, (flags & MSG_DONTWAIT) | MSG_PEEK, from.bytes, &from.size);
    if (size < 0) {
        errno = (int)-size;
        return true;
    }
    if (!dns_is_resolver(from.bytes, from.size, false) || !dns_answer_read(packet, (size_t)size, &answer)) return false;
    struct lookup lookup = {.port = 0};
    if (!was_asked(fd, &answer.question, &lookup.announced)) return false;
    memcpy(lookup.name, answer.question.name, sizeof lookup.name);
    names_learn_addresses(&lookup, &answer);
    return false;
}

/* ---- what would take a socket out of sight ---- */

bool dns_refuses_copy(int fd, const void *caller)
{
    struct peer peer;
    if (__builtin_expect(!dns_watches(fd), 1) || guard_ignores(FS_OUTBOUND) || peer_of(fd, &peer) != 0) return false;
    return dns_is_resolver(peer.bytes, peer.size, false) && is_udp(fd) && network_refuses_kind("duplicate a connection", "dns", caller);
}

bool dns_refuses_stream(int fd, const void *caller)
{
    if (__builtin_expect(!dns_watches(fd), 1) || guard_ignores(FS_OUTBOUND)) return false;
    return is_udp(fd) && network_refuses_kind("make a stream", "udp", caller);
}

bool dns_refuses_bind(const void *bytes, size_t size, const void *caller)
{
    struct address address;
    uint16_t port;
    if (size < 4) return false;
    memcpy(&port, (const char *)bytes + 2, sizeof port);
    if (__builtin_expect(port != htons(RESOLVERS_PORT), 1) || guard_ignores(FS_OUTBOUND)) return false;
    address_read(bytes, size, true, &address);
    /* A name server on this machine: from whatever address is bound, a message may say that it comes from there (IP_PKTINFO). */
    if (address.kind != ADDRESS_IP || (!resolvers_are_here() && !resolvers_has(address.ip, address.version) &&
                                       !address_is_localhost(address.ip, address.version)))
        return false;
    return network_refuses_kind("answer", "dns", caller);
}

bool dns_refuses_option(int level, int name, const void *caller)
{
    return __builtin_expect((level == IPPROTO_UDP || level == IPPROTO_UDPLITE) && name == UDP_CORK, 0) &&
           network_refuses_kind("set an option", "corked datagrams", caller);
}
