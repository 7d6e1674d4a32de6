/* Connections whose descriptors are on their way: passed on, received, inherited, made a stream or another number. See
 * inspect.h. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "crossing.h"
#include "guard.h"
#include "inspect_parts.h"
#include "network.h"
#include "proxies.h"
#include "resolvers.h"
#include "sys.h"

static bool is_internet_stream(int fd)
{
    int domain = inspect_option(fd, SOL_SOCKET, SO_DOMAIN);
    return (domain == AF_INET || domain == AF_INET6) && inspect_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
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
    if (!pending_any() || !pending_find(pending_cookie(fd), &entry) || !inspect_still_pending(fd, &entry)) return false;
    return inspect_violates_by(&entry, "passed", caller);
}

bool inspect_refuses_received(int fd, const void *caller)
{
    struct pending entry = {.kind = PENDING_STRANGER, .rules = {UINT32_MAX, UINT32_MAX}}, known;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int domain = inspect_option(fd, SOL_SOCKET, SO_DOMAIN);
    if ((domain != AF_INET && domain != AF_INET6) || guard_ignores(FS_OUTBOUND)) return false;
    uint64_t cookie = pending_cookie(fd);
    if (pending_find(cookie, &known)) return inspect_refuses_copy(fd, caller);
    bool stream = inspect_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
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
        judging_describe(&address, &entry);
        if (entry.kind == PENDING_PLAIN && !proxies_is(&address)) return false;
        if (!stream) entry.kind = PENDING_DATAGRAM;
        if (entry.kind != PENDING_TLS && entry.kind != PENDING_DATAGRAM) entry.kind = PENDING_STRANGER;
    } else if (!stream || inspect_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1) {
        return false;
    }
    if (fd >= 0 && fd <= LAST_STANDARD && inspect_violates_by(&entry, "stream", caller)) return true;
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
    if (pending_find(cookie, &known)) return inspect_still_pending(fd, &known) && inspect_violates_by(&known, "stream", caller);
    if (!is_internet_stream(fd) || sys_call(SYS_getpeername, fd, &peer, &size) == 0 || inspect_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1)
        return false;
    return !pending_put(cookie, &entry) && inspect_violates_by(&entry, "too_many", caller);
}

bool inspect_refuses_number(int from, int to, const void *caller)
{
    struct pending entry;
    if (!pending_any() || !pending_find(pending_cookie(from), &entry)) return false;
    if (from == to || (to > LAST_STANDARD && sys_call(SYS_fcntl, to, F_GETFD) < 0)) return false;
    return inspect_still_pending(from, &entry) && inspect_violates_by(&entry, "stream", caller);
}

bool inspect_watches(int fd)
{
    struct pending entry;
    return pending_any() && pending_find(pending_cookie(fd), &entry);
}

bool inspect_refuses_crossing(int from, int to, bool *claimed, const void *caller)
{
    struct pending entry;
    *claimed = false;
    if (from == to || !pending_any() || !pending_find(pending_cookie(from), &entry)) return false;
    *claimed = crossing_claims_number(to);
    return !*claimed && inspect_violates_by(&entry, "at_once", caller);
}

int inspect_copies(int fd, int least, int flags, const void *caller)
{
    bool claimed;
    /* The number is taken by what nothing can be written to: whom it is at the place of is then known before it is there. */
    long place = least < 0 ? -EINVAL : sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (place >= 0 && place < least) {
        long higher = sys_call(SYS_fcntl, place, F_DUPFD_CLOEXEC, least);
        sys_close((int)place);
        place = higher;
    }
    if (place >= 0 && inspect_refuses_crossing(fd, (int)place, &claimed, caller)) {
        sys_close((int)place);
        place = -EACCES;
    }
    if (place < 0) return (int)SYS_RESULT(place);
    pending_move_begins();
    long copy = sys_call(SYS_dup3, fd, place, flags);
    pending_move_ends();
    if (claimed) crossing_releases();
    if (copy < 0) sys_close((int)place);
    return (int)SYS_RESULT(copy);
}

bool inspect_refuses_copy(int copy, const void *caller)
{
    struct pending entry;
    if (copy < 0 || copy > LAST_STANDARD || !pending_find(pending_cookie(copy), &entry)) return false;
    return inspect_still_pending(copy, &entry) && inspect_violates_by(&entry, "stream", caller);
}

/* What is written to it goes nowhere. */
static void put_away(int fd)
{
    int nowhere = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
    if (nowhere < 0 || sys_call(SYS_dup3, nowhere, fd, 0) < 0) sys_close(fd);
    if (nowhere >= 0) sys_close(nowhere);
}

/* What must be remembered of a socket that this process did not make, or shares from now on. False: nothing. `*connected`: it
 * leads somewhere by now. */
