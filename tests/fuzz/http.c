/* http.c: the Runtime API's conversation. It is judged the same however it is cut: the first byte says where. */
#include "http.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    size_t cut = data[0];
    uint8_t permits = data[1] & 3;
    char *text = malloc(size - 2 ? size - 2 : 1);
    if (!text) exit(1);
    size -= 2;
    memcpy(text, data + 2, size);
    (void)http_ends_invocation(text, size);
    (void)http_asks_next(text, size);

    struct http_response response;
    char id[HTTP_REQUEST_ID_MAX] = "";
    http_response_begin(&response);
    size_t whole = http_response_feed(&response, text, size, id);
    PROMISE(whole < HTTP_REQUEST_ID_MAX + 1);
    struct http_requests requests = {.permits = permits}, pieces = {.permits = permits};
    bool fits = http_requests_feed(&requests, text, size);

    if (cut > 0) {
        char id_again[HTTP_REQUEST_ID_MAX] = "";
        size_t found = 0;
        bool fits_again = true;
        http_response_begin(&response);
        for (size_t at = 0; at < size; at += cut) {
            size_t length = size - at < cut ? size - at : cut;
            if (found == 0) found = http_response_feed(&response, text + at, length, id_again);
            if (fits_again) fits_again = http_requests_feed(&pieces, text + at, length);
        }
        PROMISE(found == whole && memcmp(id, id_again, whole) == 0);
        PROMISE(fits == fits_again);
    }
    free(text);
    return 0;
}
