/* Connections whose fd is passed on, received, inherited, duplicated, or made a stream. See
 * inspect.h. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "network/first_bytes/fd_use.h"
#include "guard/guard.h"
#include "events/events.h"
#include "network/first_bytes/inspect_parts.h"
#include "network/network.h"
#include "network/proxies.h"
#include "network/names/resolvers.h"
#include "network/runtime_api/runtime_api.h"
#include "support/sys.h"

static bool is_internet_stream(int fd)
{
    int domain = sys_socket_option(fd, SOL_SOCKET, SO_DOMAIN);
    return (domain == AF_INET || domain == AF_INET6) &&
           sys_socket_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
}

/* Returns true if data has been sent on this connection. */
static bool has_spoken(int fd)
{
    struct {
        uint8_t before[156];
        uint32_t data_segs_out; /* in struct tcp_info since Linux 4.6 */
    } info = {0};
    socklen_t size = sizeof info;
    return sys_call(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           size >= sizeof info && info.data_segs_out > 0;
}

bool inspect_refuses_passing(int fd, const void *caller)
{
    struct pending entry;
    if (!guard_has_pending() || !pending_find(pending_cookie(fd), &entry) ||
        !inspect_still_pending(fd, &entry))
        return false;
    return inspect_violates_by(&entry, "passed", caller);
}

bool inspect_refuses_received(int fd, const void *caller)
{
    struct pending entry = {.kind = PENDING_UNKNOWN, .rules = {UINT32_MAX, UINT32_MAX}}, known;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int domain = sys_socket_option(fd, SOL_SOCKET, SO_DOMAIN);
    if ((domain != AF_INET && domain != AF_INET6) || guard_ignores(FS_OUTBOUND)) return false;
    uint64_t cookie = pending_cookie(fd);
    if (pending_find(cookie, &known)) {
        pending_passed(cookie);
        return inspect_refuses_copy(fd, caller);
    }
    bool stream = sys_socket_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
    if (sys_call(SYS_getpeername, fd, &peer, &size) == 0) {
        struct address address;
        address_read(&peer, size, false, &address);
        char host[FS_HOST_MAX + 1], ip[ADDRESS_TEXT_MAX];
        uint16_t port;
        enum fs_family family;
        bool announced;
        struct fs_verdict verdict =
            network_judge_target(&peer, size, host, ip, &port, &family, &announced);
        if (verdict.mode != FS_ALLOW) {
            struct act act = {
                .ring = RING_LIBC,
                .family = family,
                .verb = "receive a connection",
                .ip = ip,
                .port = port,
                .host = host[0] != '\0' ? host : NULL,
                .protocol = stream ? "tcp" : "udp",
                .caller = caller,
            };
            events_report(&act, &verdict, NULL, 0);
            return verdict.mode == FS_BLOCK;
        }
        inspect_ask(&address, &entry);
        bool plain = entry.kind == PENDING_PLAIN && !proxies_is(&address);
        if (plain && stream) return false;
        if (!plain && (!stream || entry.kind != PENDING_TLS))
            entry.kind = stream ? PENDING_UNKNOWN : PENDING_DATAGRAM;
    } else if (!stream) {
        entry.kind = PENDING_DATAGRAM;
    } else if (sys_socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1) {
        return false;
    }
    /* Another process may still receive it by a message that is in a queue. A door can inspect a
     * received fd only once it exists. */
    entry.passed = true;
    if (inspect_has_stream(fd) && inspect_violates_by(&entry, "stream", caller)) return true;
    return !pending_put(cookie, &entry) && inspect_violates_by(&entry, "too_many", caller);
}

bool inspect_refuses_stream(int fd, const void *caller)
{
    struct pending entry = {.kind = PENDING_STREAM, .rules = {UINT32_MAX, UINT32_MAX}}, known;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (guard_ignores(FS_OUTBOUND)) return false;
    uint64_t cookie = pending_cookie(fd);
    if (cookie == 0) return false;
    if (pending_find(cookie, &known))
        return inspect_still_pending(fd, &known) && inspect_violates_by(&known, "stream", caller);
    if (!is_internet_stream(fd) || sys_call(SYS_getpeername, fd, &peer, &size) == 0 ||
        sys_socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1)
        return false;
    return !pending_put(cookie, &entry) && inspect_violates_by(&entry, "too_many", caller);
}

bool inspect_refuses_fd(int from, int to, const void *caller)
{
    struct pending entry;
    if (!guard_has_pending() || !pending_find(pending_cookie(from), &entry)) return false;
    if (from == to || (!inspect_has_stream(to) && sys_call(SYS_fcntl, to, F_GETFD) < 0))
        return false;
    return inspect_still_pending(from, &entry) && inspect_violates_by(&entry, "stream", caller);
}

bool inspect_watches(int fd)
{
    struct pending entry;
    return guard_has_pending() && pending_find(pending_cookie(fd), &entry);
}

bool inspect_refuses_move(int from, int to, bool *claimed, const void *caller)
{
    struct pending entry;
    *claimed = false;
    if (from == to || !guard_has_pending() || !pending_find(pending_cookie(from), &entry))
        return false;
    *claimed = fd_use_claims_fd(to);
    return !*claimed && inspect_violates_by(&entry, "at_once", caller);
}

int inspect_copies(int fd, int least, int flags, const void *caller)
{
    bool claimed;
    /* Reserves the fd with an object that cannot be written to. So the fd is known before the
     * connection is there. */
    long place =
        least < 0 ? -EINVAL : sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (place >= 0 && place < least) {
        long higher = sys_call(SYS_fcntl, place, F_DUPFD_CLOEXEC, least);
        sys_close((int)place);
        place = higher;
    }
    if (place >= 0 && inspect_refuses_move(fd, (int)place, &claimed, caller)) {
        sys_close((int)place);
        place = -EACCES;
    }
    if (place < 0) return (int)SYS_RESULT(place);
    pending_move_begins();
    long copy = sys_call(SYS_dup3, fd, place, flags);
    pending_move_ends((int)copy);
    if (claimed) fd_use_releases();
    if (copy < 0) sys_close((int)place);
    return (int)SYS_RESULT(copy);
}

bool inspect_refuses_copy(int copy, const void *caller)
{
    struct pending entry;
    if (copy < 0 || !pending_find(pending_cookie(copy), &entry) || !inspect_has_stream(copy))
        return false;
    return inspect_still_pending(copy, &entry) && inspect_violates_by(&entry, "stream", caller);
}

/* Replaces the socket by /dev/null. */
static void put_away(int fd)
{
    int nowhere = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
    if (nowhere < 0 || sys_call(SYS_dup3, nowhere, fd, 0) < 0) sys_close(fd);
    if (nowhere >= 0) sys_close(nowhere);
}

/* Finds what to remember about a socket that this process did not make, or will share. Returns
 * false if nothing. `*connected`: it has a peer. */
static bool to_remember(int fd, bool datagram, bool standard, bool forked, struct pending *entry,
                        bool *connected)
{
    struct pending now;
    struct address address;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    *entry = (struct pending){.kind = datagram ? PENDING_DATAGRAM : PENDING_UNKNOWN,
                              .rules = {UINT32_MAX, UINT32_MAX}};
    *connected = inspect_leads_to(fd, &address);
    if (!*connected) return !guard_ignores(FS_OUTBOUND);
    if (!datagram && address.kind == ADDRESS_IP && address.port == guard.runtime_api_port &&
        runtime_api_is(address.ip, address.version)) {
        if (guard_ignores(FS_RUNTIME_API) || runtime_api_is_client(pending_cookie(fd)))
            return false;
        *entry = (struct pending){.kind = PENDING_PERMITTED,
                                  .version = address.version,
                                  .port = address.port,
                                  .rules = {UINT32_MAX, UINT32_MAX}};
        memcpy(entry->ip, address.ip, sizeof entry->ip);
        return true;
    }
    if (guard_ignores(FS_OUTBOUND)) return false;
    inspect_ask(&address, &now);
    bool proxy = proxies_is(&address), spoken = !datagram && has_spoken(fd);
    /* A connection that is still being made may fail, and then be made to another peer. */
    if (now.kind == PENDING_PLAIN && !proxy)
        return !datagram && sys_call(SYS_getpeername, fd, &peer, &size) != 0;
    if (datagram && !standard && address.port == RESOLVERS_PORT &&
        resolvers_has(address.ip, address.version))
        return false; /* dns_socket.c */
    /* A connection that has sent data was judged already: completely, if this process did it;
     * except for a second greeting, if the program that started this one did. */
    if (spoken && forked) return false;
    if (now.kind == PENDING_TLS && !proxy) *entry = now;
    if (spoken && address.port != 80 && !proxy) entry->kind = PENDING_TLS_AGAIN;
    if (datagram) entry->kind = PENDING_DATAGRAM;
    memcpy(entry->ip, now.ip, sizeof entry->ip);
    entry->version = now.version;
    entry->port = now.port;
    return true;
}

/* Remembers a socket. A socket that may not be used stays open, without an event: the program did
 * not ask for it. Only a standard fd is replaced, because a stream would write to it unseen.
 * `given` is the program's fd, `fd` our own copy of it. Returns true if the socket may not stay,
 * which is reported: it must be remembered and cannot be, or was inherited and leads to the Runtime
 * API, whose answers are for its client alone. */
static bool adopt_socket(int fd, int given, bool forked)
{
    enum { TRIES = 4 };
    struct pending entry;
    bool datagram = inspect_is_datagram(fd),
         standard = given == STDOUT_FILENO || given == STDERR_FILENO;
    if (!datagram &&
        (!is_internet_stream(fd) || sys_socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1))
        return false;
    uint64_t cookie = pending_cookie(fd);
    if (forked && pending_find(cookie, &entry)) return false;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        bool connected;
        uint32_t serial;
        struct address address;
        if (!to_remember(fd, datagram, standard, forked, &entry, &connected)) return false;
        if (!forked && entry.kind == PENDING_PERMITTED) return runtime_api_refuses_inherited(given);
        if (standard && inspect_violates_by(&entry, "stream", NULL)) {
            put_away(given);
            return false;
        }
        if (!pending_put_new(cookie, &entry, &serial))
            return inspect_violates_by(&entry, "too_many", NULL);
        /* If another thread has connected it in between, it may have sent all first bytes before
         * the entry was in the table: try again. After some tries, the entry stays. */
        if (connected || serial == 0 || tries + 1 == TRIES || !inspect_leads_to(fd, &address))
            break;
        pending_take_back(cookie, serial);
    }
    return false;
}

