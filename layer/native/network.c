/* The doors that packets leave by: sockets, connections, sends. */
#include "network.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "crossing.h"
#include "dns_socket.h"
#include "files.h"
#include "guard.h"
#include "inspect.h"
#include "resolvers.h"
#include "runtime_api.h"
#include "sys.h"

/* ---- judging ---- */

static const struct fs_verdict let_through = {.mode = FS_ALLOW, .policy_mode = FS_ALLOW, .reason = FS_ALWAYS, .rule = UINT32_MAX};

struct fs_verdict network_judge_kind(void)
{
    if (guard_ignores(FS_OUTBOUND)) return let_through;
    struct fs_request request = {.family = FS_OUTBOUND, .facts = &guard.facts};
    struct fs_verdict verdict = guard_decide(&request);
    if (verdict.mode != FS_ALLOW && verdict.reason != FS_RECONFIGURED) verdict.reason = FS_FAMILY;
    return verdict;
}

bool network_blocks(void)
{
    struct fs_request request = {.family = FS_OUTBOUND, .facts = &guard.facts};
    return !guard_ignores(FS_OUTBOUND) && guard_decide(&request).mode == FS_BLOCK;
}

bool network_is_own_name(const char *name)
{
    static const char *const own[] = {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(name, own[i]) == 0) return true;
    }
    return (guard.host_name[0] != '\0' && strcasecmp(name, guard.host_name) == 0) || runtime_api_is_host(name);
}

/* On probation a forked child has the network as little as it has processes. */
static struct fs_verdict on_probation(void)
{
    struct fs_verdict verdict = {.mode = FS_BLOCK, .policy_mode = FS_BLOCK, .reason = FS_GUARD, .rule = UINT32_MAX};
    return verdict;
}

static void judge_runtime_api(struct network_target *target, const struct fs_request *request)
{
    target->family = FS_RUNTIME_API;
    target->verdict = let_through;
    if (target->asker != RUNTIME_STRANGER || guard_ignores(FS_RUNTIME_API)) return;
    struct fs_request asked = *request;
    asked.family = FS_RUNTIME_API;
    target->verdict = guard_decide(&asked);
}

/* `caller` NULL: the interpreter asks, and the Runtime API's client is known by runtime_client_asked alone.
 * `connecting`: a connection that may carry little can be made; a datagram cannot be judged by its bytes. */
static void judge_ip(struct network_target *target, const void *caller, bool connecting)
{
    const struct address *address = &target->address;
    target->family = FS_OUTBOUND;
    target->verdict = let_through;
    target->announced = false;
    target->host[0] = '\0';
    target->asker = RUNTIME_STRANGER;
    if (UNLIKELY(guard_on_probation())) {
        target->verdict = on_probation();
        return;
    }
    bool api = runtime_api_is(address->ip, address->version, address->port, NULL);
    target->resolver = false;
    if (!api) {
        if (UNLIKELY(address->port == RESOLVERS_PORT) && guard_thread.resolving == 0 && !guard_ignores(FS_OUTBOUND) &&
            resolvers_has(address->ip, address->version)) {
            /* Questions over UDP are judged one by one (dns_socket.c); nothing else goes there, by whatever rule. */
            target->resolver = true;
            target->verdict = network_judge_kind();
            if (target->verdict.reason == FS_FAMILY) target->verdict.reason = FS_NO_RULE;
            return;
        }
        if (!guard.loopback_listed && address_is_localhost(address->ip, address->version)) return;
        if (guard_thread.resolving > 0 && address->port == 53) return;
        if (address->port == guard.xray_port && guard.xray_ip_version != 0 &&
            address_equal(address->ip, address->version, guard.xray_ip, guard.xray_ip_version))
            return;
        if (guard_ignores(FS_OUTBOUND)) return;
    }
    struct learnt_names names;
    learnt_find(address->ip, address->version, &names);
    struct fs_request request = {
        .family = FS_OUTBOUND,
        .names = names.names,
        .name_count = names.count,
        .ip_version = address->version,
        .facts = &guard.facts,
        .port = address->port,
    };
    memcpy(request.ip, address->ip, sizeof request.ip);
    if (api) {
        target->asker = caller != NULL          ? (uint8_t)runtime_api_asker(caller)
                        : runtime_client_asked ? (uint8_t)RUNTIME_CLIENT
                                               : (uint8_t)RUNTIME_STRANGER;
        if (target->asker == RUNTIME_NARROW && (!connecting || guard_ignores(FS_RUNTIME_API))) target->asker = RUNTIME_STRANGER;
        judge_runtime_api(target, &request);
        return;
    }
    target->verdict = guard_decide(&request);
    if (target->verdict.mode == FS_ALLOW && target->verdict.reason != FS_RULE) return;
    target->announced = target->verdict.mode == FS_ALERT &&
                        (address->port == 0 ? names.announced : learnt_is_announced(&names, address->port, guard_thread.note_asker));
    if (names.count > 0) {
        unsigned which = target->verdict.name < names.count ? target->verdict.name : 0;
        memcpy(target->host, names.names[which], strlen(names.names[which]) + 1);
    }
}

