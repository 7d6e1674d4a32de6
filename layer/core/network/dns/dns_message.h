/* DNS messages (RFC 1035, 6891, 7873): the question in a query, and the addresses in an answer.
 * Pure functions on the door's copy of the bytes. */
#ifndef FS_DNS_MESSAGE_H
#define FS_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/dns/dns.h"

/* header, the longest name, an OPT record with a cookie: fewer than 400 */
#define DNS_QUERY_MAX     512
/* bytes of an answer that are read: the largest datagram that resolvers send */
#define DNS_ANSWER_MAX    4096
#define DNS_ADDRESSES_MAX 64 /* read from one answer */

struct dns_query {
    uint16_t id, type;
    char name[DNS_NAME_MAX + 1]; /* normalised */
};

/* Reads the one question of a query, and removes a DNS cookie from the packet (8 to 40 bytes
 * that the caller chooses; clients work without the server's cookie). `*size` then shrinks.
 * Returns false if the packet could carry more than a plain question does: more questions, any
 * record but an empty OPT, EDNS options, header bits that clients do not set, a class other than
 * IN, a type that is not for hosts, compressed names, bytes after the end. */
bool dns_query_read(uint8_t *packet, size_t *size, struct dns_query *query);

struct dns_address {
    uint8_t ip[16]; /* IPv4 in the first 4 bytes, the rest 0 */
    uint8_t version;
};

struct dns_answer {
    struct dns_query question;
    unsigned count;
    struct dns_address addresses[DNS_ADDRESSES_MAX];
};

/* Reads a response without an error code: its question, and the addresses of that name, at the end
 * of its CNAME chain if there is one. Ignores the other sections. Returns false if it is anything
 * else, or malformed. */
bool dns_answer_read(const uint8_t *packet, size_t size, struct dns_answer *answer);

#endif
