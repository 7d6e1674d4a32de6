/* The little HTTP that the conversation with the Runtime API needs. No libc calls beyond memory. */
#include "network/runtime_api/http.h"

#include <string.h>

static bool begins(const char *bytes, size_t size, const char *prefix)
{
    size_t length = strlen(prefix);
    return size >= length && memcmp(bytes, prefix, length) == 0;
}

bool http_asks_next(const char *bytes, size_t size)
{
    return begins(bytes, size, "GET /2018-06-01/runtime/invocation/next");
}

const char *http_answers(const char *bytes, size_t size, size_t *id_size)
{
    static const char post[] = "POST /2018-06-01/runtime/invocation/";
    if (!begins(bytes, size, post)) return NULL;
    size_t start = sizeof post - 1, at = start,
           limit = size < at + HTTP_REQUEST_ID_MAX ? size : at + HTTP_REQUEST_ID_MAX;
    while (at < limit && bytes[at] != '/' && bytes[at] != ' ' && bytes[at] != '\r' &&
           bytes[at] != '\n')
        at++;
    *id_size = at - start;
    return begins(bytes + at, size - at, "/response") || begins(bytes + at, size - at, "/error")
               ? bytes + start
               : NULL;
}

void http_response_begin(struct http_response *response) { memset(response, 0, sizeof *response); }

/* Takes the value of the header `name` (in lower case, with its colon), unless the line is another
 * header or the value was seen before. */
static void take(const struct http_response *response, const char *name, char *out,
                 uint16_t *size_out, size_t most, bool text)
{
    const char *line = response->line;
    size_t start = strlen(name), size = 0, length = response->length;
    if (*size_out > 0 || length < start) return;
    for (size_t i = 0; i < start; i++) {
        char c = line[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (c != name[i]) return;
    }
    while (start < length && (line[start] == ' ' || line[start] == '\t')) start++;
    for (; start < length && size < most; start++) {
        char c = line[start];
        /* A byte that is not visible ASCII ends the value, unless any text is allowed: that may
         * contain spaces, which are trimmed at its end only. */
        if (!text && (c <= ' ' || c >= 127)) break;
        out[size++] = c ? c : '\xff';
    }
    while (text && size > 0 && out[size - 1] == ' ') size--;
    *size_out = (uint16_t)size;
}

bool http_response_feed(struct http_response *response, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n') {
            if (response->length < sizeof response->line)
                response->line[response->length++] = bytes[i];
            continue;
        }
        if (response->length > 0 && response->line[response->length - 1] == '\r')
            response->length--;
        if (response->length == 0) return true;
        take(response, "lambda-runtime-aws-request-id:", response->id, &response->id_size,
             sizeof response->id, false);
        take(response, "lambda-runtime-invoked-function-arn:", response->arn, &response->arn_size,
             sizeof response->arn, false);
        take(response, "lambda-runtime-aws-tenant-id:", response->tenant, &response->tenant_size,
             sizeof response->tenant, true);
        response->length = 0;
    }
    return false;
}
