/* Runs the core's pure parsers, for test_parsers.py. The first argument selects the parser, and
 * the others are its input. Each input lies at the end of its own heap block, so that the
 * sanitizer sees a read beyond it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/addresses.h"
#include "network/dns/dns.h"
#include "network/dns/dns_message.h"
#include "network/runtime_api/http.h"
#include "network/names/learnt.h"

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

static void show_address(const struct address *address)
{
    char text[ADDRESS_TEXT_MAX] = "";
    if (address->kind == ADDRESS_IP) address_text(address->ip, address->version, text);
    printf("%d %s %u %s\n", (int)address->kind, text, address->port, address->path);
}

static int sockaddr(const char *hex, int sending)
{
    size_t size;
    uint8_t *bytes = from_hex(hex, &size);
    struct address address;
    address_read(bytes, size, sending, &address);
    show_address(&address);
    free(bytes);
    return 0;
}

static int number(const char *host, int plain)
{
    char *copy = strdup(host), text[ADDRESS_TEXT_MAX], object[ADDRESS_OBJECT_MAX];
    uint8_t ip[16], version;
    if (plain ? address_parse_plain(copy, ip, &version) : address_parse(copy, ip, &version)) {
        address_text(ip, version, text);
        address_object(text, 65535, object);
        printf("%s %s\n", text, object);
    } else {
        printf("-\n");
    }
    free(copy);
    return 0;
}

static int name(const char *given)
{
    char *copy = strdup(given), out[DNS_NAME_MAX + 1];
    printf("%s\n", dns_normalise(copy, out) ? out : "-");
    free(copy);
    return 0;
}

static int question(const char *hex)
{
    size_t size;
    uint8_t *bytes = from_hex(hex, &size);
    struct dns_query query;
    if (dns_query_read(bytes, &size, &query))
        printf("%s %u %u %zu\n", query.name, query.type, query.id, size);
    else
        printf("-\n");
    free(bytes);
    return 0;
}

static int answer(const char *hex)
{
    size_t size;
    uint8_t *bytes = from_hex(hex, &size);
    struct dns_answer found;
    if (dns_answer_read(bytes, size, &found)) {
        printf("%s %u %u", found.question.name, found.question.type, found.question.id);
        for (unsigned i = 0; i < found.count; i++) {
            char text[ADDRESS_TEXT_MAX];
            address_text(found.addresses[i].ip, found.addresses[i].version, text);
            printf(" %s", text);
        }
        printf("\n");
    } else {
        printf("-\n");
    }
    free(bytes);
    return 0;
}

static int special(const char *host)
{
    uint8_t ip[16], version;
    if (!address_parse(host, ip, &version)) return 2;
    printf("%d\n", address_is_special(ip, version));
    return 0;
}

/* Each argument is a piece of the response's head. */
static int response(int count, char **pieces)
{
    struct http_response state;
    bool done = false;
    http_response_begin(&state);
    for (int i = 0; i < count && !done; i++) {
        size_t size;
        uint8_t *bytes = from_hex(pieces[i], &size);
        done = http_response_feed(&state, (const char *)bytes, size);
        free(bytes);
    }
    if (!done)
        puts("more");
    else if (state.tenant_size > 0)
        printf("%.*s of %.*s\n", state.id_size, state.id, state.tenant_size, state.tenant);
    else
        printf("%.*s\n", state.id_size ? state.id_size : 4, state.id_size ? state.id : "none");
    return 0;
}

static int ends(const char *hex)
{
    size_t size;
    uint8_t *bytes = from_hex(hex, &size);
    size_t answered;
    bool next = http_asks_next((const char *)bytes, size);
    printf("%d %d\n", next || http_answers((const char *)bytes, size, &answered) != NULL, next);
    free(bytes);
    return 0;
}

