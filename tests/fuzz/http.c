/* http.c: the Runtime API's conversation gets the same verdict wherever it is cut. The first
 * byte says where. */
#include "network/runtime_api/http.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    size_t cut = data[0];
    char *text = malloc(size - 2 ? size - 2 : 1);
    if (!text) exit(1);
    size -= 2;
    memcpy(text, data + 2, size);
    size_t answered;
    const char *answers = http_answers(text, size, &answered);
    PROMISE(answers == NULL || (answers >= text && answers + answered <= text + size));
    (void)http_asks_next(text, size);

    struct http_response whole, response;
    http_response_begin(&whole);
    bool done = http_response_feed(&whole, text, size);
    PROMISE(whole.id_size <= sizeof whole.id && whole.arn_size <= sizeof whole.arn);
    PROMISE(whole.tenant_size <= sizeof whole.tenant);
    PROMISE(memchr(whole.tenant, 0, whole.tenant_size) == NULL);

    if (cut > 0) {
        bool found = false;
        http_response_begin(&response);
        for (size_t at = 0; at < size && !found; at += cut)
            found = http_response_feed(&response, text + at, size - at < cut ? size - at : cut);
        PROMISE(found == done && memcmp(&whole, &response, sizeof whole) == 0);
    }
    free(text);
    return 0;
}
