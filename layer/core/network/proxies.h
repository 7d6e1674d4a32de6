/* The proxies that the environment named when the function started. */
#ifndef FS_PROXIES_H
#define FS_PROXIES_H

#include <stdbool.h>

#include "network/addresses.h"

/* Reads HTTP_PROXY, HTTPS_PROXY and ALL_PROXY in both spellings, from the facts. */
void proxies_start(void);
extern unsigned proxies_count;
/* Returns true if the address is such a proxy's, without TLS, so that requests to it can be
 * read. */
bool proxies_is(const struct address *address);

#endif