/* ---- reporting ---- */

static const char *protocol_of(int fd)
{
    int type = 0, protocol = 0;
    socklen_t size = sizeof type;
    if (fd < 0 || sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return NULL;
    size = sizeof protocol;
    if (sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0) protocol = 0;
    if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) return "icmp";
    return type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : "other";
}

static bool is_told(const struct fs_verdict *verdict)
{
    return verdict->mode != FS_ALLOW ||
           (verdict->reason == FS_RULE && guard.policy->flags & FS_FLAG_EVENTS_ALLOWED_FIRST);
}

static void report(const struct network_target *target, int fd, const char *verb, const void *caller)
{
    if (LIKELY(!is_told(&target->verdict))) return;
    const struct address *address = &target->address;
    char ip[ADDRESS_TEXT_MAX], object[ADDRESS_OBJECT_MAX];
    address_text(address->ip, address->version, ip);
    network_object(ip, address->port, object);
    if (guard_noted(target->family, object)) return;
    if (target->announced && learnt_take_announced(address->ip, address->version, address->port, guard_thread.note_asker)) return;
    struct guard_act act = {
        .ring = RING_LIBC,
        .family = target->family,
        .verb = verb,
        .host = target->host[0] != '\0' ? target->host : NULL,
        .ip = ip,
        .port = address->port,
        .protocol = protocol_of(fd),
        .caller = caller,
    };
    guard_report(&act, &target->verdict, NULL, 0);
}

bool network_refuses_kind(const char *verb, const char *kind, const void *caller)
{
    struct fs_verdict verdict = network_judge_kind();
    if (UNLIKELY(guard_on_probation())) verdict = on_probation();
    if (verdict.mode == FS_ALLOW) return false;
    if (!guard_noted(FS_OUTBOUND, kind)) {
        struct guard_act act = {.ring = RING_LIBC, .family = FS_OUTBOUND, .verb = verb, .protocol = kind, .caller = caller};
        guard_report(&act, &verdict, NULL, 0);
    }
    return verdict.mode == FS_BLOCK;
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
    judge_ip(&target, NULL, false);
    /* No port is asked for: one that is allowed will do. */
    if (target.verdict.reason == FS_PORT) return false;
    /* Nobody connects: the announcement stays for who does. */
    if (target.announced) return false;
    report(&target, -1, "look up", caller);
    return target.verdict.mode == FS_BLOCK;
}

/* ---- for the interpreter ring ---- */