static bool adopt(int given, bool forked)
{
    int domain = sys_socket_option(given, SOL_SOCKET, SO_DOMAIN);
    if (domain != AF_INET && domain != AF_INET6) return false;
    /* Other threads close and connect in between. A copy makes sure that the socket that is
     * inspected is the one that is remembered. */
    int own = sys_own_fd(given);
    bool refused = adopt_socket(own < 0 ? given : own, given, forked);
    if (own >= 0) sys_close(own);
    return refused;
}

/* No code of this program has run yet, so it has not used an fd that is closed here. */
static void adopt_inherited(void *context, int fd)
{
    (void)context;
    if (!adopt(fd, false)) return;
    if (fd <= STDERR_FILENO)
        put_away(fd);
    else
        sys_close(fd);
}

static void adopt_forked(void *context, int fd)
{
    bool *refused = context;
    *refused |= adopt(fd, true);
}

/* Calls `visit` for every fd with a bool that starts as false. Returns that bool. */
static bool adopt_all(void (*visit)(void *context, int fd))
{
    bool refused = false;
    atomic_store(&inspect_shared, true);
    if (!guard_ignores(FS_OUTBOUND) || !guard_ignores(FS_RUNTIME_API))
        pending_every_fd(visit, &refused);
    return refused;
}

