/* Events: what is reported, and how often. */
#ifndef FS_EVENTS_H
#define FS_EVENTS_H

#include "guard/guard.h"

enum { GUARD_TEXTS = 9, GUARD_TEXTS_KEPT };

/* What an event says besides the verdict. All strings may be NULL. */
struct act {
    enum guard_ring ring;
    enum fs_family family;
    union {
        struct {
            const char *verb; /* "open", "connect", "look up", "execute", …: for the message */
            const char *path; /* details.path */
            const char *to; /* details.to: the other path of the act; NULL unless it is refused or
                               reported too */
            const char *arguments; /* details.arguments, already one string */
            const char *host;
            const char *ip; /* as text */
            const char *protocol; /* "tcp", "udp", … */
            const char *first_bytes; /* details.first_bytes: what they are, a constant; NULL if they
                                        are not the reason */
            const char *connected_as; /* details.connected_as: the name that the connection was
                                         allowed by, where they name another */
            const char *from; /* for the message: what is renamed or linked to `path`, as the caller
                                 gave it; "" if `path` is a symbolic link */
        };
        const char *texts[GUARD_TEXTS_KEPT]; /* all of these: two acts of one kind have the same,
                                                except for the last */
    };
    const char *unguardable; /* why a program cannot be guarded, completes "it …"; NULL where that
                                is not what it is about */
    uint16_t port; /* 0: none */
    const int *socket; /* its fd; NULL where none is known */
    const void *caller; /* return address of the door; for the origin of the libc ring */
    struct origin *origin; /* from the interpreter ring; NULL: by caller */
};

struct origin {
    char package[128]; /* the folder or module below where packages are installed: what exceptions
                          name */
    char distribution[128]; /* as the installed metadata names it, else the package; with `version`
                               by origin_resolve */
    char version[64];
    bool resolved;
    bool script; /* JavaScript: `place` is below node_modules */
    uint16_t rest; /* where in `place` the path below that folder begins; 0: no place */
    char place[512];
    char sites[512]; /* folders of installed packages, "" ends them */
    char file[512];
    int line;
    char function[128];
    char stack[1536]; /* a JSON array's inside: "\"file:line function\",…", escaped, whole elements
                         only */
};

/* Counts the act, and writes it in full if it is the first of its kind (rule, object, distribution
 * and file). Keeps errno. Safe in signal handlers and between fork and exec. Writes the event's
 * sentence to `message`, unless that is NULL (also for repeats). Does nothing if mode is FS_ALLOW,
 * unless the policy wants allowed uses and this is the first. */
void events_report(const struct act *act, const struct fs_verdict *verdict, char *message,
                   size_t size);

/* The same for a door's act on a path. Returns true if the act must be refused; errno is then
 * EACCES. */
bool events_report_path(enum fs_family family, const struct fs_verdict *verdict, const char *verb,
                        const char *path, const void *caller);

/* The same for an attempt on the guard ("VERB OBJECT" completes "tried to …"). */
bool integrity_refused(const char *verb, const char *object, const void *caller);

/* Returns true if no `allowed` event of this rule was written yet. */
bool events_rule_is_new(uint32_t rule);

/* At start and in a forked child, while it has one thread: gives the process a table, a nonce and a
 * queue of its own. */
void events_begin(void);

/* Writes the counts of repeats. */
void events_invocation_ends(void);

/* ---- filled in from above (python/), and asked if `guard.interpreted` is set ---- */

/* The caller, in Python or JavaScript, of an act that only a door can judge; NULL where there is
 * none, or none can be told. Keeps errno. */
struct origin *interpreter_origin(const struct act *act);
/* Distribution and version, from the installed metadata where there is any, else the package's
 * name: once for each origin. Asks no Python. */
void origin_resolve(struct origin *origin);

#endif
