/* The little HTTP that the conversation with the Runtime API needs: read byte by byte, in whatever
 * pieces. Pure functions. */
#ifndef FS_HTTP_H
#define FS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_BEGINNING_MAX = 192 }; /* what these two read */

/* The id of the invocation that these bytes, which begin a request, answer or fail; NULL where they
 * do neither. */
const char *http_answers(const char *bytes, size_t size, size_t *id_size);
/* True where these bytes begin the request for the next invocation. */
bool http_asks_next(const char *bytes, size_t size);

/* ---- the head of a response ---- */

#define HTTP_REQUEST_ID_MAX 128

#define HTTP_ARN_MAX        256

struct http_response {
    bool done; /* the head is over, or all that is looked for was found */
    bool found; /* the request id was */
    uint16_t length; /* of `line` so far; a longer line is cut */
    uint16_t arn_size;
    char arn[HTTP_ARN_MAX]; /* of the function as it was invoked, not terminated */
    char line[320];
};

void http_response_begin(struct http_response *response);
/* Takes the next bytes. Returns the size of the request id written into `id` (HTTP_REQUEST_ID_MAX
 * bytes, not terminated) when they complete its header, else 0. */
size_t http_response_feed(struct http_response *response, const char *bytes, size_t size, char *id);

#endif
