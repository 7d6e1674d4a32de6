/* The names for which guarded lookups returned an address. Bounded in count and in age.
 *
 * A fixed table. Readers take no lock: each entry has a sequence number. One writer at a time holds
 * a bounded lock. A forked child inherits the table. */
#ifndef FS_LEARNT_H
#define FS_LEARNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEARNT_NAME_MAX 253
#define LEARNT_ENTRIES  1024
/* slots that one address may use, and so the most names that it can have */
#define LEARNT_WINDOW   16
#define LEARNT_SECONDS  900 /* of CLOCK_BOOTTIME, which runs on while the function is frozen */

struct learnt_names {
    unsigned count;
    bool announced; /* a reported and allowed lookup returned it, and no thread has connected
                       since */
    uint64_t announcements[LEARNT_WINDOW]; /* of each name (learnt_announcement); 0: none to take */
    const char *names[LEARNT_WINDOW];
    char bytes[LEARNT_WINDOW][LEARNT_NAME_MAX + 1];
};

/* `name` is normalised. If the lock times out, nothing is learnt, and the address is not allowed by
 * name. `announcement` belongs to a lookup that was reported and allowed; else it is 0. */
void learnt_add(const uint8_t ip[16], uint8_t version, const char *name, uint64_t announcement);
/* Finds the names of an address that are not too old. Does not touch `names` beyond `count`. */
void learnt_find(const uint8_t ip[16], uint8_t version, struct learnt_names *names);
/* What a reported lookup announces: a connection to this port by the same caller (0: by any). */
uint64_t learnt_announcement(uint16_t port, uint32_t package);
/* Whether a lookup announced this connection. A connection to another port, or by another caller,
 * is an act of its own. `package` is 0 if the caller is not known; it then matches any. */
bool learnt_is_announced(const struct learnt_names *names, uint16_t port, uint32_t package);
/* Removes the announcement, because its connection is made. Returns true if there was one. */
bool learnt_take_announced(const uint8_t ip[16], uint8_t version, uint16_t port, uint32_t package);

/* Drops all: after a snapshot was restored, an address may be another host's. */
void learnt_forget(void);

/* In a forked child, before lock_forked. */
void learnt_forked(void);

#endif
