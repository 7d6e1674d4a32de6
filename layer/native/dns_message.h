/* DNS messages (RFC 1035, 6891, 7873): the question that is about to leave, and the addresses that an answer has. Pure
 * functions over bytes that are the caller's own copy. */
#ifndef FS_DNS_MESSAGE_H
#define FS_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns.h"

#define DNS_QUERY_MAX 512     /* header, the longest name, an OPT record with a cookie: fewer than 400 */
#define DNS_ANSWER_MAX 4096   /* what is read of an answer: the largest datagram that resolvers send */
#define DNS_ADDRESSES_MAX 64  /* of one answer */

struct dns_query {
    uint16_t id, type;
    char name[DNS_NAME_MAX + 1]; /* normalised */
};

/* Reads the one question that a query is, and takes a DNS cookie out of it (8 to 40 bytes of whoever asks, which clients do
 * without where the server does not send it back): `*size` is then less. False where the packet could carry more than a
 * plain question does: more questions, any record but an empty OPT, EDNS options, header bits that a client does not set, a
 * class other than IN, a type that hosts are not asked for, compressed names, bytes after the end. */
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

/* Reads a response without error: its question and the addresses of that name, at the end of its chain of CNAME records
 * where it has one. Nothing is taken from the other sections. False where it is anything else, or malformed. */
bool dns_answer_read(const uint8_t *packet, size_t size, struct dns_answer *answer);

#endif
