/* The system's name servers, as /etc/resolv.conf had them when this process began: the only ones that may be asked. */
#ifndef FS_RESOLVERS_H
#define FS_RESOLVERS_H

#include <stdbool.h>
#include <stdint.h>

#define RESOLVERS_PORT 53

/* Reads the file. Before anything of the program's ran. */
void resolvers_start(void);
/* The address, normalised, is a name server's. */
bool resolvers_has(const uint8_t ip[16], uint8_t version);

#endif
