/* Search lists and aliases while outbound_connectivity only reports: libc then asks for more names
 * than the one that was judged. If the rule blocks, names are absolute (resolving.h). */
#ifndef FS_SEARCH_LIST_H
#define FS_SEARCH_LIST_H

#include "network/names/names.h"

/* After a lookup, which `failed` or not: judges and reports the other names that libc asked for,
 * because of LOCALDOMAIN, RES_OPTIONS, HOSTALIASES, or a resolver state that the program changed.
 * Domains in /etc/resolv.conf are the machine's own and make no event. Keeps errno and h_errno. */
void search_list_report(const struct lookup *lookup, const void *state, bool failed,
                        const void *caller);

#endif
