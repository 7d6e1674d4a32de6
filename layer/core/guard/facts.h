/* What the environment said when the function started: which address is the Runtime API, which
 * file is the handler. A child gets these from its parent's core. Its environment is not
 * trusted, because the code that starts it writes it. */
#ifndef FS_FACTS_H
#define FS_FACTS_H

#include <stdbool.h>
#include <stddef.h>

enum { FACTS_MAX = 4096 };

/* Takes the facts from `text` (a parent's, "NAME=value" separated by 0x1e), or from `environment`
 * where that is "". */
void facts_start(const char *text, char *const *environment);
/* Adds a variable that the policy's names contain. Keeps the pointer `name`. Ignores a value
 * that cannot be part of a host name. Call it after facts_start. */
void facts_add(const char *name);
/* The name servers of this machine, by the file that says so: addresses with spaces between. */
#define FACTS_NAME_SERVERS    "/etc/resolv.conf"
/* What local_resolvers.c noted about the sockets of resolvers on this machine. */
#define FACTS_LOCAL_RESOLVERS "/var/run/nscd"
/* When the function began, by the clock that files are dated by. */
#define FACTS_BEGAN           "/began"
/* The labels of VPC endpoints ("vpce-…") that values of the environment name, each with a space
 * behind it. */
#define FACTS_ENDPOINTS       "/endpoints"
/* The segment that holds the names of what was made under /tmp (files/made.h). */
#define FACTS_MADE            "/made"
/* States a fact that does not come from the environment, unless a parent stated it. */
void facts_state(const char *name, const char *value);
/* Replaces the fact. If there is no room, the old value stays. */
void facts_restate(const char *name, const char *value);
/* The value of a variable at the function's start; NULL if it was not set, or is not a fact. */
const char *facts_value(const char *name);
/* The handlers: _HANDLER, and the variables in which a tool that took its place keeps the
 * function's own. NULL if the variable was not set. */
enum { FACTS_HANDLERS = 5 };
const char *facts_handler(unsigned index);
/* All facts, as facts_start takes them. Returns false if they do not fit: a child could not be
 * guarded by the same facts. */
bool facts_text(char *out, size_t size);

#endif
