/* The guard inside a process: what every door and ring shares.
 *
 * A door is an exported function with a libc name. It first asks guard_ready(), and calls libc's
 * function if that is false. Then it copies what is judged, judges the copy, and acts on the copy.
 *
 * guard_ready() starts the guard on first use, from whatever door is passed first: constructors run
 * too late. It returns false if this thread is inside the guard already. */
#ifndef FS_GUARD_H
#define FS_GUARD_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard/marks.h"
#include "policy/policy.h"
#include "support/hints.h"
#include "real.gen.h" /* `real`: the next definition of each door, from doors.table */

enum guard_ring { RING_LIBC = 0, RING_INTERPRETER = 1, RING_KERNEL = 2 };

/* Read-only after start. */
struct guard {
    bool started; /* set at the end of the start */
    const struct fs_policy *policy;
    const struct fs_policy *floor; /* NULL where there is none */
    const char *policy_name, *floor_name; /* as events show them */
    const char *emf_namespace; /* "" for none */
    bool dry_run; /* FUNCTION_SHIELD_MODE=alert */
    bool watched[FS_FAMILIES]; /* policy or floor has alert or block there (before configure) */
    bool loopback_listed; /* policy or floor lists the ports of 127.0.0.1 and ::1 */
    bool blocks_any; /* any family blocks: guard integrity holds */
    bool watches_any; /* any family blocks or reports: attempts on the guard are reported */
    struct fs_facts facts; /* region, account, partition, names with variables */
    bool is_function; /* this process is COMMAND itself, not a child of it */
    bool interpreted; /* Python or V8 is in this program: an act can have a caller there */
    bool is_wrapper; /* the next wrapper, before COMMAND runs: processes pass */
    int event_fd; /* -1: none */
    uint64_t event_dev, event_ino;
    uint32_t event_mode; /* st_mode of what it leads to; 0: none */
    bool event_is_named; /* it has a path: a file, or a named pipe */
    bool shares_pipe[2]; /* fds 1 and 2 lead where events go */
    char layer[1024]; /* the folder that holds function-shield */
    char runtime_api_host[256]; /* from AWS_LAMBDA_RUNTIME_API; "" where unset */
    uint16_t runtime_api_port;
    uint8_t runtime_api_ip[16]; /* normalised */
    uint8_t runtime_api_ip_version; /* 0 where the host is a name or unset */
    uint8_t xray_ip[16];
    uint8_t xray_ip_version;
    uint16_t xray_port;
    char task_root[1024]; /* LAMBDA_TASK_ROOT, "" where unset */
    char runtime_dir[1024]; /* LAMBDA_RUNTIME_DIR */
    char host_name[256]; /* gethostname at start */
    uint64_t tmp_dev, tmp_ino; /* of /tmp; 0 where there is none */
    bool tmp_is_mount; /* its st_dev is not that of its parent */
    uint64_t proc_dev;
};
extern struct guard guard;
extern char guard_program_name[64]; /* base name of the running program */
extern char guard_program_path[1024];
extern char guard_policy_sha256[65], guard_floor_sha256[65];
extern char guard_pythonpath_was_set;

/* Instead of a package's number. UNKNOWN: not Python, or not looked for. NONE: only the standard
 * library is on the stack. */
enum { GUARD_PACKAGE_UNKNOWN = 0, GUARD_PACKAGE_NONE = 1 };

/* What this thread is in the middle of. Zero at a thread's start. */
struct guard_thread {
    unsigned inside; /* > 0: the guard itself is at work, doors pass */
    struct mark resolving; /* inside a guarded lookup of an allowed name */
    uint32_t jumps; /* longjmp and its like */
    /* The interpreter ring's report, so that the libc ring does not report the same act again.
     * Valid until the next watched audit event of this thread. */
    uint8_t note_family; /* enum fs_family + 1; 0: none */
    uint8_t note_mode; /* enum fs_mode that was reported */
    uint32_t note_package; /* of the network: the caller's package, or a GUARD_PACKAGE_… */
    uint64_t note_object; /* guard_object_hash; 0: whatever object of that family */
    uint8_t loosened[4]; /* configure({...}) for this thread: enum fs_mode + 1, 0 none */
    const char *caller; /* of the door that is reporting: return address, for the origin */
    uint64_t archive; /* guard_object_hash; 0: none (passes.h) */
    bool worker; /* its next fork is one of the runtime client's workers (passes.h) */
};
extern __thread struct guard_thread guard_thread __attribute__((tls_model("initial-exec")));

extern atomic_int guard_state; /* 0 not started, 1 starting, 2 ready */
void guard_start(void);

