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

/* The value of the header `name`, which is in small letters and ends with its colon; 0 where the
 * line is another. */
static size_t value_of(const char *line, size_t length, const char *name, char *out, size_t most)
{
    size_t start = strlen(name), size = 0;
    if (length < start) return 0;
    for (size_t i = 0; i < start; i++) {
        char c = line[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (c != name[i]) return 0;
    }
    while (start < length && (line[start] == ' ' || line[start] == '\t')) start++;
    /* What is no visible ASCII ends the value: it goes into events. */
    while (start + size < length && size < most && line[start + size] > ' ' &&
           line[start + size] < 127)
        size++;
    memcpy(out, line + start, size);
    return size;
}

size_t http_response_feed(struct http_response *response, const char *bytes, size_t size, char *id)
{
    for (size_t i = 0; i < size && !response->done; i++) {
        if (bytes[i] != '\n') {
            if (response->length < sizeof response->line)
                response->line[response->length++] = bytes[i];
            continue;
        }
        size_t length = response->length;
        response->length = 0;
        if (length > 0 && response->line[length - 1] == '\r') length--;
        if (length == 0) {
            response->done = true;
            break;
        }
        if (response->arn_size == 0)
            response->arn_size = (uint16_t)value_of(
                response->line, length, "lambda-runtime-invoked-function-arn:", response->arn,
                sizeof response->arn);
        size_t size_of_id =
            response->found ? 0
                            : value_of(response->line, length, "lambda-runtime-aws-request-id:", id,
                                       HTTP_REQUEST_ID_MAX);
        if (size_of_id > 0) response->found = true;
        response->done = response->found && response->arn_size > 0;
        if (size_of_id > 0) {
            /* The rest of these bytes is read too: the caller has the id of this head once. */
            char none[HTTP_REQUEST_ID_MAX];
            http_response_feed(response, bytes + i + 1, size - i - 1, none);
            return size_of_id;
        }
    }
    return 0;
}
