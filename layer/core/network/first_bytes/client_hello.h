/* The greeting that a TLS client begins with (RFC 8446, RFC 6066), in the clear: which server it
 * names. Pure functions.
 *
 * The parser is stricter than servers: every server finds the same name in a greeting that
 * passes. */
#ifndef FS_CLIENT_HELLO_H
#define FS_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/dns/dns.h"

enum hello_kind {
    HELLO_NAMED, /* whole; `name` is set */
    HELLO_SPLIT, /* the bytes end before it does */
    HELLO_NOT_TLS,
    HELLO_OVERSIZED, /* longer than one record can be */
    HELLO_FRAGMENTED, /* split over several records */
    HELLO_MALFORMED,
    HELLO_UNNAMED, /* no server name */
    HELLO_ENCRYPTED, /* Encrypted Client Hello, or its look-alike, or its predecessor: the name in
                        the clear need not be the one that counts */
    HELLO_EARLY_DATA /* offers early data, which servers may skip: they would parse on elsewhere */
};

struct client_hello {
    enum hello_kind kind;
    size_t size; /* of the record that holds it, where it is whole */
    char name[DNS_NAME_MAX + 1]; /* normalised; "" where there is none */
};

/* Reads the beginning of a connection. */
void client_hello_read(const uint8_t *bytes, size_t size, struct client_hello *hello);

enum hello_next {
    HELLO_NEXT_OVER, /* no greeting can follow in the clear */
    HELLO_NEXT_OPEN, /* only records that servers ignore so far: a greeting can still follow */
    HELLO_NEXT_AGAIN, /* a second greeting, as after HelloRetryRequest: `hello` is set */
    HELLO_NEXT_SPLIT /* there are not enough bytes to tell */
};

/* Reads what a client sends after its greeting. `at` gets where a second greeting begins. */
enum hello_next client_hello_next(const uint8_t *bytes, size_t size, size_t *at,
                                  struct client_hello *hello);

#endif