struct fs_verdict network_judge_target(const void *bytes, size_t size, char *host, char *ip, uint16_t *port,
                                       enum fs_family *family, bool *announced)
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
    if (target.address.kind != ADDRESS_IP) return let_through;
    judge_ip(&target, NULL, true);
    /* The door answers: it knows the protocol, and reads the question. */
    if (target.resolver) target.verdict = let_through;
    memcpy(host, target.host, strlen(target.host) + 1);
    address_text(target.address.ip, target.address.version, ip);
    *port = target.address.port;
    *family = target.family;
    *announced = target.announced;
    return target.announced ? let_through : target.verdict;
}

struct fs_verdict network_judge_address(const void *bytes, size_t size, char *host, char *ip, uint16_t *port)
{
    enum fs_family family;
    bool announced;
    struct fs_verdict verdict = network_judge_target(bytes, size, host, ip, port, &family, &announced);
    /* The door answers for the Runtime API: it knows the caller. */
    return family == FS_RUNTIME_API ? let_through : verdict;
}

/* ---- doors ---- */

static const char *kind_of(int domain, int type, int protocol)
{
    switch (domain) {
    case AF_UNIX: return NULL;
    case AF_NETLINK: return protocol == 0 /* NETLINK_ROUTE */ ? NULL : "AF_NETLINK";
    case AF_INET:
    case AF_INET6: break;
    case AF_PACKET: return "AF_PACKET";
    case AF_VSOCK: return "AF_VSOCK";
    case AF_ALG: return "AF_ALG";
    case AF_BLUETOOTH: return "AF_BLUETOOTH";
    case AF_CAN: return "AF_CAN";
    case AF_TIPC: return "AF_TIPC";
    case 43: return "AF_SMC";
    case 44: return "AF_XDP";
    default: return "another family";
    }
    switch (type & 0xf) {
    case SOCK_STREAM:
        /* SCTP connects and sends by socket options and control messages that no door here reads. */
        return protocol == 0 || protocol == IPPROTO_TCP || protocol == 262 /* IPPROTO_MPTCP */ ? NULL : "another protocol";
    case SOCK_DGRAM:
        return protocol == 0 || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE || protocol == IPPROTO_ICMP ||
                       protocol == IPPROTO_ICMPV6
                   ? NULL
                   : "another protocol";
    case SOCK_RAW: return "raw";
    case SOCK_PACKET: return "AF_PACKET";
    default: return "another protocol";
    }
}

DOOR int socket(int domain, int type, int protocol)
{
    if (!guard_ready()) return real.socket(domain, type, protocol);
    const char *kind = kind_of(domain, type, protocol);
    if (UNLIKELY(kind != NULL) && network_refuses_kind("open a socket", kind, CALLER())) {
        errno = EACCES;
        return -1;
    }
    int fd = real.socket(domain, type, protocol);
    if (UNLIKELY((type & 0xf) == SOCK_DGRAM) && guard_thread.resolving == 0 && (domain == AF_INET || domain == AF_INET6)) dns_mark(fd);
    if (UNLIKELY(atomic_load(&inspect_sharing) > 0) && fd >= 0) inspect_made(fd);
    return fd;
}

/* A socket's file, under the rules for files. True where it may not be used. */
static bool refuses_path(const struct address *address, int flags, const char *verb, const void *caller)
{
    if (address->path[0] == '\0' || guard_ignores(FS_TMP)) return false;
    char resolved[PATH_MAX];
    enum fs_family family = FS_TMP;
    struct fs_verdict verdict = files_judge_path(AT_FDCWD, address->path, flags, resolved, &family);
    if (verdict.mode == FS_ALLOW || guard_noted(family, resolved)) return verdict.mode == FS_BLOCK;
    struct guard_act act = {.ring = RING_LIBC, .family = family, .verb = verb, .path = resolved, .caller = caller};
    guard_report(&act, &verdict, NULL, 0);
    return verdict.mode == FS_BLOCK;
}

/* True where nothing may be sent to these bytes. The reports are made. `*number` is `fd`, or where what is sent or connected will
 * be looked at one of our own for the same socket: whatever becomes of the program's, what was remembered is what is used. */
