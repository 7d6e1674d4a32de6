/* Shared by the doors of lookups. */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/dns/dns.h"
#include "network/dns/dns_message.h"
#include "policy/policy.h"
#include "network/names/resolving.h"
#include "libc/symbols.h"

/* A name that a caller looks up. */
struct lookup {
    char asked[DNS_NAME_MAX + 3]; /* our copy, as the caller spells it: libc asks for this one */
    char name[DNS_NAME_MAX + 1]; /* normalised, "" if it is not a name */
    uint16_t port;
    bool announced; /* reported with its caller, and allowed: the connection that follows is the
                       same act */
    uint32_t package; /* the caller's (guard_thread.note_package); 0: not known to the interpreter
                         ring */
    struct fs_verdict verdict;
};

/* The verdict that the doors would give for a name: for the interpreter ring, and for names that a
 * proxy is asked for. `callers`: NULL for a lookup. */
struct fs_verdict names_judge(const char *name, uint16_t port, const struct fs_callers *callers);

/* The object of a note about a lookup: address_object of the normalised name. `object` has
 * ADDRESS_OBJECT_MAX bytes. */
void names_object(const char *name, uint16_t port, char *object);

/* The port of a service as getaddrinfo takes it: digits, "http" or "https". 0 for others and NULL.
 */
uint16_t names_service_port(const char *service);

/* Copies, judges and reports. Returns true if the lookup must fail. */
bool names_refuses(struct lookup *lookup, const char *name, uint16_t port, const void *caller);

/* A query packet that the program made. */
struct names_query {
    struct lookup lookup;
    struct dns_query question;
    size_t length; /* bytes of `copy` that may be sent; 0 if the packet cannot be read */
    uint8_t copy[DNS_QUERY_MAX];
};

/* The same for a whole packet. */
bool names_refuses_query(struct names_query *query, const void *packet, size_t size,
                         const void *caller);

/* The name that libc must ask for: our copy. A name that is too long is malformed; if that is only
 * reported, libc gets the caller's own string. */
const char *names_asked(const struct lookup *lookup, const char *name);

enum { NAMES_ARGUMENTS = 8 };

/* A lookup by a function of libc. Its arguments are integers and pointers: both ABIs pass words. */
struct names_call {
    void (*function)(void);
    long arguments[NAMES_ARGUMENTS];
    long result;
    bool leaves_nothing; /* it leaves no socket open, whatever the caller's resolver state says */
    bool absolute, asked;
};

/* Makes the call. If outbound_connectivity blocks, the name is absolute, and the call has an fd
 * table of its own (apart.h). Returns false if it was not made, which is reported. */
bool names_ask(struct names_call *call);

/* Answers of a resolver on this machine are trusted only if it was there at start. Call this around
 * a lookup, for the resolver that libc itself asks; or with `any`, around a connection that a
 * module of libc's makes during a lookup. Reported. Returns true if it must fail. */
bool names_refuse_local_resolver(bool any);

/* For policies that do not block: reports a resolver state that names other servers than the
 * system's. NULL means the thread's own state. */
void names_report_servers(const void *state);

#define NAMES_WORD(value)                               ((long)(value))
#define NAMES_W1(a)                                     NAMES_WORD(a)
#define NAMES_W2(a, ...)                                NAMES_WORD(a), NAMES_W1(__VA_ARGS__)
#define NAMES_W3(a, ...)                                NAMES_WORD(a), NAMES_W2(__VA_ARGS__)
#define NAMES_W4(a, ...)                                NAMES_WORD(a), NAMES_W3(__VA_ARGS__)
#define NAMES_W5(a, ...)                                NAMES_WORD(a), NAMES_W4(__VA_ARGS__)
#define NAMES_W6(a, ...)                                NAMES_WORD(a), NAMES_W5(__VA_ARGS__)
#define NAMES_W7(a, ...)                                NAMES_WORD(a), NAMES_W6(__VA_ARGS__)
#define NAMES_W8(a, ...)                                NAMES_WORD(a), NAMES_W7(__VA_ARGS__)
#define NAMES_N(_1, _2, _3, _4, _5, _6, _7, _8, n, ...) NAMES_W##n
#define NAMES_CALL(name, called, ...)                                                              \
    struct names_call name = {                                                                     \
        .function = (void (*)(void))(called),                                                      \
        .arguments = {NAMES_N(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)(__VA_ARGS__)},               \
    }

struct addrinfo;
struct hostent;
/* Learns the addresses of an answer. */
void names_learn_list(const struct lookup *lookup, const struct addrinfo *list);
void names_learn_host(const struct lookup *lookup, const struct hostent *host);
/* Learns the addresses of a response. */
void names_learn_addresses(const struct lookup *lookup, struct dns_answer *answer);
/* Learns from a response that libc received, if it is about this name. */
void names_learn_answer(const struct lookup *lookup, const void *packet, size_t size);

/* Before glibc 2.34 the resolver's functions are in libresolv, which can be loaded late, under
 * names with underscores. */
#define NEXT(symbol) (SYMBOLS_HAVE(symbol) ? real.symbol : real.__##symbol)

#endif
