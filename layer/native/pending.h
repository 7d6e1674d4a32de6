/* Connections whose bytes are still looked at, by the socket's cookie: what is known of a socket belongs to the socket and not
 * to its number, and goes with it through dup and fork.
 *
 * A fixed table of this process. A forked child has a copy. While it is empty, every door that writes pays for one load. */
#ifndef FS_PENDING_H
#define FS_PENDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host_header.h"

enum pending_kind {
    PENDING_FREE,
    PENDING_PLAIN,     /* connected since to `ip`, where nothing is looked at */
    PENDING_TLS,       /* a TLS greeting comes first */
    PENDING_TLS_AGAIN, /* it came; another may */
    PENDING_HTTP,      /* requests, each for an allowed host */
    PENDING_PROXY,     /* requests to a proxy, each for an allowed host; CONNECT */
    PENDING_TUNNEL,    /* behind CONNECT: a TLS greeting for `rules` comes first */
    PENDING_TUNNEL_AGAIN,
    PENDING_DATAGRAM,  /* no datagram may be sent: TLS over TCP was allowed */
    PENDING_STRANGER,  /* from another process, or from before a program: nothing is known of what was said */
    PENDING_STREAM     /* wrapped in a stdio stream while unconnected, which writes unseen */
};

struct pending {
    uint8_t kind;      /* enum pending_kind */
    uint8_t version;   /* of ip: 4, 6 */
    bool begun;        /* something was sent */
    bool busy;         /* a thread is sending what it had judged */
    bool passed;       /* another process may have it, or nobody yet: it stays when the last descriptor is closed */
    uint16_t port;
    uint16_t tunnel_port; /* of PENDING_TUNNEL: where the proxy was asked to connect to */
    uint32_t serial;   /* of the connection: pending_put says it */
    uint8_t ip[16];
    uint32_t rules[2]; /* that allowed it: of the policy, of the floor; UINT32_MAX for none */
    struct host_flow flow;
};

extern _Atomic uint32_t pending_count;

/* The cheap question of every write: false where nothing needs a look. */
static inline bool pending_any(void) { return atomic_load_explicit(&pending_count, memory_order_relaxed) > 0; }

/* The cookie of a socket, 0 for what is none. One system call. */
uint64_t pending_cookie(int fd);

bool pending_find(uint64_t cookie, struct pending *out);
/* Puts or replaces. False where there is no room, and no entry whose socket this process has closed. */
bool pending_put(uint64_t cookie, const struct pending *entry);
/* Puts where there is none yet: what is known of a socket is not known worse. `*serial` is of the entry that was put, 0 where there
 * was one. False where there is no room. */
bool pending_put_new(uint64_t cookie, const struct pending *entry, uint32_t *serial);
/* Takes out what was put under this serial, and nothing that came since. */
void pending_take_back(uint64_t cookie, uint32_t serial);
/* Takes the right to send: `*out` is the entry as it is. False where there is no entry, or *out is busy already. */
bool pending_take(uint64_t cookie, struct pending *out);
/* Gives it back with what the entry is now; PENDING_FREE takes it out. Where nobody can get at the table it stays taken. */
void pending_give(uint64_t cookie, const struct pending *entry);
void pending_remove(uint64_t cookie);

/* `fd` is about to be passed on, unconnected: it may be on its way with no number anywhere. */
void pending_passed(uint64_t cookie);

/* Around whatever makes a descriptor of another one: whoever lists the descriptors meanwhile may see a socket at neither of
 * its numbers, and cannot say that it is gone. */
extern _Atomic uint32_t pending_moves_begun, pending_moves_ended;
static inline void pending_move_begins(void) { atomic_fetch_add(&pending_moves_begun, 1); }
static inline void pending_move_ends(void) { atomic_fetch_add(&pending_moves_ended, 1); }

/* In a forked child: requests half-way belong to the parent. */
void pending_forked(void);
/* `close` was called and succeeded: the entry goes where that was the last descriptor. Where that cannot be told it stays until
 * its place is needed. */
void pending_closed(uint64_t cookie);

/* Calls `visit` for each open descriptor of this process. False where they cannot be listed. */
bool pending_each_descriptor(void (*visit)(void *context, int fd), void *context);

#endif
