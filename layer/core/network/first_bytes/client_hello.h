/* The greeting that a TLS client begins with (RFC 8446, RFC 6066), in the clear: which server it
 * names. Pure functions.
 *
 * Read more strictly than servers do: what this takes for a named greeting, every server reads the
 * same way. */
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
    HELLO_FRAGMENTED, /* spread over several records */
    HELLO_MALFORMED,
    HELLO_UNNAMED, /* no server name */
    HELLO_ENCRYPTED, /* Encrypted Client Hello, or its look-alike, or its predecessor: the name in
                        the clear need not be the one that counts */
    HELLO_EARLY_DATA /* offers to send data before the handshake: servers skip what they cannot
                        read, and with it our reading */
};

struct client_hello {
    enum hello_kind kind;
    size_t size; /* of the record that holds it, where it is whole */
    char name[DNS_NAME_MAX + 1]; /* normalised; "" where there is none */
};

/* Reads what a connection begins with. */
void client_hello_read(const uint8_t *bytes, size_t size, struct client_hello *hello);

enum hello_next {
    HELLO_NEXT_OVER, /* no greeting can follow in the clear */
    HELLO_NEXT_OPEN, /* records that servers pass over, and nothing else: a greeting can still
                        follow */
    HELLO_NEXT_AGAIN, /* a second greeting, as after HelloRetryRequest: `hello` is set */
    HELLO_NEXT_SPLIT /* the bytes end before that can be told */
};

/* Reads what a client sends after its greeting. `at` gets where a second greeting begins. */
enum hello_next client_hello_next(const uint8_t *bytes, size_t size, size_t *at,
                                  struct client_hello *hello);

#endif
