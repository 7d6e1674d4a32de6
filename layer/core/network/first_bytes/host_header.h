/* The hosts that outgoing HTTP/1 requests name, one request after another. Pure functions.
 *
 * The parser is stricter than servers are. No server may find a request, or a host, that it did not
 * find. */
#ifndef FS_HOST_HEADER_H
#define FS_HOST_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/dns/dns.h"

enum host_kind {
    HOST_OK,
    HOST_SPLIT, /* the bytes end within a request's head: the rest will follow */
    HOST_NOT_HTTP,
    HOST_MALFORMED, /* a line, length or coding that servers may read differently */
    HOST_UNNAMED, /* no Host header */
    HOST_TWICE, /* several Host headers: servers may choose either */
    HOST_UPGRADE, /* asks to switch to another protocol */
    HOST_REFUSED /* `allows` returned false */
};

/* Where a request goes. */
struct host_target {
    char name[DNS_NAME_MAX + 1]; /* normalised, or an address as spelled, without brackets */
    uint16_t port; /* 0 if none is named */
    bool connect; /* the method is CONNECT, and `name` is where the tunnel leads */
    const struct host_request *request;
};

/* The request that names the host. */
struct host_request {
    const char *line; /* "METHOD TARGET HTTP/1.x", not terminated */
    size_t line_size;
    bool chunked, expects; /* a body in chunks; Expect: 100-continue */
    bool streams; /* Lambda-Runtime-Function-Response-Mode: streaming */
    uint64_t length; /* of the body, if it is not in chunks */
};

/* The state between two writes. All zero when a connection starts. */
struct host_flow {
    uint8_t state; /* internal */
    uint8_t digits; /* digits of a chunk's size so far */
    bool trailers; /* may follow the last chunk: set by a caller that knows the server */
    uint64_t left; /* bytes left of the body or chunk */
};

/* Called for each host that a request names, before its bytes may leave. */
typedef bool host_allows(void *context, const struct host_target *target);

/* Reads the next bytes. After HOST_SPLIT, `*used` is where the unfinished head begins: pass it
 * again with the bytes that follow. After HOST_OK with `*tunnel` set, a CONNECT was read, and
 * `*used` is where it ends. */
enum host_kind host_flow_feed(struct host_flow *flow, const char *bytes, size_t size,
                              host_allows *allows, void *context, bool *tunnel, size_t *used);

/* How many of the next bytes belong to a body, whatever they are. */
uint64_t host_flow_body(const struct host_flow *flow);

#endif
