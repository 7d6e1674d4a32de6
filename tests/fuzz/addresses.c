/* addresses.c: socket addresses, and numbers in any notation. What was read is printed, and read
 * again with the same result. */
#include "network/addresses.h"

#include "fuzz.h"

static void same_again(const uint8_t ip[16], uint8_t version)
{
    char text[ADDRESS_TEXT_MAX], object[ADDRESS_OBJECT_MAX];
    uint8_t again[16], version_again;
    PROMISE(version == 4 || version == 6);
    address_text(ip, version, text);
    PROMISE(strlen(text) < sizeof text);
    address_object(text, 65535, object);
    PROMISE(address_parse_plain(text, again, &version_again));
    PROMISE(address_equal(ip, version, again, version_again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    uint8_t *bytes = malloc(size - 1 ? size - 1 : 1);
    if (!bytes) exit(1);
    memcpy(bytes, data + 1, size - 1);
    struct address address;
    address_read(bytes, size - 1, data[0] & 1, &address);
    if (address.kind == ADDRESS_IP) same_again(address.ip, address.version);
    PROMISE(memchr(address.path, '\0', sizeof address.path) != NULL);
    char *text = copied_text(data + 1, size - 1);
    uint8_t ip[16], version;
    if (address_parse(text, ip, &version)) same_again(ip, version);
    if (address_parse_plain(text, ip, &version)) same_again(ip, version);
    free(text);
    free(bytes);
    return 0;
}