static bool refuses(int fd, int *number, const void *bytes, size_t size, bool connecting, int flags, const char *verb, const void *caller)
{
    struct network_target target;
    *number = fd;
    address_read(bytes, size, !connecting, &target.address);
    switch (target.address.kind) {
    case ADDRESS_IP: break;
    case ADDRESS_UNIX: return refuses_path(&target.address, O_RDWR, verb, caller);
    case ADDRESS_FOREIGN: return network_refuses_kind(verb, "another family", caller);
    default:
        if (connecting && UNLIKELY(atomic_load_explicit(&inspect_shared, memory_order_relaxed))) inspect_dissolves(fd);
        return false;
    }
    judge_ip(&target, caller, connecting);
    if (UNLIKELY(target.address.port == 0) && connecting && target.verdict.reason == FS_PORT && dns_probes(fd)) return false;
    if (UNLIKELY(target.family == FS_RUNTIME_API) && target.asker != RUNTIME_STRANGER &&
        !runtime_api_connects(fd, (enum runtime_asker)target.asker, caller)) {
        target.asker = RUNTIME_STRANGER;
        struct fs_request request = {.family = FS_RUNTIME_API, .port = target.address.port, .facts = &guard.facts};
        judge_runtime_api(&target, &request);
    }
    report(&target, fd, verb, caller);
    if (target.verdict.mode == FS_BLOCK) return true;
    if (target.family != FS_OUTBOUND || target.verdict.mode != FS_ALLOW) return false;
    bool by_rule = target.verdict.reason == FS_RULE, connects = connecting || flags & MSG_FASTOPEN;
    if (UNLIKELY(connects && inspect_may_watch(&target.address, by_rule))) *number = sys_own_number(fd);
    return *number >= 0 && inspect_connects(*number, &target.address, by_rule, connects, caller);
}

/* After refuses(): the call's result, and its number given back. */
static ssize_t finish(int number, int fd, ssize_t result)
{
    int error = errno;
    if (number >= 0 && number != fd) sys_close(number);
    errno = error;
    return result;
}

static ssize_t refused(int number, int fd)
{
    errno = EACCES;
    return finish(number, fd, -1);
}

/* No number is to be had: said as by the calls that make one. */
static int without_number(int error)
{
    errno = -error;
    return -1;
}

/* As the kernel: the descriptor comes first. */
static int unreadable(int fd)
{
    int type;
    socklen_t size = sizeof type;
    long error = sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size);
    errno = error < 0 ? (int)-error : EFAULT;
    return -1;
}

DOOR int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    if (!guard_ready()) return real.connect(fd, address, size);
    char copy[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    /* The kernel refuses what is longer, and reads nothing through NULL. */
    if (address == NULL || size > sizeof copy) return real.connect(fd, address, size);
    if (UNLIKELY(!sys_readable(address, size))) return unreadable(fd);
    memcpy(copy, address, size);
    int result;
    if (UNLIKELY(dns_is_resolver(copy, size, false)) && dns_connects(fd, copy, size, CALLER(), &result)) return result;
    int number;
    if (refuses(fd, &number, copy, size, true, 0, "connect", CALLER())) return (int)refused(number, fd);
    if (UNLIKELY(number < 0)) return fd < 0 ? real.connect(fd, (const struct sockaddr *)(const void *)copy, size) : without_number(number);
    return (int)finish(number, fd, real.connect(number, (const struct sockaddr *)(const void *)copy, size));
}

DOOR int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    if (!guard_ready() || address == NULL || size > ADDRESS_SIZE_MAX || (guard_ignores(FS_TMP) && guard_ignores(FS_OUTBOUND)))
        return real.bind(fd, address, size);
    char copy[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    struct address read;
    if (UNLIKELY(!sys_readable(address, size))) return unreadable(fd);
    memcpy(copy, address, size);
    if (dns_refuses_bind(copy, size, CALLER())) {
        errno = EACCES;
        return -1;
    }
    address_read(copy, size, false, &read);
    if (read.kind == ADDRESS_UNIX && refuses_path(&read, O_RDWR | O_CREAT, "create a socket", CALLER())) {
        errno = EACCES;
        return -1;
    }
    return real.bind(fd, (const struct sockaddr *)(const void *)copy, size);
}

