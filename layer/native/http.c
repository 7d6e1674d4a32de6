/* The little HTTP that the conversation with the Runtime API needs. No libc calls beyond memory. */
#include "http.h"

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

bool http_ends_invocation(const char *bytes, size_t size)
{
    static const char post[] = "POST /2018-06-01/runtime/invocation/";
    if (http_asks_next(bytes, size)) return true;
    if (!begins(bytes, size, post)) return false;
    size_t at = sizeof post - 1, limit = size < at + HTTP_REQUEST_ID_MAX ? size : at + HTTP_REQUEST_ID_MAX;
    while (at < limit && bytes[at] != '/' && bytes[at] != ' ' && bytes[at] != '\r' && bytes[at] != '\n') at++;
    return begins(bytes + at, size - at, "/response") || begins(bytes + at, size - at, "/error");
}

void http_response_begin(struct http_response *response)
{
    memset(response, 0, sizeof *response);
}

/* The value of the header `name`, which is in small letters and ends with its colon; 0 where the line is another. */
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
    while (start + size < length && size < most && line[start + size] > ' ' && line[start + size] < 127) size++;
    memcpy(out, line + start, size);
    return size;
}

size_t http_response_feed(struct http_response *response, const char *bytes, size_t size, char *id)
{
    for (size_t i = 0; i < size && !response->done; i++) {
        if (bytes[i] != '\n') {
            if (response->length < sizeof response->line) response->line[response->length++] = bytes[i];
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
            response->arn_size = (uint16_t)value_of(response->line, length, "lambda-runtime-invoked-function-arn:",
                                                    response->arn, sizeof response->arn);
        size_t size_of_id = response->found ? 0
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

enum { AT_LINE, IN_HEAD, FREE };

static const char credentials[] = "GET /2021-04-23/credentials ";
static const char init_error[] = "POST /2018-06-01/runtime/init/error ";

bool http_requests_feed(struct http_requests *requests, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = bytes[i];
        if (requests->state == FREE) return true;
        if (requests->state == AT_LINE) {
            /* The two lines differ in their first byte, so that `matched` and this byte tell which of them it is. */
            bool posts = requests->permits & HTTP_INIT_ERROR && (requests->matched == 0 ? c == 'P' : requests->returned);
            const char *line = posts ? init_error : credentials;
            size_t length = posts ? sizeof init_error - 1 : sizeof credentials - 1;
            if (!posts && !(requests->permits & HTTP_CREDENTIALS)) return false;
            if (requests->matched >= length || c != line[requests->matched]) return false;
            requests->returned = posts;
            if (++requests->matched == length) {
                requests->state = posts ? FREE : IN_HEAD;
                requests->matched = 0;
                requests->returned = false;
                requests->line_empty = false;
            }
            continue;
        }
        if (c == '\n') {
            if (requests->line_empty) requests->state = AT_LINE;
            requests->line_empty = true;
            requests->returned = false;
        } else if (requests->returned || ((unsigned char)c < ' ' && c != '\r' && c != '\t')) {
            return false;
        } else if (c == '\r') {
            requests->returned = true;
        } else {
            requests->line_empty = false;
        }
    }
    return true;
}
