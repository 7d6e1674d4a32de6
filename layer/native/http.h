/* The little HTTP that the conversation with the Runtime API needs: read byte by byte, in whatever pieces. Pure functions. */
#ifndef FS_HTTP_H
#define FS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True where these bytes begin a request that ends an invocation: the next one is asked for, or this one answered. */
bool http_ends_invocation(const char *bytes, size_t size);
/* True where these bytes begin the request for the next invocation. */
bool http_asks_next(const char *bytes, size_t size);

/* ---- the head of a response ---- */

#define HTTP_REQUEST_ID_MAX 128

#define HTTP_ARN_MAX 256

struct http_response {
    bool done;          /* the head is over, or all that is looked for was found */
    bool found;         /* the request id was */
    uint16_t length;    /* of `line` so far; a longer line is cut */
    uint16_t arn_size;
    char arn[HTTP_ARN_MAX]; /* of the function as it was invoked, not terminated */
    char line[320];
};

void http_response_begin(struct http_response *response);
/* Takes the next bytes. Returns the size of the request id written into `id` (HTTP_REQUEST_ID_MAX bytes, not terminated)
 * when they complete its header, else 0. */
size_t http_response_feed(struct http_response *response, const char *bytes, size_t size, char *id);

/* ---- the requests of somebody who may ask for little ---- */

enum http_permit {
    HTTP_CREDENTIALS = 1, /* GET /2021-04-23/credentials, without a body, again and again */
    HTTP_INIT_ERROR = 2   /* POST /2018-06-01/runtime/init/error: after its first line everything passes */
};

struct http_requests {
    uint8_t permits;   /* enum http_permit */
    uint8_t state;     /* internal; 0 at the start */
    uint8_t matched;   /* bytes of the request line so far */
    bool line_empty;   /* in a head: nothing but a carriage return in this line so far */
    bool returned;     /* the last byte was a carriage return */
};

/* Takes the next bytes on their way out. False where they are no part of permitted requests: nothing may be sent then.
 * Reads line ends as the most lenient servers do, so that nobody sees a request where this did not. */
bool http_requests_feed(struct http_requests *requests, const char *bytes, size_t size);

#endif
