/* http.c: the Runtime API's conversation. It is judged the same however it is cut: the first byte
 * says where. */
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

    struct http_response response;
    char id[HTTP_REQUEST_ID_MAX] = "";
    http_response_begin(&response);
    size_t whole = http_response_feed(&response, text, size, id);
    PROMISE(whole < HTTP_REQUEST_ID_MAX + 1);

    if (cut > 0) {
        char id_again[HTTP_REQUEST_ID_MAX] = "";
        size_t found = 0;
        http_response_begin(&response);
        for (size_t at = 0; at < size; at += cut) {
            size_t length = size - at < cut ? size - at : cut;
            if (found == 0) found = http_response_feed(&response, text + at, length, id_again);
        }
        PROMISE(found == whole && memcmp(id, id_again, whole) == 0);
    }
    free(text);
    return 0;
}
