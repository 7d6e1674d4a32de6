/* The sentence of an event, as people read it: in `message`, and in the error that Python raises.
 */
#ifndef FS_SENTENCE_H
#define FS_SENTENCE_H

#include <stddef.h>

#include "guard/guard.h"
#include "events/events.h"

/* Its size in JSON. Names in it are cut in the middle, so that the reason has room. */
enum { SENTENCE_MOST = 480 };

struct sentence {
    size_t size, names; /* `names`: so much of each name */
    char bytes[1024];
};

/* Adds `text`, which may be NULL, as far as there is room. */
void sentence_say(struct sentence *out, const char *text);

/* Who tried what, what the guard did, and why. If `origin` is NULL, only the program is known. */
void sentence_compose(struct sentence *out, const struct act *act, const struct fs_verdict *verdict,
                      const struct origin *origin);

/* The allow entry that would have let the act pass, as YAML; nothing if there is none. */
void sentence_entry(struct sentence *out, const struct act *act, const struct fs_verdict *verdict,
                    const struct origin *origin);

#endif
