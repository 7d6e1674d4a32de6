/* A bug, linked only into the core of test_soak.py: reading a ClientHello reads one byte too
 * many. The soak under AddressSanitizer must end there. */
#include "network/first_bytes/client_hello.h"

#include <string.h>

static volatile char kept[64];
static volatile size_t kept_size = sizeof kept;

void __real_client_hello_read(const uint8_t *bytes, size_t size, struct client_hello *hello);
void __wrap_client_hello_read(const uint8_t *bytes, size_t size, struct client_hello *hello);

void __wrap_client_hello_read(const uint8_t *bytes, size_t size, struct client_hello *hello)
{
    __real_client_hello_read(bytes, size, hello);
    for (size_t i = 0; i <= kept_size; i++) kept[i] = hello->name[i];
}
