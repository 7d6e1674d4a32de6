/* The doors of getaddrinfo: a name that no rule allows is refused before a query leaves. */
#include <netdb.h>
#include <string.h>

#include "files/files.h"
#include "network/addresses.h"
#include "guard/guard.h"
#include "network/names/local_resolvers.h"
#include "network/names/lookup_fds.h"
#include "network/names/names.h"
#include "network/network.h"
#include "network/names/search_list.h"

static int refused(void) { return errno = EACCES, EAI_FAIL; }

static int look_up(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **result, const void *caller)
{
    struct lookup lookup;
    uint8_t ip[16], version;
    char number[DNS_NAME_MAX + 3];
    struct addrinfo wanted = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG, .ai_family = AF_UNSPEC};
    if (hints != NULL) {
        wanted = *hints;
        if (wanted.ai_flags & AI_NUMERICHOST)
            return real.getaddrinfo(node, service, &wanted, result);
        hints = &wanted;
    }
    size_t length = strnlen(node, sizeof number);
    if (length < sizeof number) {
        memcpy(number, node, length);
        number[length] = '\0';
        if (address_parse(number, ip, &version) || length == 0) {
            wanted.ai_flags |= AI_NUMERICHOST;
            return real.getaddrinfo(number, service, &wanted, result);
        }
    }
    if (names_refuses(&lookup, node, names_service_port(service), caller)) return refused();
    /* Use our own memory: in the caller's, another thread could change the result. */
    struct addrinfo *found = NULL;
    NAMES_CALL(call, real.getaddrinfo, names_asked(&lookup, node), service, hints,
               COPIED_BY_HAND(&found, result));
    call.leaves_nothing = !local_resolvers_any();
    if (!names_ask(&call)) return refused();
    int status = (int)call.result;
    search_list_report(&lookup, NULL, status != 0, caller);
    if (status == 0) {
        int error = errno;
        names_learn_list(&lookup, COPIED_BY_HAND(found, *result));
        *result = COPIED_BY_HAND(found, *result);
        errno = error;
    }
    return status;
}

DOOR int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                     struct addrinfo **result)
{
    if (!guard_ready() || node == NULL || guard_resolving_for(CALLER()))
        return real.getaddrinfo(node, service, hints, result);
    return look_up(node, service, hints, result, CALLER());
}

/* If something blocks, the door looks the names up itself, one after the other, because it
 * cannot make names absolute in libc's threads. */
static int look_up_all(struct gaicb **list, int count, const void *caller)
{
    for (int i = 0; i < count; i++) {
        struct gaicb *one = list[i];
        if (one == NULL) continue;
        one->ar_result = NULL;
        one->__return =
            one->ar_name == NULL
                ? real.getaddrinfo(NULL, one->ar_service, one->ar_request, &one->ar_result)
                : look_up(one->ar_name, one->ar_service, one->ar_request, &one->ar_result, caller);
    }
    return 0;
}

DOOR int getaddrinfo_a(int mode, struct gaicb **list, int count, struct sigevent *event)
{
    bool ready = guard_ready();
    (void)SYMBOLS_HAVE(getaddrinfo_a);
    if (!ready || list == NULL || guard_ignores(FS_OUTBOUND))
        return real.getaddrinfo_a(mode, list, count, event);
    if (network_blocks()) {
        bool tells = mode == GAI_NOWAIT && event != NULL && event->sigev_notify != SIGEV_NONE;
        if (!tells || !network_refuses_kind("look up in the background", "dns", CALLER()))
            return look_up_all(list, count, CALLER());
        return refused();
    }
    for (int i = 0; i < count; i++) {
        struct lookup lookup;
        uint8_t ip[16], version;
        const char *name = list[i] != NULL ? list[i]->ar_name : NULL;
        if (name == NULL || address_parse(name, ip, &version)) continue;
        names_refuses(&lookup, name, names_service_port(list[i]->ar_service), CALLER());
        /* It is not known yet whether the name will fail and libc will try the search list. */
        search_list_report(&lookup, NULL, true, CALLER());
    }
    files_check_lookup_variables(CALLER());
    lookup_fds_begin_for_good();
    return real.getaddrinfo_a(mode, list, count, event);
}

#include "doors_addrinfo.gen.h"
