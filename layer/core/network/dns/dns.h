/* Normalises and joins names. Pure functions. dns_message.h reads packets. */
#ifndef FS_DNS_H
#define FS_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX 253

/* Writes `name` to `out` (DNS_NAME_MAX + 1 bytes) in lower case, without one trailing dot. Returns
 * false if it is not a host name: empty, longer than 253, a label that is empty or longer than 63,
 * or a byte other than a letter, digit, '-' or '_'. */
bool dns_normalise(const char *name, char *out);

/* "NAME.DOMAIN" for res_querydomain. False where it does not fit. `out`: DNS_NAME_MAX + 1 bytes. */
bool dns_join(const char *name, const char *domain, char *out);

/* Returns true for a byte that host names can have. `*lower` is the byte in lower case. */
bool dns_letter(char c, char *lower);

#endif