static inline ssize_t send_judged(int fd, const void *bytes, size_t size, int flags, const void *caller)
{
    if (guard_ready() && UNLIKELY(runtime_api_watches(fd))) {
        struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
        ssize_t result;
        if (runtime_api_sends(fd, &vector, 1, flags, caller, &result)) return result;
    }
    if (UNLIKELY(pending_any()) && guard_ready()) {
        ssize_t result;
        if (inspect_writes(fd, bytes, size, flags, caller, &result)) return result;
    }
    if (UNLIKELY(dns_watches(fd)) && guard_ready()) {
        struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
        ssize_t result;
        if (dns_sends(fd, &message, flags, caller, &result)) return result;
    }
    return real.send(fd, bytes, size, flags);
}

DOOR ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    return CROSSING(fd, send_judged(fd, bytes, size, flags, CALLER()));
}

static inline ssize_t sendto_judged(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address, socklen_t length, const void *caller)
{
    if (!guard_ready()) return real.sendto(fd, bytes, size, flags, address, length);
    if (UNLIKELY(runtime_api_watches(fd))) {
        struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
        ssize_t result;
        if (runtime_api_sends(fd, &vector, 1, flags, caller, &result)) return result;
    }
    char copy[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t result;
    if (address == NULL || length == 0 || length > sizeof copy) {
        if (UNLIKELY(pending_any()) && inspect_sends(fd, &message, flags, caller, &result)) return result;
        if (UNLIKELY(dns_watches(fd)) && length <= sizeof copy && dns_sends(fd, &message, flags, caller, &result)) return result;
        return real.sendto(fd, bytes, size, flags, address, length);
    }
    if (UNLIKELY(!sys_readable(address, length))) return unreadable(fd);
    memcpy(copy, address, length);
    message.msg_name = copy;
    message.msg_namelen = length;
    if (UNLIKELY(dns_is_resolver(copy, length, true)) && dns_sends(fd, &message, flags, caller, &result)) return result;
    int number;
    if (refuses(fd, &number, copy, length, false, flags, "send", caller)) return refused(number, fd);
    if (UNLIKELY(number < 0 && fd >= 0)) return without_number(number);
    if (UNLIKELY(pending_any()) && inspect_sends(number, &message, flags, caller, &result)) return finish(number, fd, result);
    return finish(number, fd, real.sendto(number, bytes, size, flags, (const struct sockaddr *)(const void *)copy, length));
}

DOOR ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address, socklen_t length)
{
    return CROSSING(fd, sendto_judged(fd, bytes, size, flags, address, length, CALLER()));
}

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

#define CONTROL_MAX 1280 /* SCM_RIGHTS of as many descriptors as the kernel takes, and some */
#define CONTROL_LARGE ((size_t)1 << 24)
#define PAGE ((size_t)4096)

#ifndef IPV6_2292RTHDR
#define IPV6_2292RTHDR 5
#endif
#ifndef IPV6_2292PKTOPTIONS
#define IPV6_2292PKTOPTIONS 6
#endif

/* Options that send a packet by way of an address that no door judged. */
static bool routes(int level, int name)
{
    return (level == IPPROTO_IP && (name == IP_OPTIONS || name == IP_RETOPTS)) ||
           (level == IPPROTO_IPV6 && (name == IPV6_RTHDR || name == IPV6_2292RTHDR || name == IPV6_2292PKTOPTIONS));
}

