/* HTTP/1 requests on their way out: which hosts they are for, request after request. Pure functions.
 *
 * Read more strictly than servers do, so that no server sees a request, or a host, where this did not. */
#ifndef FS_HOST_HEADER_H
#define FS_HOST_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns.h"

enum host_kind {
    HOST_FINE,
    HOST_SPLIT,      /* the bytes end before a request's head does */
    HOST_NOT_HTTP,
    HOST_MALFORMED,  /* a line, a length or a coding that servers may read differently */
    HOST_UNNAMED,    /* no Host header */
    HOST_TWICE,      /* Host headers that could be taken for one another */
    HOST_UPGRADE,    /* asks to go on in another protocol */
    HOST_REFUSED     /* `allows` said no */
};

/* Where a request goes. */
struct host_target {
    char name[DNS_NAME_MAX + 1]; /* normalised, or an address as it was spelled, without brackets */
    uint16_t port;               /* 0 where none is named */
    bool connect;                /* the method is CONNECT, and `name` is the end of the tunnel */
};

/* What is kept between two writes. All zero at a connection's start. */
struct host_flow {
    uint8_t state;   /* internal */
    uint8_t digits;  /* of a chunk's size so far */
    uint64_t left;   /* bytes of the body, or of the chunk */
};

/* Asked for each host that a request names, before its bytes may leave. */
typedef bool host_allows(void *context, const struct host_target *target);

/* Takes the next bytes. A head must lie whole in `bytes`. After HOST_FINE with `*tunnel` set, a CONNECT was read: `flow` is not
 * to be used again, and `*used` says where the bytes of the tunnel begin. */
enum host_kind host_flow_feed(struct host_flow *flow, const char *bytes, size_t size, host_allows *allows, void *context,
                              bool *tunnel, size_t *used);

/* How many of the next bytes are a body's, whatever they are. */
uint64_t host_flow_body(const struct host_flow *flow);

#endif
