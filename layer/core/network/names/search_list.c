/* Search lists and aliases, where outbound_connectivity only reports. See search_list.h. */
#include "network/names/search_list.h"

#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"
#include "network/network.h"
#include "network/names/resolvers.h"
#include "network/names/resolving.h"

enum { DOMAINS_MAX = 32 };

static void report(const struct lookup *lookup, const char *domain, size_t size, const void *caller)
{
    char copy[DNS_NAME_MAX + 1], whole[DNS_NAME_MAX + 1];
    struct lookup longer;
    if (size == 0 || size >= sizeof copy) return;
    memcpy(copy, domain, size);
    copy[size] = '\0';
    if (resolvers_search(copy) || !dns_join(lookup->asked, copy, whole)) return;
    (void)names_refuses(&longer, whole, lookup->port, caller);
}

/* All domains of LOCALDOMAIN, because the resolver's state holds the first six only. */
static void report_variable(const struct lookup *lookup, const char *list, const void *caller)
{
    for (unsigned i = 0; i < DOMAINS_MAX && *list != '\0'; i++) {
        list += strspn(list, " \t\n");
        size_t size = strcspn(list, " \t\n");
        report(lookup, list, size, caller);
        list += size;
    }
}

void search_list_report(const struct lookup *lookup, const void *state, bool failed,
                        const void *caller)
{
    if (guard_ignores(FS_OUTBOUND) || network_blocks()) return;
    size_t size = strlen(lookup->asked);
    unsigned dots = 0;
    for (size_t i = 0; i < size; i++) dots += lookup->asked[i] == '.';
    if (size == 0 || lookup->asked[size - 1] == '.') return;
    int error = errno, host_error = h_errno;
    const char *domains[RESOLVING_DOMAINS], *list = getenv("LOCALDOMAIN");
    unsigned count = resolving_domains(state, dots, failed, domains);
    for (unsigned i = 0; i < count; i++)
        report(lookup, domains[i], strnlen(domains[i], DNS_NAME_MAX + 1), caller);
    if (list != NULL && (count > 0 || resolving_is_unread(state)))
        report_variable(lookup, list, caller);
    if (dots == 0 && getenv("HOSTALIASES") != NULL)
        (void)network_refuses_kind("look up by a file of aliases", "dns", caller);
    errno = error;
    h_errno = host_error;
}