/* Source routes, and the Runtime API's connection given away. `control` is a copy. */
static bool refuses_control(const char *control, size_t size, const void *caller)
{
    struct cmsghdr header;
    for (size_t at = 0; size - at >= sizeof header;) {
        memcpy(&header, control + at, sizeof header);
        if (header.cmsg_len < sizeof header || header.cmsg_len > size - at) return false;
        if (routes(header.cmsg_level, header.cmsg_type) && network_refuses_kind("send", "source route", caller)) return true;
        if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_RIGHTS) {
            for (size_t from = CMSG_LEN(0); from + sizeof(int) <= header.cmsg_len; from += sizeof(int)) {
                int passed;
                memcpy(&passed, control + at + from, sizeof passed);
                if (runtime_api_refuses_copy(passed, caller) || inspect_refuses_passing(passed, caller)) return true;
                inspect_passes(passed);
            }
        }
        size_t step = CMSG_ALIGN(header.cmsg_len);
        if (step > size - at) return false;
        at += step;
    }
    return false;
}

static ssize_t send_copy(int fd, const struct msghdr *copy, int flags, const void *caller)
{
    ssize_t result;
    if (UNLIKELY(runtime_api_watches(fd)) && runtime_api_sends(fd, copy->msg_iov, copy->msg_iovlen, flags, caller, &result))
        return result;
    bool named = copy->msg_name != NULL && copy->msg_namelen > 0;
    if (UNLIKELY(pending_any()) && inspect_sends(fd, copy, flags, caller, &result)) return result;
    if (UNLIKELY(dns_watches(fd)) && !named && dns_sends(fd, copy, flags, caller, &result)) return result;
    return real.sendmsg(fd, copy, flags);
}

/* With its control messages in `control`, which has room for them. */
static ssize_t send_controlled(int fd, struct msghdr *copy, char *control, int flags, const void *caller)
{
    const char *given = copy->msg_control;
    size_t size = copy->msg_controllen;
    for (size_t at = 0; at < size; at += PAGE)
        if (UNLIKELY(!sys_readable(given + at, size - at < PAGE ? size - at : PAGE))) return unreadable(fd);
    memcpy(control, given, size);
    copy->msg_control = control;
    if (refuses_control(control, size, caller)) {
        errno = EACCES;
        return -1;
    }
    return send_copy(fd, copy, flags, caller);
}

static ssize_t send_message(int fd, const struct msghdr *message, int flags, const void *caller)
{
    int number = fd;
    struct msghdr copy = *message;
    char name[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    char control[CONTROL_MAX] __attribute__((aligned(8)));
    if (copy.msg_name != NULL && copy.msg_namelen > 0 && copy.msg_namelen <= INT_MAX) {
        /* The kernel cuts a longer name. */
        if (copy.msg_namelen > sizeof name) copy.msg_namelen = sizeof name;
        if (UNLIKELY(!sys_readable(copy.msg_name, copy.msg_namelen))) return unreadable(fd);
        memcpy(name, copy.msg_name, copy.msg_namelen);
        copy.msg_name = name;
        ssize_t result;
        if (UNLIKELY(dns_is_resolver(name, copy.msg_namelen, true)) && dns_sends(fd, &copy, flags, caller, &result)) return result;
        if (refuses(fd, &number, name, copy.msg_namelen, false, flags, "send", caller)) return refused(number, fd);
        if (UNLIKELY(number < 0 && fd >= 0)) return without_number(number);
    }
    if (copy.msg_control == NULL || copy.msg_controllen == 0) return finish(number, fd, send_copy(number, &copy, flags, caller));
    if (LIKELY(copy.msg_controllen <= sizeof control)) return finish(number, fd, send_controlled(number, &copy, control, flags, caller));
    /* What the kernel does not look at can lie before what it does: it takes as much as net.core.optmem_max says. */
    char *large = copy.msg_controllen <= CONTROL_LARGE ? sys_scratch(copy.msg_controllen) : NULL;
    if (large == NULL) {
        errno = ENOBUFS;
        return finish(number, fd, -1);
    }
    size_t size = copy.msg_controllen;
    ssize_t result = send_controlled(number, &copy, large, flags, caller);
    int error = errno;
    sys_scratch_free(large, size);
    errno = error;
    return finish(number, fd, result);
}

static inline ssize_t sendmsg_judged(int fd, const struct msghdr *message, int flags, const void *caller)
{
    if (!guard_ready() || message == NULL) return real.sendmsg(fd, message, flags);
    if (UNLIKELY(!sys_readable(message, sizeof *message))) return unreadable(fd);
    return send_message(fd, message, flags, caller);
}

DOOR ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return CROSSING(fd, sendmsg_judged(fd, message, flags, CALLER()));
}