static inline bool guard_ready(void)
{
    if (UNLIKELY(atomic_load_explicit(&guard_state, memory_order_acquire) != 2)) {
        guard_start();
        if (atomic_load_explicit(&guard_state, memory_order_acquire) != 2) return false;
    }
    return LIKELY(guard_thread.inside == 0);
}

/* This thread is inside a guarded lookup of an allowed name. */
static inline bool guard_resolving(void)
{
    return UNLIKELY(guard_thread.resolving.frame != 0) && marks_hold(&guard_thread.resolving);
}

/* The same, for a door: libc's own resolver called it, as it does before glibc 2.34. Code of the
 * program runs inside a lookup too: a malloc of its own. */
bool guard_is_resolver(const void *caller);
static inline bool guard_resolving_for(const void *caller)
{
    return UNLIKELY(guard_resolving()) && guard_is_resolver(caller);
}

/* What makes doors look at an fd before they act on it, counted in one word: connections whose
 * first bytes are inspected (network/first_bytes/pending.h), and above them lookups whose fds lie
 * in the program's own fd table (network/names/lookup_fds.h). While there are none, a door pays for
 * one load. */
extern _Atomic uint64_t guard_fd_watches;
#define GUARD_PENDING UINT64_C(1)
#define GUARD_LOOKUP  (UINT64_C(1) << 32)

static inline bool guard_has_pending(void)
{
    return (uint32_t)atomic_load_explicit(&guard_fd_watches, memory_order_relaxed) != 0;
}
static inline bool guard_has_lookups(void)
{
    return UNLIKELY(atomic_load_explicit(&guard_fd_watches, memory_order_relaxed) >= GUARD_LOOKUP);
}

extern _Atomic uint8_t guard_tightened[4]; /* configure({...}) for the process, as `loosened` */

/* Neither policy, floor nor configure watches `family`: nothing needs to be judged. */
static inline bool guard_ignores(enum fs_family family)
{
    return !guard.watched[family] &&
           (family > FS_HANDLER ||
            atomic_load_explicit(&guard_tightened[family], memory_order_relaxed) == 0);
}

/* Asks policy, floor, dry run and configure. No I/O. Never FS_BLOCK in a dry run. */
struct fs_verdict guard_decide(const struct fs_request *request);
/* The same. Also writes the separate verdicts to `asked`: [0] the policy's, [1] the floor's,
 * which is left as it is if there is no floor. */
struct fs_verdict guard_decide_each(const struct fs_request *request, struct fs_verdict asked[2]);

/* Whether an act on `path` is blocked if its caller is not known. */
static inline bool guard_blocks(enum fs_family family, const char *path)
{
    struct fs_request request = {.family = family, .path = path};
    return guard_decide(&request).mode == FS_BLOCK;
}

/* The policy wants an event of the first use of each rule. */
static inline bool guard_tells_allowed(void)
{
    return guard.policy && guard.policy->flags & FS_FLAG_EVENTS_ALLOWED_FIRST;
}

/* An act with this verdict may make an event. */
static inline bool guard_tells(const struct fs_verdict *verdict)
{
    return verdict->mode != FS_ALLOW || (verdict->reason == FS_RULE && guard_tells_allowed());
}

/* A verdict for guard integrity: FS_BLOCK where anything blocks, FS_ALERT where anything is
 * reported, and in a dry run. */
struct fs_verdict guard_integrity(void);

/* ---- start, fork, children (start/) ---- */

/* "LD_PRELOAD=PATH-OF-THE-CORE", for the environment of a child. */
extern char guard_preload_variable[1100];
/* Writes "FUNCTION_SHIELD_STATE=…", what a child's core needs to guard it by the same policy.
 * `covered`: the child is a shell whose command line the parent's event has shown already; what it
 * starts is the same act. Returns false where it does not fit. */
bool guard_child_variable(char *buffer, size_t size, bool covered);
/* Call it first in a forked child: sets the new pid and forgets repeats. With `probation`, the
 * child may neither use the network nor fork again until it executes a program. */
void guard_after_fork(bool probation);
extern _Atomic int guard_probation_pid; /* of such a child; 0: none */
bool guard_is_probation_child(void);
static inline bool guard_on_probation(void)
{
    return UNLIKELY(atomic_load_explicit(&guard_probation_pid, memory_order_relaxed) != 0) &&
           guard_is_probation_child();
}
/* This process runs under a parent's report (see `covered`). */
extern bool guard_runs_covered;

/* ---- acts that were reported already ---- */

/* Returns true if the interpreter ring has reported this act: the thread's note has this family,
 * and this object or any. */
bool guard_noted(enum fs_family family, const char *object);
/* For the interpreter ring, after it reported: the libc ring keeps quiet about the same act. */
void guard_note(enum fs_family family, uint8_t mode, const char *object);
uint64_t guard_object_hash(const char *object);

#endif
