/* Reads a proxy's answer to CONNECT: is the tunnel open? Pure functions.
 *
 * The parser is stricter than clients: an answer that is not certain never counts as a tunnel. */
#ifndef FS_PROXY_ANSWER_H
#define FS_PROXY_ANSWER_H

#include <stddef.h>
#include <stdint.h>

enum { PROXY_ANSWER_LINE = 48 };

/* The state between two reads. All zero when a connection starts. */
struct proxy_answer {
    uint8_t state; /* internal */
    uint8_t digits; /* of a chunk's size so far */
    uint8_t flags; /* internal: of the head that is being read */
    uint8_t length; /* of `line` so far; a longer line is cut */
    uint16_t status;
    uint32_t head; /* bytes of this head so far */
    uint64_t left; /* bytes of the body, or of the chunk */
    uint64_t seen; /* bytes in all */
    char line[PROXY_ANSWER_LINE];
};

enum proxy_said {
    PROXY_SAID_NOTHING, /* the answer is not over */
    PROXY_SAID_NO, /* a head ended that opens no tunnel; its body may follow */
    PROXY_SAID_YES, /* 2xx: what follows is the tunnel's */
    PROXY_SAID_UNCLEAR /* permanent: the limits of answers are no longer certain */
};

/* Takes the next bytes. Returns the meaning of the last head that ends in them. `asked`: a
 * CONNECT waits for its answer. */
enum proxy_said proxy_answer_feed(struct proxy_answer *answer, const char *bytes, size_t size,
                                  int asked);

#endif
