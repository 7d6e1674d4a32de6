/* What the doors of look-ups share. */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns.h"
#include "dns_message.h"
#include "policy.h"
#include "resolving.h"
#include "symbols.h"

/* A name that somebody looks up. */
struct lookup {
    char asked[DNS_NAME_MAX + 3]; /* our copy of the caller's spelling, which is what is asked */
    char name[DNS_NAME_MAX + 1];  /* normalised, "" where it is no name */
    uint16_t port;
    bool announced;               /* reported, with who asked, and let through: the connection that follows is the same act */
    uint32_t asker;               /* who asked, see guard_thread; 0: not known to the interpreter ring */
    struct fs_verdict verdict;
};

/* Copies, judges and reports. True where it must fail. */
bool names_refuses(struct lookup *lookup, const char *name, uint16_t port, const void *caller);

/* A query packet that somebody made. */
struct names_query {
    struct lookup lookup;
    struct dns_query question;
    size_t length;                /* of `copy`: what may be sent; 0 where the packet cannot be read */
    uint8_t copy[DNS_QUERY_MAX];
};

/* The same for a whole packet. */
bool names_refuses_query(struct names_query *query, const void *packet, size_t size, const void *caller);

/* What libc is to ask for: our copy. A name longer than any is malformed; where that is only reported, libc gets the
 * caller's own string. */
const char *names_asked(const struct lookup *lookup, const char *name);
/* resolving_begin, absolute where outbound_connectivity blocks. */
bool names_begin(struct resolving *resolving);

struct addrinfo;
struct hostent;
/* Learns the addresses of an answer. */
void names_learn_list(const struct lookup *lookup, const struct addrinfo *list);
void names_learn_host(const struct lookup *lookup, const struct hostent *host);
/* One address, normalised. What no name can stand for is not learnt: this machine, link-local addresses (VPC Lattice's
 * excepted), the instance's metadata, groups. Whoever answers for an allowed name could lead there. */
void names_learn_address(const struct lookup *lookup, const uint8_t ip[16], uint8_t version);
/* Those of a response. */
void names_learn_addresses(const struct lookup *lookup, struct dns_answer *answer);
/* Those of a response that libc received, where it is about this name. */
void names_learn_answer(const struct lookup *lookup, const void *packet, size_t size);

/* The resolver's functions are in libresolv before glibc 2.34, under their names with underscores, and can be loaded late. */
#define HAVE(symbol) (real.symbol != NULL || (symbols_resolve(), real.symbol != NULL))
#define NEXT(symbol) (real.symbol != NULL ? real.symbol : real.__##symbol)
#define HAVE_NEXT(symbol) (NEXT(symbol) != NULL || (symbols_resolve(), NEXT(symbol) != NULL))

#endif
