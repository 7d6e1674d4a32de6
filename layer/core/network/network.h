/* Shared by the network's doors, and by the interpreter ring. */
#ifndef FS_NETWORK_H
#define FS_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard/guard.h"
#include "network/addresses.h"
#include "network/dns/dns.h"
#include "network/names/learnt.h"
#include "network/names/resolvers.h"
#include "policy/policy.h"

/* A destination and its verdict. */
struct network_target {
    struct address address;
    struct fs_verdict verdict;
    struct fs_verdict asked[2]; /* of policy and floor, each by itself; zero if neither counts */
    enum fs_family family; /* FS_OUTBOUND or FS_RUNTIME_API */
    uint8_t runtime_caller; /* enum runtime_caller, if family is FS_RUNTIME_API */
    bool resolver; /* a name server of the system, on its port: `verdict` holds for all but UDP */
    bool proxy; /* of the environment, spoken to in the clear */
    bool announced; /* alert: the lookup was reported, and the connection is the same act */
    char host[FS_HOST_MAX + 1]; /* the name that decided, "" if none is known */
};

/* For the interpreter ring: the verdict that the doors would give, and the family that decided,
 * FS_OUTBOUND or FS_RUNTIME_API. `address` is copied. `host` has FS_HOST_MAX + 1 bytes, `ip`
 * ADDRESS_TEXT_MAX; "" if unknown. If this caller's (guard_thread.note_package) lookup of the
 * destination was reported and allowed, the verdict is FS_ALLOW and `announced` is set: it is the
 * same act. For the Runtime API, the ring must set runtime_api_client_asked (runtime_api.h) first.
 */
struct fs_verdict network_judge_target(const void *address, size_t size, char *host, char *ip,
                                       uint16_t *port, enum fs_family *family, bool *announced);

/* Judges an IP address. `caller` is NULL for the interpreter ring, where runtime_api_client_asked
 * alone tells the Runtime API's client. `connecting`: a connection may be allowed because its bytes
 * are judged later; a datagram may not. */
void network_judge_ip(struct network_target *target, const void *caller, bool connecting);
/* Returns true if the connection's first bytes, or its requests to a proxy, must be read. */
static inline bool network_reads_bytes(const struct network_target *target)
{
    return target->proxy ||
           (target->asked[0].first_bytes | target->asked[1].first_bytes) != FS_BYTES_ANY;
}
/* A connection to the address, and the names that were learnt for it. */
struct fs_request network_request(const struct address *address, struct learnt_names *names);
/* The verdict of the Runtime API's rule, by `target->runtime_caller`. */
void network_judge_runtime_api(struct network_target *target);
/* Reports the verdict unless it allows. Returns true if the call must fail: errno is EACCES then.
 * `fd` is -1 if there is none. */
bool network_refuses(const struct network_target *target, int fd, const char *verb,
                     const void *caller);

/* Verdicts without a policy: on what may always pass, and in a forked child that may not use the
 * network. */
extern const struct fs_verdict network_let_through, network_on_probation;
/* The verdict, in the mode of outbound_connectivity, for kinds of acts that no entry can allow. */
struct fs_verdict network_judge_kind(void);
/* Judges and reports. Returns true if the call must fail: errno is EACCES then. `kind` is the
 * protocol in the event: "raw", "AF_PACKET". */
bool network_refuses_kind(const char *verb, const char *kind, const void *caller);

/* Judges and reports a reverse lookup of an address. Returns true if it must fail. */
bool network_refuses_reverse(const uint8_t ip[16], uint8_t version, const void *caller);

/* A name that may always be looked up: localhost, this machine's, the Runtime API's. `name` is
 * normalised. */
bool network_is_own_name(const char *name);

/* A name server of the system, on its port: questions to it are judged one by one. */
bool network_is_resolver(const struct address *address);
static inline bool network_asks_resolver(const struct address *address)
{
    return UNLIKELY(address->port == RESOLVERS_PORT) && network_is_resolver(address);
}

/* outbound_connectivity blocks. Allowed names are then looked up as absolute names. */
bool network_blocks(void);

#endif
