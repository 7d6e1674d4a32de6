/* The core's parsers as plain functions, for ctypes. Each gets a copy of the bytes of exactly
 * their size. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "network/first_bytes/client_hello.h"
#include "network/dns/dns_message.h"
#include "network/first_bytes/host_header.h"

#define ALLOWED "allowed.example"

static bool allows(void *context, const struct host_target *target)
{
    ++*(unsigned *)context;
    return strcmp(target->name, ALLOWED) == 0;
}

static void *copied(const void *bytes, size_t size)
{
    void *copy = malloc(size ? size : 1);
    if (!copy) abort();
    memcpy(copy, bytes, size);
    return copy;
}

/* The number of `bytes` that leave when they are written in pieces that end at `cuts`, until a
 * piece is refused. `asked` is the number of hosts that were judged. */
size_t oracle_http(const char *bytes, const size_t *cuts, size_t count, unsigned *asked)
{
    struct host_flow flow = {0};
    size_t passed = 0;
    *asked = 0;
    for (size_t i = 0; i < count; i++) {
        bool tunnel;
        size_t used, size = cuts[i] - passed;
        char *piece = copied(bytes + passed, size);
        enum host_kind kind = host_flow_feed(&flow, piece, size, allows, asked, &tunnel, &used);
        free(piece);
        if (kind != HOST_OK && kind != HOST_SPLIT) break;
        /* An unfinished head waits, and is given again with the next piece. */
        passed += tunnel || kind == HOST_SPLIT ? used : size;
        if (tunnel) break;
    }
    return passed;
}

/* The kind (enum hello_kind). `name` is the server name, and `size` the record's size. */
int oracle_hello(const uint8_t *bytes, size_t size, char *name, size_t *record)
{
    struct client_hello hello;
    uint8_t *copy = copied(bytes, size);
    client_hello_read(copy, size, &hello);
    free(copy);
    strcpy(name, hello.name);
    *record = hello.size;
    return (int)hello.kind;
}

/* What follows a ClientHello (enum hello_next). For a second ClientHello, its kind and name. */
int oracle_hello_next(const uint8_t *bytes, size_t size, int *kind, char *name)
{
    struct client_hello hello = {.kind = HELLO_NOT_TLS};
    uint8_t *copy = copied(bytes, size);
    size_t at;
    int next = (int)client_hello_next(copy, size, &at, &hello);
    free(copy);
    *kind = (int)hello.kind;
    strcpy(name, hello.name);
    return next;
}

/* The size of the question in `out` as it leaves; 0 if it does not leave. */
size_t oracle_question(const uint8_t *bytes, size_t size, char *name, uint16_t *type, uint8_t *out)
{
    struct dns_query query;
    uint8_t *copy = copied(bytes, size);
    size_t left = size;
    bool passes = dns_query_read(copy, &left, &query);
    if (passes) {
        strcpy(name, query.name);
        *type = query.type;
        memcpy(out, copy, left);
    }
    free(copy);
    return passes ? left : 0;
}

/* The number of learnt addresses, in `addresses`: 17 bytes each, the version first. -1 if the
 * bytes are no answer. */
int oracle_answer(const uint8_t *bytes, size_t size, char *name, uint8_t *addresses)
{
    static struct dns_answer answer;
    uint8_t *copy = copied(bytes, size);
    bool reads = dns_answer_read(copy, size, &answer);
    free(copy);
    if (!reads) return -1;
    strcpy(name, answer.question.name);
    for (unsigned i = 0; i < answer.count; i++) {
        addresses[17 * i] = answer.addresses[i].version;
        memcpy(addresses + 17 * i + 1, answer.addresses[i].ip, 16);
    }
    return (int)answer.count;
}
