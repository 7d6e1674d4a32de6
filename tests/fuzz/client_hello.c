/* client_hello.c: a ClientHello is read the same whatever follows it, and no part of one is
 * accepted as a whole one. */
#include "network/first_bytes/client_hello.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client_hello hello, again;
    uint8_t *bytes = malloc(size ? size : 1);
    size_t at;
    if (!bytes) exit(1);
    if (size > 0) memcpy(bytes, data, size);
    client_hello_read(bytes, size, &hello);
    PROMISE(hello.size <= size && strlen(hello.name) <= DNS_NAME_MAX);
    if (hello.kind == HELLO_NAMED) {
        char normal[DNS_NAME_MAX + 1];
        PROMISE(dns_normalise(hello.name, normal) && strcmp(normal, hello.name) == 0);
        uint8_t *whole = malloc(hello.size);
        if (!whole) exit(1);
        memcpy(whole, bytes, hello.size);
        client_hello_read(whole, hello.size, &again);
        PROMISE(again.kind == HELLO_NAMED && again.size == hello.size &&
                strcmp(again.name, hello.name) == 0);
        client_hello_read(whole, hello.size - 1, &again);
        PROMISE(again.kind == HELLO_SPLIT);
        /* The bytes that follow are classified too: a second ClientHello is never overlooked. */
        PROMISE(client_hello_next(whole, hello.size, &at, &again) == HELLO_NEXT_AGAIN &&
                strcmp(again.name, hello.name) == 0);
        free(whole);
    }
    (void)client_hello_next(bytes, size, &at, &again);
    PROMISE(at <= size);
    free(bytes);
    return 0;
}