static bool to_remember(int fd, bool datagram, bool standard, bool forked, struct pending *entry, bool *connected)
{
    struct pending now;
    struct address address;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    *entry = (struct pending){.kind = datagram ? PENDING_DATAGRAM : PENDING_STRANGER, .rules = {UINT32_MAX, UINT32_MAX}};
    *connected = inspect_leads_to(fd, &address);
    if (!*connected) return true;
    judging_describe(&address, &now);
    bool proxy = proxies_is(&address), spoken = !datagram && has_spoken(fd);
    /* One that is still being made may fail, and be made to elsewhere. */
    if (now.kind == PENDING_PLAIN && !proxy) return !datagram && sys_call(SYS_getpeername, fd, &peer, &size) != 0;
    if (datagram && !standard && address.port == RESOLVERS_PORT && resolvers_has(address.ip, address.version))
        return false; /* dns_socket.c */
    /* What has spoken was judged: here, to its end; or by whoever started this program, but for a second greeting. */
    if (spoken && forked) return false;
    if (now.kind == PENDING_TLS && !proxy) *entry = now;
    if (spoken && address.port != 80 && !proxy) entry->kind = PENDING_TLS_AGAIN;
    if (datagram) entry->kind = PENDING_DATAGRAM;
    memcpy(entry->ip, now.ip, sizeof entry->ip);
    entry->version = now.version;
    entry->port = now.port;
    return true;
}

/* Quiet, and left open where it may not be used: the program did not ask for it. Only where it would be written to unseen, or
 * cannot be remembered, it is taken away: by `number`, where it is, while `fd` is the same socket by a number of our own. */
static void adopt_socket(int fd, int number, bool forked)
{
    enum { TRIES = 4 };
    struct pending entry;
    bool datagram = inspect_is_datagram(fd), standard = number == STDOUT_FILENO || number == STDERR_FILENO;
    if (!datagram && (!is_internet_stream(fd) || inspect_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1)) return;
    uint64_t cookie = pending_cookie(fd);
    if (forked && pending_find(cookie, &entry)) return;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        bool connected;
        uint32_t serial;
        struct address address;
        if (!to_remember(fd, datagram, standard, forked, &entry, &connected)) return;
        if (standard && inspect_violates_by(&entry, "stream", NULL)) {
            put_away(number);
            return;
        }
        if (!pending_put_new(cookie, &entry, &serial)) {
            if (network_blocks()) sys_close(number);
            return;
        }
        /* Another thread has connected it meanwhile, and may have said all that is looked at before it was in the table. Who
         * keeps doing that is waited for no longer, and stays in it. */
        if (connected || serial == 0 || tries + 1 == TRIES || !inspect_leads_to(fd, &address)) return;
        pending_take_back(cookie, serial);
    }
}

static void adopt(int number, bool forked)
{
    int domain = inspect_option(number, SOL_SOCKET, SO_DOMAIN);
    if (domain != AF_INET && domain != AF_INET6) return;
    /* Other threads close and connect meanwhile: what is looked at is what is remembered, whatever becomes of the number. */
    int own = sys_own_number(number);
    adopt_socket(own < 0 ? number : own, number, forked);
    if (own >= 0) sys_close(own);
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

atomic_bool inspect_shared;
atomic_uint inspect_sharing;

void inspect_start(void)
{
    atomic_store(&inspect_shared, true);
    adopt_all(adopt_inherited);
}

void inspect_shares(void)
{
    atomic_store(&inspect_shared, true);
    adopt_all(adopt_forked);
}

void inspect_sharing_begins(void)
{
    atomic_fetch_add(&inspect_sharing, 1);
    inspect_shares();
}

void inspect_sharing_ends(void) { atomic_fetch_sub(&inspect_sharing, 1); }

void inspect_made(int fd)
{
    if (!guard_ignores(FS_OUTBOUND)) adopt(fd, true);
}

void inspect_dissolves(int fd)
{
    struct pending entry = {.kind = PENDING_STRANGER, .rules = {UINT32_MAX, UINT32_MAX}};
    uint32_t serial;
    if (!atomic_load_explicit(&inspect_shared, memory_order_relaxed) || guard_ignores(FS_OUTBOUND) || !is_internet_stream(fd)) return;
    uint64_t cookie = pending_cookie(fd);
    pending_put_new(cookie, &entry, &serial);
    pending_passed(cookie);
}

bool inspect_refuses_datagram(int fd, const struct address *address, const void *caller)
{
    struct pending entry;
    if (!atomic_load_explicit(&inspect_shared, memory_order_relaxed) || pending_find(pending_cookie(fd), &entry)) return false;
    judging_describe(address, &entry);
    if (entry.kind != PENDING_TLS) return false;
    entry.kind = PENDING_DATAGRAM;
    if (!inspect_violates_by(&entry, "datagram", caller)) return false;
    errno = EACCES;
    return true;
}

void inspect_passes(int fd)
{
    if (guard_ignores(FS_OUTBOUND)) return;
    adopt(fd, true);
    if (pending_any()) pending_passed(pending_cookie(fd));
}
