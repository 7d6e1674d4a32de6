/* Judges the first bytes of a connection that was allowed by name: the kind of greeting, and the
 * names in it. Makes no system call and no report; inspect.c does both. */
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
    char server_name[DNS_NAME_MAX + 1]; /* the name in the bytes, "" for none */
    uint16_t target_port; /* the finding is about another destination, behind a proxy: its port;
                             else 0 */
    struct fs_verdict verdict; /* of that */
};

/* Why first bytes are refused, by what was read. The event's details.first_bytes. */
extern const char *const judging_hello_words[]; /* by enum hello_kind */
extern const char *const judging_host_words[]; /* by enum host_kind */
extern const char judging_other_server_name[];

/* The name that allowed the address, "" if it is no longer known. `out` has DNS_NAME_MAX + 1
 * bytes. */
void judging_name_of(const struct pending *entry, char *out);

/* Returns how many of these bytes may leave, and updates `entry` for them. If nothing was found,
 * the rest is an unfinished greeting or head: pass it again with the bytes that follow. */
size_t judging_bytes(const uint8_t *bytes, size_t size, struct pending *entry,
                     struct finding *finding);

#endif
