/* The doors of the resolver's own functions (res_query and the like), which send any question. */
#include <netdb.h>
#include <string.h>

#include "guard/guard.h"
#include "network/names/names.h"
#include "network/network.h"
#include "network/names/resolving.h"
#include "network/names/search_list.h"
#include "support/copied.h"
#include "support/sys.h"

static int no_answer(void)
{
    h_errno = NO_RECOVERY;
    errno = EACCES;
    return -1;
}

/* The resolver state names the servers. If something blocks, use the thread's own state, not the
 * caller's. */
static void *state_of(void *given)
{
    if (network_blocks()) return resolving_state();
    if (!guard_ignores(FS_OUTBOUND)) names_report_servers(given);
    return given;
}

/* libc's answer, in memory that no other thread writes to, so that the guard learns the addresses
 * that came. */
struct reply {
    unsigned char *bytes; /* what libc is given */
    unsigned char *own; /* the same, NULL where it is the caller's */
    unsigned char *given; /* the caller's */
    int size;
};

enum { REPLY_MAX = 65536, HEAD = 512 };

static void reply_begin(struct reply *reply, unsigned char *answer, int size)
{
    *reply = (struct reply){answer, NULL, answer, size};
    if (answer == NULL || size <= 0 || size > REPLY_MAX || !sys_readable(answer, (size_t)size))
        return;
    unsigned char *own = sys_scratch((size_t)size);
    if (own == NULL) return;
    /* libc may leave an answer even if it returns an error. */
    memcpy(own, answer, size < HEAD ? (size_t)size : HEAD);
    reply->bytes = COPIED_BY_HAND(own, answer);
    reply->own = own;
}

static int ask(struct names_call *call, const struct reply *reply, const struct lookup *lookup)
{
    bool asked = names_ask(call);
    int status = asked ? (int)call->result : no_answer(), error = errno;
    if (reply->own == NULL) return status;
    size_t size = (size_t)reply->size, length = status > 0 ? (size_t)status : HEAD;
    if (length > size) length = size;
    if (status > 0) names_learn_answer(lookup, reply->bytes, length);
    memcpy(reply->given, reply->bytes, length);
    sys_scratch_free(reply->own, size);
    errno = error;
    return status;
}

static int judged_res_query(const char *name, int class, int type, unsigned char *answer, int size,
                            const void *caller)
{
    struct lookup lookup;
    struct reply reply;
    if (names_refuses(&lookup, name, 0, caller)) return no_answer();
    reply_begin(&reply, answer, size);
    NAMES_CALL(call, NEXT(res_query), names_asked(&lookup, name), class, type, reply.bytes, size);
    return ask(&call, &reply, &lookup);
}

static int judged_res_search(const char *name, int class, int type, unsigned char *answer, int size,
                             const void *caller)
{
    struct lookup lookup;
    struct reply reply;
    if (names_refuses(&lookup, name, 0, caller)) return no_answer();
    reply_begin(&reply, answer, size);
    /* Without the search list if the rule blocks. */
    NAMES_CALL(call, NEXT(res_search), names_asked(&lookup, name), class, type, reply.bytes, size);
    int status = ask(&call, &reply, &lookup);
    search_list_report(&lookup, NULL, status < 0, caller);
    return status;
}

static int judged_res_querydomain(const char *name, const char *domain, int class, int type,
                                  unsigned char *answer, int size, const void *caller)
{
    struct lookup lookup;
    struct reply reply;
    char whole[DNS_NAME_MAX + 1];
    if (!dns_join(name, domain, whole)) whole[0] = '\0';
    if (names_refuses(&lookup, whole, 0, caller)) return no_answer();
    reply_begin(&reply, answer, size);
    NAMES_CALL(call, NEXT(res_query), lookup.asked, class, type, reply.bytes, size);
    NAMES_CALL(malformed, NEXT(res_querydomain), name, domain, class, type, reply.bytes, size);
    return ask(COPIED_BY_HAND(whole[0] != '\0', false) ? &call : &malformed, &reply, &lookup);
}

static int judged_res_nquery(void *state, const char *name, int class, int type,
                             unsigned char *answer, int size, const void *caller)
{
    struct lookup lookup;
    struct reply reply;
    if (names_refuses(&lookup, name, 0, caller)) return no_answer();
    reply_begin(&reply, answer, size);
    NAMES_CALL(call, NEXT(res_nquery), state_of(state), names_asked(&lookup, name), class, type,
               reply.bytes, size);
    return ask(&call, &reply, &lookup);
}

static int judged_res_nsearch(void *state, const char *name, int class, int type,
                              unsigned char *answer, int size, const void *caller)
{
    struct lookup lookup;
    struct reply reply;
    if (names_refuses(&lookup, name, 0, caller)) return no_answer();
    reply_begin(&reply, answer, size);
    NAMES_CALL(call, NEXT(res_nsearch), state_of(state), names_asked(&lookup, name), class, type,
               reply.bytes, size);
    int status = ask(&call, &reply, &lookup);
    search_list_report(&lookup, state, status < 0, caller);
    return status;
}

static int judged_res_nquerydomain(void *state, const char *name, const char *domain, int class,
                                   int type, unsigned char *answer, int size, const void *caller)
{
    struct lookup lookup;
    struct reply reply;
    char whole[DNS_NAME_MAX + 1];
    if (!dns_join(name, domain, whole)) whole[0] = '\0';
    if (names_refuses(&lookup, whole, 0, caller)) return no_answer();
    reply_begin(&reply, answer, size);
    NAMES_CALL(call, NEXT(res_nquery), state_of(state), lookup.asked, class, type, reply.bytes,
               size);
    NAMES_CALL(malformed, NEXT(res_nquerydomain), state, name, domain, class, type, reply.bytes,
               size);
    return ask(COPIED_BY_HAND(whole[0] != '\0', false) ? &call : &malformed, &reply, &lookup);
}

/* The packet to send: our copy if something blocks, else the caller's. */
static const uint8_t *sent(const struct names_query *query, const unsigned char *packet,
                           int *length)
{
    if (!network_blocks() || query->length == 0) return packet;
    *length = (int)query->length;
    return COPIED_BY_HAND(query->copy, packet);
}

static int judged_res_send(const unsigned char *packet, int length, unsigned char *answer, int size,
                           const void *caller)
{
    struct names_query query;
    struct reply reply;
    if (guard_ignores(FS_OUTBOUND)) return NEXT(res_send)(packet, length, answer, size);
    if (names_refuses_query(&query, packet, length > 0 ? (size_t)length : 0, caller))
        return no_answer();
    const uint8_t *copy = sent(&query, packet, &length);
    reply_begin(&reply, answer, size);
    NAMES_CALL(call, NEXT(res_send), copy, length, reply.bytes, size);
    return ask(&call, &reply, &query.lookup);
}

static int judged_res_nsend(void *state, const unsigned char *packet, int length,
                            unsigned char *answer, int size, const void *caller)
{
    struct names_query query;
    struct reply reply;
    if (guard_ignores(FS_OUTBOUND)) return NEXT(res_nsend)(state, packet, length, answer, size);
    if (names_refuses_query(&query, packet, length > 0 ? (size_t)length : 0, caller))
        return no_answer();
    const uint8_t *copy = sent(&query, packet, &length);
    reply_begin(&reply, answer, size);
    NAMES_CALL(call, NEXT(res_nsend), state_of(state), copy, length, reply.bytes, size);
    return ask(&call, &reply, &query.lookup);
}

#include "doors_queries.gen.h"
