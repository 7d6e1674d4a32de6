/* dns_message.c: questions and answers. An accepted question carries nothing but its name, and
 * is accepted again after it was cleaned. The addresses of an answer belong to that name's
 * chain. */
#include "network/dns/dns_message.h"

#include "fuzz.h"

static void normal(const char *name)
{
    char again[DNS_NAME_MAX + 1];
    PROMISE(strlen(name) <= DNS_NAME_MAX && name[0] != '\0');
    PROMISE(dns_normalise(name, again) && strcmp(name, again) == 0);
}

/* Header, name, type, class, and at most an OPT record of 11 bytes. */
static void asks(uint8_t *packet, size_t size, const struct dns_query *query)
{
    struct dns_query again;
    size_t length = size, plain = 12 + strlen(query->name) + 2 + 4;
    normal(query->name);
    PROMISE(size == plain || size == plain + 11);
    PROMISE(dns_query_read(packet, &length, &again) && length == size);
    PROMISE(again.id == query->id && again.type == query->type &&
            strcmp(again.name, query->name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_query query;
    struct dns_answer answer;
    uint8_t *packet = malloc(size ? size : 1);
    if (!packet) exit(1);
    if (size > 0) memcpy(packet, data, size);
    if (dns_answer_read(packet, size, &answer)) {
        normal(answer.question.name);
        PROMISE(answer.count <= DNS_ADDRESSES_MAX);
        for (unsigned i = 0; i < answer.count; i++)
            PROMISE(answer.addresses[i].version == 4 || answer.addresses[i].version == 6);
    }
    size_t length = size;
    if (dns_query_read(packet, &length, &query)) {
        PROMISE(length <= size);
        asks(packet, length, &query);
    }
    free(packet);
    return 0;
}
