/* Runs the parsers of first bytes, for test_first_bytes.py. Each piece of input lies in a heap
 * block of exactly its size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/first_bytes/client_hello.h"
#include "network/first_bytes/host_header.h"
#include "network/runtime_api/permits.h"
#include "network/first_bytes/proxy_answer.h"

static uint8_t *from_hex(const char *text, size_t *size)
{
    *size = strlen(text) / 2;
    uint8_t *bytes = malloc(*size ? *size : 1);
    for (size_t i = 0; i < *size; i++) {
        unsigned value;
        if (sscanf(text + 2 * i, "%2x", &value) != 1) exit(2);
        bytes[i] = (uint8_t)value;
    }
    return bytes;
}

static const char *const hellos[] = {"named",     "split",   "not_tls", "oversized", "fragmented",
                                     "malformed", "unnamed", "ech",     "early_data"};
static const char *const nexts[] = {"over", "open", "again", "split"};
static const char *const hosts[] = {"fine",    "split", "not_http", "malformed",
                                    "unnamed", "twice", "upgrade",  "refused"};

static int hello(const char *hex)
{
    size_t size;
    uint8_t *bytes = from_hex(hex, &size);
    struct client_hello read;
    client_hello_read(bytes, size, &read);
    printf("%s %s\n", hellos[read.kind], read.name);
    free(bytes);
    return 0;
}

static int next(const char *hex)
{
    size_t size, at;
    uint8_t *bytes = from_hex(hex, &size);
    struct client_hello read = {0};
    enum hello_next after = client_hello_next(bytes, size, &at, &read);
    printf("%s %s\n", nexts[after], after == HELLO_NEXT_AGAIN ? read.name : "");
    free(bytes);
    return 0;
}

/* Allows names that begin with "good", and notes every name. */
static bool allows(void *context, const struct host_target *target)
{
    (void)context;
    printf("%s:%u ", target->name, (unsigned)target->port);
    return strncmp(target->name, "good", 4) == 0;
}

static int requests(int count, char **pieces)
{
    struct host_flow flow = {0};
    uint8_t *rest = NULL;
    size_t left = 0;
    for (int i = 0; i < count; i++) {
        size_t size, used;
        bool tunnel;
        uint8_t *more = from_hex(pieces[i], &size), *bytes = malloc(left + size ? left + size : 1);
        if (left > 0) memcpy(bytes, rest, left);
        memcpy(bytes + left, more, size);
        size += left;
        enum host_kind kind =
            host_flow_feed(&flow, (const char *)bytes, size, allows, NULL, &tunnel, &used);
        free(more);
        free(rest);
        if ((kind != HOST_OK && kind != HOST_SPLIT) || tunnel) {
            printf("%s\n", tunnel ? "tunnel" : hosts[kind]);
            free(bytes);
            return 0;
        }
        /* An unfinished head is given again, together with what follows. */
        left = kind == HOST_SPLIT ? size - used : 0;
        rest = malloc(left ? left : 1);
        memcpy(rest, bytes + size - left, left);
        free(bytes);
    }
    free(rest);
    if (left > 0)
        printf("split\n");
    else
        printf("fine %llu\n", (unsigned long long)host_flow_body(&flow));
    return 0;
}

static bool permits(void *context, const struct host_target *target)
{
    struct permitted_id id;
    return permits_request(*(uint8_t *)context, target->request, &id) != 0;
}

static int permitted(const char *bits, const char *hex)
{
    struct host_flow flow = {.trailers = true};
    size_t size, used;
    bool tunnel;
    uint8_t *bytes = from_hex(hex, &size), given = (uint8_t)atoi(bits);
    enum host_kind kind =
        host_flow_feed(&flow, (const char *)bytes, size, permits, &given, &tunnel, &used);
    printf("%s\n", tunnel ? "tunnel" : hosts[kind]);
    free(bytes);
    return 0;
}

static const char *const said[] = {"nothing", "no", "yes", "unclear"};

/* An argument with "+" is a CONNECT to send. Every other one is part of the proxy's answer. */
static int answers(int count, char **pieces)
{
    struct proxy_answer answer = {0};
    int asked = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(pieces[i], "+") == 0) {
            asked = 1;
            continue;
        }
        size_t size;
        uint8_t *bytes = from_hex(pieces[i], &size);
        enum proxy_said last = proxy_answer_feed(&answer, (const char *)bytes, size, asked);
        free(bytes);
        if (last == PROXY_SAID_NO) asked = 0;
        if (last != PROXY_SAID_NOTHING) printf("%s ", said[last]);
        if (last == PROXY_SAID_YES) break;
    }
    printf("\n");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "hello") == 0) return hello(argv[2]);
    if (argc == 3 && strcmp(argv[1], "next") == 0) return next(argv[2]);
    if (argc >= 3 && strcmp(argv[1], "requests") == 0) return requests(argc - 2, argv + 2);
    if (argc == 4 && strcmp(argv[1], "permitted") == 0) return permitted(argv[2], argv[3]);
    if (argc >= 3 && strcmp(argv[1], "answers") == 0) return answers(argc - 2, argv + 2);
    return 2;
}