static inline int sendmmsg_judged(int fd, struct mmsghdr *messages, unsigned count, int flags, const void *caller)
{
    if (!guard_ready() || messages == NULL) return real.sendmmsg(fd, messages, count, flags);
    if (guard_ignores(FS_OUTBOUND) && guard_ignores(FS_RUNTIME_API) && guard_ignores(FS_TMP) && !runtime_api_watches(fd))
        return real.sendmmsg(fd, messages, count, flags);
    if (count > IOV_MAX) count = IOV_MAX; /* as the kernel does */
    for (unsigned i = 0; i < count; i++) {
        ssize_t sent = send_message(fd, &messages[i].msg_hdr, flags, caller);
        if (sent < 0) return i > 0 ? (int)i : -1;
        messages[i].msg_len = (unsigned)sent;
    }
    return (int)count;
}

DOOR int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    return CROSSING(fd, sendmmsg_judged(fd, messages, count, flags, CALLER()));
}

static inline ssize_t write_judged(int fd, const void *bytes, size_t size, const void *caller)
{
    if (guard_ready() && UNLIKELY(runtime_api_watches(fd))) {
        struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
        ssize_t result;
        if (runtime_api_sends(fd, &vector, 1, 0, caller, &result)) return result;
    }
    if (UNLIKELY(pending_any()) && guard_ready()) {
        ssize_t result;
        if (inspect_writes(fd, bytes, size, 0, caller, &result)) return result;
    }
    if (UNLIKELY(dns_watches(fd)) && guard_ready()) {
        struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
        ssize_t result;
        if (dns_sends(fd, &message, 0, caller, &result)) return result;
    }
    ssize_t written = real.write(fd, bytes, size);
    if (UNLIKELY(fd == 1 || fd == 2) && written > 0) guard_wrote(fd, bytes, (size_t)written);
    return written;
}

DOOR ssize_t write(int fd, const void *bytes, size_t size)
{
    return CROSSING(fd, write_judged(fd, bytes, size, CALLER()));
}

static inline ssize_t writev_judged(int fd, const struct iovec *vector, int count, const void *caller)
{
    if (guard_ready() && UNLIKELY(runtime_api_watches(fd)) && vector != NULL && count > 0) {
        ssize_t result;
        if (runtime_api_sends(fd, vector, (size_t)count, 0, caller, &result)) return result;
    }
    if (UNLIKELY(pending_any()) && guard_ready() && vector != NULL && count > 0) {
        struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector, .msg_iovlen = (size_t)count};
        ssize_t result;
        if (inspect_sends(fd, &message, 0, caller, &result)) return result;
    }
    if (UNLIKELY(dns_watches(fd)) && guard_ready() && vector != NULL && count > 0) {
        struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector, .msg_iovlen = (size_t)count};
        ssize_t result;
        if (dns_sends(fd, &message, 0, caller, &result)) return result;
    }
    return real.writev(fd, vector, count);
}

DOOR ssize_t writev(int fd, const struct iovec *vector, int count)
{
    return CROSSING(fd, writev_judged(fd, vector, count, CALLER()));
}

static ssize_t missing(void)
{
    errno = ENOSYS;
    return -1;
}

