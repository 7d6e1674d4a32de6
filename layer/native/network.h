/* What the doors of the network share, and what the interpreter ring needs of them. */
#ifndef FS_NETWORK_H
#define FS_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addresses.h"
#include "dns.h"
#include "learnt.h"
#include "policy.h"

/* A destination and what was said about it. */
struct network_target {
    struct address address;
    struct fs_verdict verdict;
    enum fs_family family;    /* FS_OUTBOUND or FS_RUNTIME_API */
    uint8_t asker;            /* enum runtime_asker, where family is FS_RUNTIME_API */
    bool resolver;            /* a name server of the system, on its port: `verdict` is for all but UDP */
    bool announced;           /* alert: the look-up was reported, the connection is the same act */
    char host[FS_HOST_MAX + 1]; /* the name that decided, "" where none is known */
};

/* As network_judge_address (guard.h), with the family that answered: FS_OUTBOUND or FS_RUNTIME_API. `host` has
 * FS_HOST_MAX + 1 bytes, `ip` ADDRESS_TEXT_MAX; "" where unknown. A destination whose look-up was reported and let through
 * by who asks now (guard_thread.note_asker) gets FS_ALLOW and sets `announced`: it is the same act. Of the Runtime API, the ring must set runtime_client_asked (runtime_api.h) before. */
struct fs_verdict network_judge_target(const void *address, size_t size, char *host, char *ip, uint16_t *port,
                                       enum fs_family *family, bool *announced);

/* What a note about a look-up is called: network_object of the normalised name. `object`: ADDRESS_OBJECT_MAX bytes. */
void network_name_object(const char *name, uint16_t port, char *object);

/* A service as getaddrinfo takes it: a number, "http", "https"; else 0, not known. NULL is 0. */
uint16_t network_service_port(const char *service);

/* A verdict for what is refused by its kind, in the mode of outbound_connectivity. */
struct fs_verdict network_judge_kind(void);
/* Judges and reports; true where it must fail with EACCES. `kind` is the protocol of the event: "raw", "AF_PACKET". */
bool network_refuses_kind(const char *verb, const char *kind, const void *caller);

/* Judges an address that is only looked up (its name is asked for), and reports. True where it must fail. */
bool network_refuses_reverse(const uint8_t ip[16], uint8_t version, const void *caller);

/* A name that is always looked up: localhost, this machine's, the Runtime API's. Normalised. */
bool network_is_own_name(const char *name);

/* outbound_connectivity blocks here: allowed names are then asked absolute. */
bool network_blocks(void);

#endif
