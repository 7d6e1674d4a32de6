/* The little HTTP that the conversation with the Runtime API needs: read byte by byte, in whatever
 * pieces. Pure functions. */
#ifndef FS_HTTP_H
#define FS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_BEGINNING_MAX = 192 }; /* what these two read */

/* The bytes begin a request. Returns the id of the invocation that it answers or fails, or NULL if
 * it does neither. */
const char *http_answers(const char *bytes, size_t size, size_t *id_size);
/* True where these bytes begin the request for the next invocation. */
bool http_asks_next(const char *bytes, size_t size);

/* ---- the head of a response ---- */

#define HTTP_REQUEST_ID_MAX 128
#define HTTP_ARN_MAX        256
#define HTTP_TENANT_MAX     288

/* What it says of the invocation; values are not terminated. */
struct http_response {
    uint16_t length; /* of `line` so far; a longer line is cut */
    uint16_t id_size, arn_size, tenant_size; /* 0: not there */
    char id[HTTP_REQUEST_ID_MAX];
    char arn[HTTP_ARN_MAX]; /* of the function as it was invoked */
    char tenant[HTTP_TENANT_MAX]; /* any bytes but NUL */
    char line[320];
};

void http_response_begin(struct http_response *response);
/* Takes the next bytes. Returns true when they complete the head; do not call it again then. */
bool http_response_feed(struct http_response *response, const char *bytes, size_t size);

#endif
