/* Names and DNS questions: normalised and read. Pure functions. */
#ifndef FS_DNS_H
#define FS_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX 253
#define DNS_PACKET_MAX 1024

/* Writes `name` in lower case, without one trailing dot, into `out` (DNS_NAME_MAX + 1 bytes). False where it is no host
 * name: empty, longer than 253, a label that is empty or longer than 63, or a byte other than a letter, digit, '-' or '_'. */
bool dns_normalise(const char *name, char *out);

/* "NAME.DOMAIN" for res_querydomain. False where it does not fit. `out`: DNS_NAME_MAX + 1 bytes. */
bool dns_join(const char *name, const char *domain, char *out);

/* The one name that a query packet asks for, normalised. False where the packet is anything else than one plain question:
 * more questions, answers or records that could carry data (an OPT record without options may follow), a response, an
 * update, compressed names, bytes after the end. */
bool dns_question(const uint8_t *packet, size_t size, char *out);

#endif
