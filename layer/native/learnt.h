/* Which names guarded look-ups returned an address for: bounded in number and in age.
 *
 * A fixed table. Readers take no lock (each entry carries a sequence number); the one writer at a time is chosen by a flag
 * that is never waited for longer than a bounded time. A forked child inherits what its parent learnt. */
#ifndef FS_LEARNT_H
#define FS_LEARNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEARNT_NAME_MAX 253
#define LEARNT_ENTRIES 1024
#define LEARNT_WINDOW 16  /* entries that one address may lie in, and so the names it may have at once */
#define LEARNT_SECONDS 900 /* of CLOCK_BOOTTIME, which goes on while the function is frozen */

struct learnt_names {
    unsigned count;
    bool announced; /* a look-up that was reported and let through returned it, and nobody has connected since */
    uint64_t announcements[LEARNT_WINDOW]; /* of each name: see learnt_announcement; 0: none to take */
    const char *names[LEARNT_WINDOW];
    char bytes[LEARNT_WINDOW][LEARNT_NAME_MAX + 1];
};

/* `name` is normalised. Nothing is learnt where the table is busy for long: the address is then not allowed by name.
 * `announcement`: of a look-up that was reported and let through, else 0. */
void learnt_add(const uint8_t ip[16], uint8_t version, const char *name, uint64_t announcement);
/* The names of an address that are not too old. Leaves `names` untouched beyond `count`. */
void learnt_find(const uint8_t ip[16], uint8_t version, struct learnt_names *names);
/* What a look-up that was reported stands for: a connection to this very port, by who asked then (0: whoever). */
uint64_t learnt_announcement(uint16_t port, uint32_t asker);
/* Whether a look-up of this kind was announced. A connection to another port is an act of its own, and so is one by somebody
 * else. `asker` 0: not known, and then like any. */
bool learnt_is_announced(const struct learnt_names *names, uint16_t port, uint32_t asker);
/* Takes the announcement away: the connection that it covers is made. True where there was one. */
bool learnt_take_announced(const uint8_t ip[16], uint8_t version, uint16_t port, uint32_t asker);

/* In a forked child, before anything is learnt or asked. */
void learnt_forked(void);

#endif
