/* Doors that make, connect, bind and duplicate sockets. */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "network/first_bytes/fd_use.h"
#include "network/destination.h"
#include "network/dns/dns_socket.h"
#include "files/files.h"
#include "guard/guard.h"
#include "events/events.h"
#include "network/first_bytes/inspect.h"
#include "network/names/names.h"
#include "network/names/lookup_fds.h"
#include "network/network.h"
#include "network/runtime_api/runtime_api.h"
#include "events/sink.h"
#include "support/sys.h"

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
        /* SCTP connects and sends by socket options and control messages that no door here reads,
         * MPTCP makes connections of its own to addresses that the other side names. */
        if (protocol == 262 /* IPPROTO_MPTCP */) return "MPTCP";
        return protocol == 0 || protocol == IPPROTO_TCP ? NULL : "another protocol";
    case SOCK_DGRAM:
        if (protocol == IPPROTO_UDPLITE) return "UDP-Lite";
        return protocol == 0 || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP ||
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
    if (UNLIKELY(kind != NULL) && network_refuses_kind("open a socket", kind, CALLER())) return -1;
    unsigned begun = inspect_making_begins();
    int fd = real.socket(domain, type, protocol);
    if (UNLIKELY((type & 0xf) == SOCK_DGRAM) && !guard_resolving_for(CALLER()) &&
        (domain == AF_INET || domain == AF_INET6))
        dns_mark(fd);
    return inspect_making_ends(begun, fd);
}

/* The kernel refuses a size larger than any address, and reads nothing through NULL. */
static int judged_connect(int fd, const struct socket_address *address, const void *caller)
{
    const void *copy = address->bytes;
    socklen_t size = address->size;
    struct address to;
    int result;
    if (guard_has_lookups() && lookup_fds_refuses(fd, "connect", caller))
        return (int)destination_refused(fd, fd);
    if (UNLIKELY(S_ISSOCK(guard.event_mode)) && sink_leads(fd) &&
        integrity_refused("reconnect", "what events go to", caller))
        return -1;
    address_read(copy, size, false, &to);
    destination_settles(copy, &to);
    if (UNLIKELY(network_asks_resolver(&to)) && dns_connects(fd, copy, size, caller, &result))
        return result;
    int own;
    if (destination_refuses(fd, &own, &to, true, 0, "connect", caller))
        return (int)destination_refused(own, fd);
    if (UNLIKELY(own < 0)) return fd < 0 ? real.connect(fd, copy, size) : (int)SYS_RESULT(own);
    struct destination_file file;
    if (!destination_holds(&to, &file, caller)) return (int)destination_finish(own, fd, -1);
    result = file.fd < 0 ? real.connect(own, copy, size)
                         : real.connect(own, (struct sockaddr *)&file.address, file.size);
    destination_release(&file);
    /* Another socket could have been there in between. */
    if (to.kind == ADDRESS_UNIX && guard_resolving() && names_refuse_local_resolver(true))
        return (int)destination_refused(own, fd);
    return (int)destination_finish(own, fd, result);
}

static int judged_bind(int fd, const struct socket_address *address, const void *caller)
{
    const void *copy = address->bytes;
    socklen_t size = address->size;
    struct address read;
    if (guard_ignores(FS_TMP) && guard_ignores(FS_OUTBOUND)) return real.bind(fd, copy, size);
    if (dns_refuses_bind(copy, size, caller)) return -1;
    const struct sockaddr_in6 *six = copy;
    /* A scope binds to its device too, by which even ::1 leaves the machine. */
    if (size >= sizeof *six && six->sin6_family == AF_INET6 && six->sin6_scope_id != 0 &&
        network_refuses_kind("bind", "device", caller))
        return -1;
    address_read(copy, size, false, &read);
    if (read.kind == ADDRESS_UNIX &&
        destination_refuses_path(&read, O_RDWR | O_CREAT, "create a socket", caller))
        return -1;
    return real.bind(fd, copy, size);
}

static int copied(int fd, const void *caller)
{
    if (guard_ready() && (runtime_api_refuses_copy(fd, caller) || dns_refuses_copy(fd, caller)))
        return errno = EACCES, -1;
    if (UNLIKELY(guard_has_pending()) && guard_ready() && inspect_watches(fd))
        return inspect_copies(fd, 0, 0, caller);
    unsigned begun = inspect_making_begins();
    pending_move_begins();
    int copy = real.dup(fd);
    pending_move_ends(copy);
    return inspect_making_ends(begun, copy);
}

DOOR int dup(int fd)
{
    int copy = USING_FD(fd, copied(fd, CALLER()));
    if (UNLIKELY(dns_watches(fd)) && copy >= 0) dns_mark_copy(fd, copy);
    if ((guard_ready() && files_refuse_copy(copy, CALLER())) ||
        (UNLIKELY(guard_has_pending()) && guard_ready() && inspect_refuses_copy(copy, CALLER()))) {
        sys_close(copy);
        errno = EACCES;
        return -1;
    }
    return copy;
}

#include "doors_sockets.gen.h"
