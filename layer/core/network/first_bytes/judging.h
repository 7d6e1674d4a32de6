/* What a connection that a name allowed may say first: which kind of greeting, and which names it
 * may name there. No system call, and nothing reported: inspect.c does both. */
#ifndef FS_JUDGING_H
#define FS_JUDGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/addresses.h"
#include "network/first_bytes/client_hello.h"
#include "network/first_bytes/host_header.h"
#include "network/first_bytes/pending.h"
#include "policy/policy.h"

struct finding {
    const char *word; /* NULL: nothing was found */
    char server_name[DNS_NAME_MAX + 1]; /* that was named instead, "" for none */
    uint16_t target_port; /* the finding is about another destination, behind a proxy: its port;
                             else 0 */
    struct fs_verdict verdict; /* of that */
};

/* Why first bytes are not what they must be, by what was read: details.first_bytes of the event. */
extern const char *const judging_hello_words[]; /* by enum hello_kind */
extern const char *const judging_host_words[]; /* by enum host_kind */
extern const char judging_other_server_name[];

static inline bool is_tunnel(const struct pending *entry)
{
    return entry->kind == PENDING_TUNNEL || entry->kind == PENDING_TUNNEL_AGAIN ||
           entry->kind == PENDING_TUNNEL_HTTP;
}

/* The name by which the address was allowed, "" where none is known any more. `out` has
 * DNS_NAME_MAX + 1 bytes. */
void judging_name_of(const struct pending *entry, char *out);

/* `entry` becomes what it is after these bytes, as far as they may leave: returns how many do.
 * Where nothing was found, the rest is a greeting or a head that is not over: it is given again,
 * with what follows. */
size_t judging_bytes(const uint8_t *bytes, size_t size, struct pending *entry,
                     struct finding *finding);

#endif
