/* The system's name servers, as /etc/resolv.conf had them when the function began: the only ones
 * that may be asked. */
#ifndef FS_RESOLVERS_H
#define FS_RESOLVERS_H

#include <stdbool.h>
#include <stdint.h>

#define RESOLVERS_PORT 53

/* Reads the file, or takes over what a parent read. Call it before any code of the program runs,
 * and after facts_start. */
void resolvers_start(void);
/* The normalised address is a name server's. If the file has changed, its new servers count as
 * well, but only if no code in this process could write to the file or its folder: a snapshot may
 * be restored on a host with other servers. */
bool resolvers_has(const uint8_t ip[16], uint8_t version);
/* After a snapshot was restored: replaces the servers by those of the file. They stay if this
 * process could have changed the file, or if it names none. */
void resolvers_renew(void);

/* libc searches this domain because of the machine's configuration: the file lists it, or the host
 * is in it. */
bool resolvers_search(const char *domain);

/* One of them is on this machine: any process here could send from its address. */
bool resolvers_are_here(void);

#endif
