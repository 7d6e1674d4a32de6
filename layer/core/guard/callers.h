/* Whose code is on the stack of an act, for entries with `only_for`: distributions as bits of a
 * set. `const void *caller`, here and in every door, is less: the return address of the door. */
#ifndef FS_CALLERS_H
#define FS_CALLERS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

/* A set of callers. 0: not determined yet. */
enum { CALLERS_FIRST = 2, CALLERS_MAX = 63, CALLERS_NAME = 64 };
#define CALLERS_UNKNOWN  (UINT64_C(1) << 0) /* a caller that cannot be told */
#define CALLERS_FUNCTION (UINT64_C(1) << 1) /* the function's own code */
#define CALLERS_KNOWN    (UINT64_C(1) << 63) /* in every set that was determined */

/* Policy or floor has an entry with `only_for`. */
extern bool callers_matter;
void callers_start(void);

/* The bit of a distribution, by its name as PEP 503 normalises it; CALLERS_UNKNOWN if there are too
 * many. */
uint64_t callers_bit(const char *name);

/* The set in the form that the policy takes. `names` is memory of the caller. */
struct fs_callers callers_list(uint64_t set, const char *names[CALLERS_MAX]);

/* The callers of `request` on this thread. */
uint64_t callers_of(const struct fs_request *request);

/* Keeps the callers of the audit event that was just judged, for the next door. For acts that a
 * library does without the interpreter, so that the door cannot read the frames
 * (sqlite3.connect). */
void callers_keep(void);
/* A door that opens is done. It may have judged one file more than once. */
void callers_opened(void);
/* At each audit event: forgets what was kept for the act before. */
void callers_forget(void);
/* Before a fork: notes the callers. The child acts for them if Python released its lock (CPython
 * 3.12 and newer, for vfork). */
void callers_fork(const void *caller);

/* ---- threads ---- */

/* The callers on the stack of the thread that started this one. 0: not known. */
extern __thread uint64_t callers_of_starter __attribute__((tls_model("initial-exec")));
/* Wraps the function of a new thread, so that its stack counts as continuing this one's. Python
 * starts threads with the interpreter held. (An audit event for this exists since 3.12 only.) */
void callers_wrap_thread(void *(**run)(void *), void **argument);
/* The thread was not created. `argument` is the wrapped one. */
void callers_unwrap_thread(const void *argument);
/* In a forked child, where no thread is being started. */
void callers_forked(void);

/* ---- filled in from above (python/) ---- */

/* The callers by this thread's frames. Returns false if it does not hold the interpreter. */
bool interpreter_callers(uint64_t *set);
/* For a door's caller that does not hold it. CALLERS_UNKNOWN if they cannot be read. */
uint64_t interpreter_callers_of(const void *caller);
/* For fs_callers.requires: reads installed metadata. */
bool distribution_requires(const char *only_for, const char *name);

#endif