atomic_bool inspect_shared;
atomic_uint inspect_sharing, inspect_shares_begun;

void inspect_start(void) { (void)adopt_all(adopt_inherited); }

bool inspect_shares(void) { return !adopt_all(adopt_forked); }

bool inspect_sharing_begins(void)
{
    atomic_fetch_add(&inspect_sharing, 1);
    atomic_fetch_add(&inspect_shares_begun, 1);
    return inspect_shares();
}

void inspect_sharing_ends(void) { atomic_fetch_sub(&inspect_sharing, 1); }

int inspect_made(int fd)
{
    int error = errno;
    if (!guard_ignores(FS_OUTBOUND) && adopt(fd, true)) {
        sys_close(fd);
        fd = -1;
        error = ENOBUFS;
    }
    errno = error;
    return fd;
}

bool inspect_refuses_dissolving(int fd, const void *caller)
{
    struct pending entry = {.kind = PENDING_UNKNOWN, .rules = {UINT32_MAX, UINT32_MAX}};
    uint32_t serial;
    if (!atomic_load_explicit(&inspect_shared, memory_order_relaxed) ||
        guard_ignores(FS_OUTBOUND) || !is_internet_stream(fd))
        return false;
    uint64_t cookie = pending_cookie(fd);
    if (!pending_put_new(cookie, &entry, &serial))
        return inspect_violates_by(&entry, "too_many", caller);
    pending_passed(cookie);
    return false;
}

bool inspect_refuses_datagram(int fd, const struct address *address, const void *caller)
{
    struct pending entry;
    if (!atomic_load_explicit(&inspect_shared, memory_order_relaxed) ||
        pending_find(pending_cookie(fd), &entry))
        return false;
    inspect_ask(address, &entry);
    if (entry.kind != PENDING_TLS) return false;
    entry.kind = PENDING_DATAGRAM;
    if (!inspect_violates_by(&entry, "datagram", caller)) return false;
    errno = EACCES;
    return true;
}

bool inspect_passes(int fd)
{
    if (guard_ignores(FS_OUTBOUND)) return true;
    if (adopt(fd, true)) return false;
    if (guard_has_pending()) pending_passed(pending_cookie(fd));
    return true;
}