static int learnt(void)
{
    struct learnt_names names;
    uint8_t ip[16] = {192, 0, 2, 1};
    learnt_find(ip, 4, &names);
    unsigned before = names.count;
    learnt_add(ip, 4, "a.example", 0);
    learnt_add(ip, 4, "b.example", learnt_announcement(443, 7));
    learnt_add(ip, 4, "a.example", 0);
    learnt_find(ip, 4, &names);
    printf("%u %u %s %s %d", before, names.count, names.names[0], names.names[1], names.announced);
    bool other_port = learnt_take_announced(ip, 4, 80, 7) || learnt_is_announced(&names, 80, 7) ||
                      !learnt_is_announced(&names, 443, 7);
    bool other_package = learnt_take_announced(ip, 4, 443, 8) ||
                         learnt_is_announced(&names, 443, 8) ||
                         !learnt_is_announced(&names, 443, 0);
    bool first = learnt_take_announced(ip, 4, 443, 7) && !other_port && !other_package,
         second = learnt_take_announced(ip, 4, 443, 7);
    learnt_add(ip, 4, "b.example", learnt_announcement(443, 0));
    bool whoever = learnt_take_announced(ip, 4, 443, 8);
    learnt_add(ip, 4, "b.example", learnt_announcement(443, 8));
    first = first && whoever && learnt_take_announced(ip, 4, 443, 0);
    learnt_find(ip, 4, &names);
    printf(" %d %d %d", first, second, names.announced);
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t other[16] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        char host[DNS_NAME_MAX + 1];
        snprintf(host, sizeof host, "h%u.example", i);
        learnt_add(other, 4, host, 0);
        learnt_find(other, 4, &names);
        if (names.count != 1 || strcmp(names.names[0], host) != 0) return 1;
    }
    for (unsigned i = 0; i < 40; i++) {
        char host[32];
        snprintf(host, sizeof host, "n%u.example", i);
        learnt_add(ip, 4, host, false);
    }
    learnt_find(ip, 4, &names);
    printf(" %u\n", names.count);
    return 0;
}

/* Every parser on `count` pseudo-random inputs: nothing but the sanitizer's silence is asked for.
 */
static int fuzz(unsigned count)
{
    static const char *const seeds[] = {
        "192.168.0.1",
        "0x7f.1",
        "::ffff:127.0.0.1%eth0",
        "1:2:3:4:5:6:7:8",
        "GET /2021-04-23/credentials HTTP/1.1\r\n\r\n",
        "POST /2018-06-01/runtime/invocation/x/response",
        "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: abc\r\n\r\n",
        "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
        "a\x07"
        "example\x00\x00\x01\x00\x01",
    };
    uint64_t random = 88172645463325252u;
    for (unsigned i = 0; i < count; i++) {
        const char *seed = seeds[i % 8];
        size_t size = i % 8 == 7 ? 27 : strlen(seed);
        char *bytes = malloc(size + 1);
        memcpy(bytes, seed, size);
        bytes[size] = '\0';
        for (unsigned change = 0; change < 1 + i % 5; change++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            bytes[random % size] = (char)(random >> 32);
        }
        size_t part = random % (size + 1);
        char *cut = malloc(part ? part : 1), out[DNS_NAME_MAX + 1], joined[DNS_NAME_MAX + 1];
        memcpy(cut, bytes, part);
        struct address address;
        struct http_response head;
        uint8_t ip[16], version;
        http_response_begin(&head);
        address_read(cut, part, i & 1, &address);
        struct dns_answer found;
        dns_answer_read((const uint8_t *)cut, part, &found);
        struct dns_query query;
        size_t length = part;
        dns_query_read((uint8_t *)cut, &length, &query);
        http_response_feed(&head, cut, part);
        http_answers(cut, part, &length);
        dns_normalise(bytes, out);
        dns_join(bytes, bytes, joined);
        if (address_parse(bytes, ip, &version)) {
            char text[ADDRESS_TEXT_MAX];
            uint8_t again[16], same;
            address_text(ip, version, text);
            if (!address_parse(text, again, &same) || !address_equal(ip, version, again, same))
                return 1;
        }
        free(cut);
        free(bytes);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "sockaddr") == 0 && argc == 4) return sockaddr(argv[2], atoi(argv[3]));
    if (strcmp(what, "number") == 0 && argc == 4) return number(argv[2], atoi(argv[3]));
    if (strcmp(what, "name") == 0 && argc == 3) return name(argv[2]);
    if (strcmp(what, "question") == 0 && argc == 3) return question(argv[2]);
    if (strcmp(what, "answer") == 0 && argc == 3) return answer(argv[2]);
    if (strcmp(what, "special") == 0 && argc == 3) return special(argv[2]);
    if (strcmp(what, "response") == 0) return response(argc - 2, argv + 2);
    if (strcmp(what, "ends") == 0 && argc == 3) return ends(argv[2]);
    if (strcmp(what, "learnt") == 0) return learnt();
    if (strcmp(what, "fuzz") == 0 && argc == 3) return fuzz((unsigned)atoi(argv[2]));
    return 2;
}
