/* Doors of the options of sockets. */
#include "network/options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "network/dns/dns_socket.h"
#include "guard/guard.h"
#include "network/first_bytes/inspect.h"
#include "memory/requests.h"
#include "network/network.h"
#include "support/copied.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

#ifndef IPV6_2292RTHDR
#define IPV6_2292RTHDR 5
#endif
#ifndef IPV6_2292PKTOPTIONS
#define IPV6_2292PKTOPTIONS 6
#endif

#ifndef IPV6_2292PKTINFO
#define IPV6_2292PKTINFO 2
#endif
#ifndef IPV6_FLOWLABEL_MGR
#define IPV6_FLOWLABEL_MGR 32
#endif
#ifndef IPV6_UNICAST_IF
#define IPV6_UNICAST_IF 76
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

static bool is_route(int level, int name)
{
    return (level == IPPROTO_IP && (name == IP_OPTIONS || name == IP_RETOPTS)) ||
           (level == IPPROTO_IPV6 &&
            (name == IPV6_RTHDR || name == IPV6_2292RTHDR || name == IPV6_2292PKTOPTIONS ||
             name == IPV6_FLOWLABEL_MGR /* its options can hold one */));
}

static const char route[] = "source route", device[] = "device";

static const char *option_way(int level, int name)
{
    if ((level == SOL_SOCKET && (name == SO_BINDTODEVICE || name == SO_BINDTOIFINDEX)) ||
        (level == IPPROTO_IP && name == IP_UNICAST_IF) ||
        (level == IPPROTO_IPV6 && (name == IPV6_UNICAST_IF || name == IPV6_PKTINFO)))
        return device;
    return is_route(level, name) ? route : NULL;
}

const char *options_message_way(int level, int type, const char *data, size_t size)
{
    unsigned index = 0;
    bool six = level == IPPROTO_IPV6 && (type == IPV6_PKTINFO || type == IPV6_2292PKTINFO);
    size_t at = six ? sizeof(struct in6_addr) : 0;
    if ((six || (level == IPPROTO_IP && type == IP_PKTINFO)) && size >= at + sizeof index)
        memcpy(&index, data + at, sizeof index);
    return index != 0 ? device : is_route(level, type) ? route : NULL;
}

#ifndef TCP_REPAIR
#define TCP_REPAIR 19
#endif
#ifndef IPV6_JOIN_ANYCAST
#define IPV6_JOIN_ANYCAST 27
#endif

/* Options that put the sources of a group, which are the caller's choice, into the packet that
 * announces it. */
static bool names_sources(int name)
{
    return name == IP_ADD_SOURCE_MEMBERSHIP || name == MCAST_JOIN_SOURCE_GROUP ||
           name == IP_BLOCK_SOURCE || name == IP_UNBLOCK_SOURCE || name == MCAST_BLOCK_SOURCE ||
           name == MCAST_UNBLOCK_SOURCE || name == IP_MSFILTER || name == MCAST_MSFILTER;
}

/* Joining a group sends a packet with its address: the group is judged as where a datagram goes,
 * whatever the port. `*value` becomes `copy`, which holds all that the kernel reads of a group. */
static bool refuses_group(int level, int name, const void **value, socklen_t *size,
                          char copy[sizeof(struct group_req)], const void *caller)
{
    bool six = level == IPPROTO_IPV6;
    if (names_sources(name) || (six && name == IPV6_JOIN_ANYCAST))
        return network_refuses_kind("join a group", "multicast", caller);
    struct network_target target = {.address = {.kind = ADDRESS_IP, .version = six ? 6 : 4}};
    size_t width = six ? 16 : 4,
           at = name == MCAST_JOIN_GROUP ? offsetof(struct group_req, gr_group) + (six ? 8 : 4) : 0;
    if (name != MCAST_JOIN_GROUP && name != (six ? IPV6_ADD_MEMBERSHIP : IP_ADD_MEMBERSHIP))
        return false;
    if (*size < at + width) return false; /* the kernel refuses it */
    if (*size > sizeof(struct group_req)) *size = sizeof(struct group_req);
    bool there = copied_bytes(copy, *value, *size);
    *value = there ? COPIED_BY_HAND(copy, *value) : NULL; /* for the kernel to refuse */
    if (!there) return false;
    memcpy(target.address.ip, copy + at, width);
    target.address.version = address_normalise(target.address.ip, target.address.version);
    network_judge_ip(&target, NULL, false);
    if (target.verdict.reason == FS_PORT) return false;
    return network_refuses(&target, -1, "join a group", caller);
}

DOOR int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    char group[sizeof(struct group_req)] __attribute__((aligned(8)));
    const char *way = size > 0 ? option_way(level, name) : NULL;
    if (guard_ready() &&
        ((UNLIKELY(way != NULL) && network_refuses_kind("set an option", way, CALLER())) ||
         dns_refuses_option(level, name, CALLER()) ||
         (UNLIKELY(level == IPPROTO_IP || level == IPPROTO_IPV6) && !guard_ignores(FS_OUTBOUND) &&
          refuses_group(level, name, &value, &size, group, CALLER())) ||
         /* The guard peeks at answers in the kernel's queue. The caller must receive these next. */
         (UNLIKELY(level == SOL_SOCKET && name == SO_PEEK_OFF) &&
          network_refuses_kind("set an option", "SO_PEEK_OFF", CALLER())) ||
         /* A socket in repair mode puts sent bytes into its own receive queue. The peer gets
          * none of them. */
         (UNLIKELY(level == IPPROTO_TCP && name == TCP_REPAIR) &&
          network_refuses_kind("set an option", "TCP_REPAIR", CALLER()))))
        return -1;
    /* With kernel TLS, the kernel sends other bytes than the program writes. With chosen keys
     * they can be anything. */
    if (UNLIKELY(level == IPPROTO_TCP && name == TCP_ULP) && guard_has_pending() && guard_ready() &&
        inspect_refuses_unseen(fd, CALLER()))
        return -1;
    if (requests_option_refused("pass an address by", level, name, CALLER())) return -1;
    return real.setsockopt(fd, level, name, value, size);
}

#include "doors_options.gen.h"
