/* Whose code asks, for entries with `only_for`: distributions as bits of a set. */
#ifndef FS_ASKERS_H
#define FS_ASKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

/* A set of askers. 0: not determined yet. */
enum { ASKERS_FIRST = 2, ASKERS_MAX = 63, ASKERS_NAME = 64 };
#define ASKERS_UNKNOWN  (UINT64_C(1) << 0) /* a caller that cannot be told */
#define ASKERS_FUNCTION (UINT64_C(1) << 1) /* the function's own code */
#define ASKERS_KNOWN    (UINT64_C(1) << 63) /* in every set that was determined */

/* Policy or floor has an entry with `only_for`. */
extern bool askers_matter;
void askers_start(void);

/* The bit of a distribution, by its name as PEP 503 normalises it; ASKERS_UNKNOWN if there are too
 * many. */
uint64_t askers_bit(const char *name);

/* The set in the form that the policy takes. `names` is memory of the caller. */
struct fs_askers askers_list(uint64_t set, const char *names[ASKERS_MAX]);

/* The askers of `request` on this thread. */
uint64_t askers_of(const struct fs_request *request);

/* Keeps the askers of the audit event that was just judged, for the next door. For acts that a
 * library does without the interpreter, so that the door cannot read the frames
 * (sqlite3.connect). */
void askers_keep(void);
/* A door that opens is done. It may have judged one file more than once. */
void askers_opened(void);
/* At each audit event: forgets what was kept for the act before. */
void askers_forget(void);
/* Before a fork: notes the callers. The child acts for them if Python released its lock (CPython
 * 3.12 and newer, for vfork). */
void askers_fork(const void *caller);

/* ---- threads ---- */

/* The askers on the stack of the thread that started this one. 0: not known. */
extern __thread uint64_t askers_beyond __attribute__((tls_model("initial-exec")));
/* Wraps the function of a new thread, so that its stack counts as continuing this one's. Python
 * starts threads with the interpreter held. (An audit event for this exists since 3.12 only.) */
void askers_wrap_start(void *(**run)(void *), void **argument);
/* The thread was not created. `argument` is the wrapped one. */
void askers_unwrap_start(const void *argument);
/* In a forked child, where no thread is being started. */
void askers_forked(void);

/* ---- filled in from above (python/) ---- */

/* The askers by this thread's frames, if it holds the interpreter. */
bool interpreter_askers(uint64_t *set);
/* For a door's caller that does not hold it. ASKERS_UNKNOWN if they cannot be read. */
uint64_t interpreter_askers_of(const void *caller);
/* For fs_askers.requires: reads installed metadata. */
bool distribution_requires(const char *only_for, const char *name);

#endif