/* At the Runtime API's connection these send what no door can judge. */
static inline ssize_t pwritev2_judged(int fd, const struct iovec *vector, int count, off_t offset, int flags, const void *caller)
{
    ssize_t result;
    if (guard_ready() && UNLIKELY(runtime_api_watches(fd)) && runtime_api_sends_unseen(fd, caller, &result)) return result;
    if (UNLIKELY(dns_watches(fd)) && guard_ready() && dns_sends_unseen(fd, caller, &result)) return result;
    if (UNLIKELY(pending_any()) && guard_ready() && inspect_refuses_unseen(fd, caller)) return -1;
    return real.pwritev2 != NULL ? real.pwritev2(fd, vector, count, offset, flags) : missing();
}

DOOR ssize_t pwritev2(int fd, const struct iovec *vector, int count, off_t offset, int flags)
{
    return CROSSING(fd, pwritev2_judged(fd, vector, count, offset, flags, CALLER()));
}

static inline ssize_t sendfile_judged(int out, int in, off_t *offset, size_t count, const void *caller)
{
    ssize_t result;
    if (guard_ready() && UNLIKELY(runtime_api_watches(out)) && runtime_api_sends_unseen(out, caller, &result)) return result;
    if (UNLIKELY(dns_watches(out)) && guard_ready() && dns_sends_unseen(out, caller, &result)) return result;
    if (UNLIKELY(pending_any()) && guard_ready() && inspect_refuses_unseen(out, caller)) return -1;
    return real.sendfile(out, in, offset, count);
}

DOOR ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    return CROSSING(out, sendfile_judged(out, in, offset, count, CALLER()));
}

static inline ssize_t splice_judged(int in, off_t *in_offset, int out, off_t *out_offset, size_t size, unsigned flags, const void *caller)
{
    ssize_t result;
    if (guard_ready() && UNLIKELY(runtime_api_watches(out)) && runtime_api_sends_unseen(out, caller, &result)) return result;
    if (UNLIKELY(dns_watches(out)) && guard_ready() && dns_sends_unseen(out, caller, &result)) return result;
    if (UNLIKELY(pending_any()) && guard_ready() && inspect_refuses_unseen(out, caller)) return -1;
    return real.splice(in, in_offset, out, out_offset, size, flags);
}

DOOR ssize_t splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t size, unsigned flags)
{
    return CROSSING(out, splice_judged(in, in_offset, out, out_offset, size, flags, CALLER()));
}

static int copied(int fd, const void *caller)
{
    if (UNLIKELY(pending_any()) && guard_ready() && inspect_watches(fd)) return inspect_copies(fd, 0, 0, caller);
    pending_move_begins();
    int copy = real.dup(fd);
    pending_move_ends();
    return copy;
}

DOOR int dup(int fd)
{
    if (guard_ready() && (runtime_api_refuses_copy(fd, CALLER()) || dns_refuses_copy(fd, CALLER()))) {
        errno = EACCES;
        return -1;
    }
    int copy = CROSSING(fd, copied(fd, CALLER()));
    if (UNLIKELY(dns_watches(fd))) dns_mark(copy);
    if ((guard_ready() && files_refuse_copy(copy, CALLER())) ||
        (UNLIKELY(pending_any()) && guard_ready() && inspect_refuses_copy(copy, CALLER()))) {
        sys_close(copy);
        errno = EACCES;
        return -1;
    }
    return copy;
}

DOOR int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    if (guard_ready() && size > 0 && UNLIKELY(routes(level, name)) && network_refuses_kind("set an option", "source route", CALLER())) {
        errno = EACCES;
        return -1;
    }
    if (guard_ready() && dns_refuses_option(level, name, CALLER())) {
        errno = EACCES;
        return -1;
    }
    /* The kernel would send something else than what is written (kernel TLS): by keys of one's own, anything. */
    if (UNLIKELY(level == IPPROTO_TCP && name == TCP_ULP) && pending_any() && guard_ready() && inspect_refuses_unseen(fd, CALLER())) return -1;
    return real.setsockopt(fd, level, name, value, size);
}

#include "aliases_network.gen.h"
