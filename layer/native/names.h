/* What the doors of look-ups share. */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns.h"
#include "policy.h"
#include "resolving.h"
#include "symbols.h"

/* A name that somebody looks up. */
struct lookup {
    char asked[DNS_NAME_MAX + 3]; /* our copy of the caller's spelling, which is what is asked */
    char name[DNS_NAME_MAX + 1];  /* normalised, "" where it is no name */
    uint16_t port;
    bool announced;               /* reported and let through: the connection that follows is the same act */
    struct fs_verdict verdict;
};

/* Copies, judges and reports. True where it must fail. */
bool names_refuses(struct lookup *lookup, const char *name, uint16_t port, const void *caller);
/* The same for a whole query packet. */
bool names_refuses_packet(const unsigned char *packet, int size, unsigned char *copy, const void *caller);

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

/* The resolver's functions are in libresolv before glibc 2.34, under their names with underscores, and can be loaded late. */
#define HAVE(symbol) (real.symbol != NULL || (symbols_resolve(), real.symbol != NULL))
#define NEXT(symbol) (real.symbol != NULL ? real.symbol : real.__##symbol)
#define HAVE_NEXT(symbol) (NEXT(symbol) != NULL || (symbols_resolve(), NEXT(symbol) != NULL))

#endif
