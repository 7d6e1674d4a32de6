/* proxy_answer.c: a proxy's answer is read the same wherever it is cut, and an answer that opens
 * a tunnel counts only when it is complete. The first byte says where to cut. */
#include "network/first_bytes/proxy_answer.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    size_t cut = data[0] + 1u;
    char *bytes = malloc(size);
    struct proxy_answer whole = {0}, parts = {0};
    if (!bytes) exit(1);
    memcpy(bytes, data + 1, size - 1);
    size--;
    enum proxy_said said = proxy_answer_feed(&whole, bytes, size, 1);
    if (cut < size) {
        enum proxy_said first = proxy_answer_feed(&parts, bytes, cut, 1);
        enum proxy_said second =
            proxy_answer_feed(&parts, bytes + cut, size - cut, first != PROXY_SAID_NO);
        PROMISE((said == PROXY_SAID_YES) == (second == PROXY_SAID_YES));
        PROMISE(said != PROXY_SAID_YES ||
                (first != PROXY_SAID_NO && memcmp(bytes, "HTTP/1.", 7) == 0));
        PROMISE(parts.seen == whole.seen);
    }
    free(bytes);
    return 0;
}
