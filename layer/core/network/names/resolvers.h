/* The system's name servers, as /etc/resolv.conf had them when the function began: the only ones
 * that may be asked. */
#ifndef FS_RESOLVERS_H
#define FS_RESOLVERS_H

#include <stdbool.h>
#include <stdint.h>

#define RESOLVERS_PORT 53

/* Reads the file, or takes what a parent read. Before anything of the program's ran, and after
 * facts_start. */
void resolvers_start(void);
/* The address, normalised, is a name server's. Where the file has changed and could not have been
 * changed from within (its place, the file and its folder, is nobody's in this process to write
 * to), its new servers count as well: a snapshot that is restored on another host may find others.
 */
bool resolvers_has(const uint8_t ip[16], uint8_t version);
/* Reads the file anew, after a snapshot was restored: the servers of the start count no more. Where
 * the file could have been changed from within, or names none, they stay. */
void resolvers_renew(void);

/* libc searches this domain by the machine's configuration: the file lists it, or the host is in
 * it. */
bool resolvers_search(const char *domain);

/* One of them is on this machine, whose addresses anybody here may send from. */
bool resolvers_are_here(void);

#endif
