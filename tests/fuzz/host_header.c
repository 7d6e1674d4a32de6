/* host_header.c: requests get the same verdict whole or cut anywhere, and bytes of a body never
 * count as a request. The first byte says where to cut. */
#include "network/first_bytes/host_header.h"

#include "fuzz.h"

struct seen {
    unsigned count;
    uint32_t hash;
};

static bool allows(void *context, const struct host_target *target)
{
    struct seen *seen = context;
    PROMISE(strlen(target->name) <= DNS_NAME_MAX && target->name[0] != '\0');
    for (const char *at = target->name; *at; at++)
        seen->hash = (seen->hash ^ (uint8_t)*at) * 16777619u;
    seen->count++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    size_t cut = data[0] + 1u, used;
    char *bytes = malloc(size);
    bool tunnel;
    struct seen whole = {0}, parts = {0};
    struct host_flow flow = {0}, again = {0};
    if (!bytes) exit(1);
    memcpy(bytes, data + 1, size - 1);
    size--;
    enum host_kind kind = host_flow_feed(&flow, bytes, size, allows, &whole, &tunnel, &used);
    PROMISE(used <= size);
    if (kind == HOST_OK && !tunnel) PROMISE(used == size);
    if (kind == HOST_OK && !tunnel && cut < size) {
        /* In two pieces, with the same verdict. A head that was cut is given again from its
         * start. */
        enum host_kind first = host_flow_feed(&again, bytes, cut, allows, &parts, &tunnel, &used);
        PROMISE((first == HOST_OK || first == HOST_SPLIT) && !tunnel && used <= cut);
        size_t from = first == HOST_SPLIT ? used : cut;
        PROMISE(host_flow_feed(&again, bytes + from, size - from, allows, &parts, &tunnel, &used) ==
                HOST_OK);
        PROMISE(parts.count == whole.count && parts.hash == whole.hash);
        PROMISE(host_flow_body(&again) == host_flow_body(&flow) && again.state == flow.state);
    }
    free(bytes);
    return 0;
}
