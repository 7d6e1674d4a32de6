/* Connections whose bytes are still inspected, by the socket's cookie: the state belongs to the
 * socket and not to its fd, and survives dup and fork. docs/connection-life.md draws the states and
 * the steps between them.
 *
 * A fixed table of this process. A forked child has a copy. While it is empty
 * (guard_has_pending), every door that writes pays for one load. */
#ifndef FS_PENDING_H
#define FS_PENDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "network/first_bytes/host_header.h"
#include "network/first_bytes/proxy_answer.h"

enum pending_kind {
    PENDING_FREE,
    PENDING_PLAIN, /* connected since to `ip`, where nothing is inspected */
    PENDING_TLS, /* a TLS greeting comes first */
    PENDING_TLS_AGAIN, /* the greeting came; one more may come */
    PENDING_HTTP, /* requests, each for an allowed host */
    PENDING_PROXY, /* requests to a proxy, each for an allowed host; CONNECT */
    PENDING_ASKED, /* CONNECT was sent: nothing more may be, until its answer was read */
    PENDING_TUNNEL, /* after CONNECT: a TLS greeting for a host of `rules` comes first */
    PENDING_TUNNEL_AGAIN,
    PENDING_TUNNEL_HTTP, /* after CONNECT: requests, each for a host that `rules` allow */
    PENDING_PERMITTED, /* to the Runtime API: one request of `permits`, and nothing else */
    PENDING_DATAGRAM, /* no datagram may be sent: TLS over TCP was allowed */
    PENDING_UNKNOWN, /* from another process, or inherited: it is not known what was
                         sent */
    PENDING_STREAM /* wrapped in a stdio stream, which writes unseen, while unconnected */
};

struct pending {
    uint8_t kind; /* enum pending_kind */
    uint8_t version; /* of ip: 4, 6 */
    bool begun; /* bytes were sent */
    bool busy; /* a thread is sending the bytes that it has judged */
    bool passed; /* another process may receive it by a message, now or later: no process may
                    connect it to a name's address */
    bool deaf; /* bytes of a proxy's answers were received that no door saw */
    bool plainly; /* a request other than CONNECT was sent to a proxy */
    uint8_t permits; /* for PENDING_PERMITTED: enum permit; 0 once a request was made */
    uint8_t behind; /* for PENDING_ASKED: the kind that it becomes once the tunnel is open */
    uint16_t port;
    uint16_t tunnel_port; /* for PENDING_TUNNEL: the port that the proxy was asked for */
    uint32_t serial; /* of the connection, given by pending_put */
    uint8_t ip[16];
    uint64_t callers; /* guard/callers.h: the callers that connected; 0: not needed */
    uint32_t rules[2]; /* that allowed it, of the policy and of the floor; UINT32_MAX for none;
                          PENDING_ANY_NAME if that one only reported it, or configure allowed it */
    struct host_flow flow;
    struct proxy_answer answer;
    /* The unfinished greeting or head at the end of what the caller has written: `rest_size` bytes,
     * of which `rest_out` were sent. Owned by the table, or by the thread that took the entry. */
    uint8_t *rest;
    uint32_t rest_size, rest_out;
};

static inline bool pending_is_tunnel(const struct pending *entry)
{
    return entry->kind == PENDING_TUNNEL || entry->kind == PENDING_TUNNEL_AGAIN ||
           entry->kind == PENDING_TUNNEL_HTTP;
}

#define PENDING_ANY_NAME (UINT32_MAX - 1)
enum { PENDING_REST_MAX = 32768, PENDING_RESTS = 64 };

/* Memory for a rest, NULL if there are too many. */
uint8_t *pending_rest_new(void);
void pending_rest_free(struct pending *entry);

/* Connections that wait for a proxy's answer, or are in the middle of one. */
extern _Atomic uint32_t pending_hearing;
static inline bool pending_hears(const struct pending *entry)
{
    return entry->kind == PENDING_ASKED || (entry->kind == PENDING_PROXY && entry->answer.seen > 0);
}
static inline bool pending_hears_any(void)
{
    return atomic_load_explicit(&pending_hearing, memory_order_relaxed) > 0;
}

/* The cookie of a socket, 0 for any other file. One system call. */
uint64_t pending_cookie(int fd);

bool pending_find(uint64_t cookie, struct pending *out);
/* Adds or replaces an entry. Returns false if there is no room, after removing entries whose
 * sockets this process has closed. */
bool pending_put(uint64_t cookie, const struct pending *entry);
/* Adds an entry unless the socket has one: an existing entry knows more. `*serial` is that of the
 * new entry, 0 if there was one. Returns false if there is no room. */
bool pending_put_new(uint64_t cookie, const struct pending *entry, uint32_t *serial);
/* Removes the entry with this serial, and no later one. */
void pending_take_back(uint64_t cookie, uint32_t serial);
/* Takes the right to send: `*out` is a copy of the entry. Returns false if there is no entry, or if
 * it is busy (`out->busy`). */
bool pending_take(uint64_t cookie, struct pending *out);
/* Gives the right back and updates the entry; PENDING_FREE removes it. If the lock times out, the
 * entry stays taken. */
void pending_give(uint64_t cookie, const struct pending *entry);
void pending_remove(uint64_t cookie);
/* Bytes of a proxy's answer were received by this socket that no door saw. */
void pending_deafen(uint64_t cookie);

/* Another process may receive the socket by a message. */
void pending_passed(uint64_t cookie);

/* Around a call that duplicates an fd: a thread that lists the fds in between may see the socket at
 * neither place, and must not conclude that it is closed. `copy` is the new fd, or -1 if none was
 * made. Costs a system call only while a thread lists fds. */
extern _Atomic uint32_t pending_moves_begun, pending_moves_ended;
static inline void pending_move_begins(void) { atomic_fetch_add(&pending_moves_begun, 1); }
void pending_move_ends(int copy);
/* The same, after a call that may have moved any fd, in another fd table. */
void pending_moves_unseen(void);

/* Call it in a forked child: half-sent requests belong to the parent. */
void pending_forked(void);
/* After a successful `close`: removes the entry if that was the last fd. If that is not certain,
 * the entry stays until its slot is needed. Returns true, and `*out`, if it was removed with bytes
 * that were written but not sent. */
bool pending_closed(uint64_t cookie, struct pending *out);

/* Calls `visit` for each open fd of this process. Returns false if they cannot be listed. */
bool pending_each_fd(void (*visit)(void *context, int fd), void *context);
/* The same, without /proc if need be: then for each number that an fd can have. May visit twice. */
void pending_every_fd(void (*visit)(void *context, int fd), void *context);

#endif
