/* What a proxy answers to CONNECT: whether the tunnel is there. Pure functions.
 *
 * Read more strictly than clients do: what cannot be read with certainty is never taken for a
 * tunnel. */
#ifndef FS_PROXY_ANSWER_H
#define FS_PROXY_ANSWER_H

#include <stddef.h>
#include <stdint.h>

enum { PROXY_ANSWER_LINE = 48 };

/* What is kept between two reads. All zero at a connection's start. */
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
    PROXY_SAID_NO, /* the head of an answer is over that opens no tunnel; its body may follow */
    PROXY_SAID_YES, /* 2xx: what follows is the tunnel's */
    PROXY_SAID_UNCLEAR /* for good: where answers begin and end is not certain any more */
};

/* Takes the next bytes, and says what the last head that ends in them says. `asked`: a CONNECT
 * waits for its answer. */
enum proxy_said proxy_answer_feed(struct proxy_answer *answer, const char *bytes, size_t size,
                                  int asked);

#endif
