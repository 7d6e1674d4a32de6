/* Whose code asks, for entries with `only_for`: distributions as bits of a set. */
#ifndef FS_ASKERS_H
#define FS_ASKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

/* A set of askers. 0: nobody asked for it. */
enum { ASKERS_FIRST = 2, ASKERS_MAX = 63, ASKERS_NAME = 64 };
#define ASKERS_UNKNOWN  (UINT64_C(1) << 0) /* a caller that cannot be told */
#define ASKERS_FUNCTION (UINT64_C(1) << 1) /* the function's own code */
#define ASKERS_KNOWN    (UINT64_C(1) << 63) /* of every set that was asked for */

/* Policy or floor has an entry with `only_for`. */
extern bool askers_matter;
void askers_start(void);

/* The bit of a distribution, by its name as PEP 503 normalises it; ASKERS_UNKNOWN where there are
 * too many. */
uint64_t askers_bit(const char *name);

/* What a set is to the policy. `names` belongs to the caller. */
struct fs_askers askers_list(uint64_t set, const char *names[ASKERS_MAX]);

/* Whose code asks for `request`, by this thread. */
uint64_t askers_of(const struct fs_request *request);

/* The event that was judged just now: a library does the act, without the interpreter, and no door
 * of it could ask for the frames (sqlite3.connect). It holds for one door. */
void askers_keep(void);
/* A door that opens is done, which may judge one file more than once. */
void askers_opened(void);
/* Each audit event: what was kept for the act before it is over. */
void askers_forget(void);
/* Before a fork. Its child, where Python released its lock (CPython from 3.12 on, for vfork), acts
 * for these. */
void askers_fork(const void *caller);

/* ---- threads ---- */

/* The stack of the thread that this one was started from. 0: not known. */
extern __thread uint64_t askers_beyond __attribute__((tls_model("initial-exec")));
/* Wraps what a new thread runs, so that its stack goes on in this one's: Python starts threads with
 * the interpreter held. (Its audit event of that came with 3.12.) */
void askers_wrap_start(void *(**run)(void *), void **argument);
/* The thread was not made: `argument` as it was wrapped. */
void askers_unwrap_start(const void *argument);
/* In a forked child, where no thread is being started. */
void askers_forked(void);

/* ---- filled in from above (python/) ---- */

/* The frames of this thread, where it holds the interpreter. */
bool interpreter_askers(uint64_t *set);
/* Of a door's caller, which does not. ASKERS_UNKNOWN where they cannot be told. */
uint64_t interpreter_askers_of(const void *caller);
/* By installed metadata; as fs_askers.requires. */
bool distribution_requires(const char *only_for, const char *name);

#endif
