/* The doors of getaddrinfo: a name that no rule allows is refused before a query leaves. */
#include <netdb.h>
#include <string.h>

#include "addresses.h"
#include "guard.h"
#include "names.h"
#include "network.h"

static int look_up(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result,
                   const void *caller)
{
    struct lookup lookup;
    struct resolving resolving;
    uint8_t ip[16], version;
    char number[DNS_NAME_MAX + 3];
    size_t length = strnlen(node, sizeof number);
    if (length < sizeof number) {
        memcpy(number, node, length);
        number[length] = '\0';
        if (address_parse(number, ip, &version) || length == 0) {
            struct addrinfo numeric = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG, .ai_family = AF_UNSPEC};
            if (hints != NULL) numeric = *hints;
            numeric.ai_flags |= AI_NUMERICHOST;
            return real.getaddrinfo(number, service, &numeric, result);
        }
    }
    struct addrinfo wanted;
    if (hints != NULL) {
        wanted = *hints;
        if (wanted.ai_flags & AI_NUMERICHOST) return real.getaddrinfo(node, service, &wanted, result);
        hints = &wanted;
    }
    if (names_refuses(&lookup, node, network_service_port(service), caller) || !names_begin(&resolving)) {
        errno = EACCES;
        return EAI_FAIL;
    }
    int status = real.getaddrinfo(names_asked(&lookup, node), service, hints, result);
    resolving_end(&resolving);
    if (status == 0) {
        int error = errno;
        names_learn_list(&lookup, *result);
        errno = error;
    }
    return status;
}

DOOR int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    if (!guard_ready() || node == NULL || guard_thread.resolving > 0) return real.getaddrinfo(node, service, hints, result);
    return look_up(node, service, hints, result, CALLER());
}

/* Where something blocks, in the caller's own time: the threads that libc would ask from are not ours to make absolute. */
static int look_up_all(struct gaicb **list, int count, const void *caller)
{
    for (int i = 0; i < count; i++) {
        struct gaicb *one = list[i];
        if (one == NULL) continue;
        one->ar_result = NULL;
        one->__return = one->ar_name == NULL
                            ? real.getaddrinfo(NULL, one->ar_service, one->ar_request, &one->ar_result)
                            : look_up(one->ar_name, one->ar_service, one->ar_request, &one->ar_result, caller);
    }
    return 0;
}

DOOR int getaddrinfo_a(int mode, struct gaicb **list, int count, struct sigevent *event)
{
    bool ready = guard_ready();
    if (!HAVE(getaddrinfo_a)) {
        errno = ENOSYS;
        return EAI_SYSTEM;
    }
    if (!ready || list == NULL || guard_ignores(FS_OUTBOUND)) return real.getaddrinfo_a(mode, list, count, event);
    if (network_blocks()) {
        bool tells = mode == GAI_NOWAIT && event != NULL && event->sigev_notify != SIGEV_NONE;
        if (!tells || !network_refuses_kind("look up in the background", "dns", CALLER())) return look_up_all(list, count, CALLER());
        errno = EACCES;
        return EAI_FAIL;
    }
    for (int i = 0; i < count; i++) {
        struct lookup lookup;
        uint8_t ip[16], version;
        const char *name = list[i] != NULL ? list[i]->ar_name : NULL;
        if (name != NULL && !address_parse(name, ip, &version)) names_refuses(&lookup, name, network_service_port(list[i]->ar_service), CALLER());
    }
    return real.getaddrinfo_a(mode, list, count, event);
}

#include "aliases_addrinfo.gen.h"
