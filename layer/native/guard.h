/* The guard inside a process: what every door and ring shares.
 *
 * A door is an exported function with a libc name. Its shape:
 *
 *     DOOR int connect(int fd, const struct sockaddr *address, socklen_t size)
 *     {
 *         if (!guard_ready()) return real.connect(fd, address, size);
 *         ... copy what is judged, judge the copy, act on the copy ...
 *     }
 *
 * guard_ready() starts the guard on first use, from whatever door is passed
 * first: constructors run too late. It is false where the guard has nothing to
 * do here: the thread is inside the guard already.
 */
#ifndef FS_GUARD_H
#define FS_GUARD_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"
#include "real.gen.h" /* `real`: the next definition of each door, from doors.tsv */

#define DOOR __attribute__((visibility("default")))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CALLER() __builtin_extract_return_addr(__builtin_return_address(0))

enum guard_ring { RING_LIBC = 0, RING_INTERPRETER = 1, RING_KERNEL = 2 };

/* Read-only after start. */
struct guard {
    const struct fs_policy *policy;
    const struct fs_policy *floor; /* NULL where there is none */
    bool dry_run;                  /* FUNCTION_SHIELD_MODE=alert */
    bool watched[FS_FAMILIES];     /* policy or floor has alert or block there (before configure) */
    bool loopback_listed;          /* policy or floor lists the ports of 127.0.0.1 and ::1 */
    bool blocks_any;               /* any family blocks: guard integrity holds */
    struct fs_facts facts;         /* region, account, partition, names with variables */
    bool is_function;              /* this process is COMMAND itself, not a child of it */
    bool is_wrapper;               /* the next wrapper, before COMMAND runs: processes pass */
    int event_fd;                  /* -1: none */
    uint64_t event_dev, event_ino;
    bool event_is_file;
    bool shares_pipe[2];           /* descriptors 1 and 2 lead where events go */
    char layer[1024];              /* the folder that holds function-shield */
    char runtime_api_host[256];    /* from AWS_LAMBDA_RUNTIME_API; "" where unset */
    uint16_t runtime_api_port;
    uint8_t runtime_api_ip[16];    /* normalised */
    uint8_t runtime_api_ip_version;/* 0 where the host is a name or unset */
    uint8_t xray_ip[16];
    uint8_t xray_ip_version;
    uint16_t xray_port;
    char task_root[1024];          /* LAMBDA_TASK_ROOT, "" where unset */
    char runtime_dir[1024];        /* LAMBDA_RUNTIME_DIR */
    char host_name[256];           /* gethostname at start */
    uint64_t tmp_dev, tmp_ino;     /* of /tmp; 0 where there is none */
    bool tmp_is_mount;             /* its st_dev is not that of its parent */
    uint64_t proc_dev;
};
extern struct guard guard;

/* Who asked, where that is no package. UNKNOWN: no Python asked, or none was looked for. NOBODY: only the standard library is
 * on the stack. */
enum { GUARD_ASKER_UNKNOWN = 0, GUARD_ASKER_NOBODY = 1 };

/* What this thread is in the middle of. Zero at a thread's start. */
struct guard_thread {
    unsigned inside;    /* > 0: the guard itself is at work, doors pass */
    unsigned resolving; /* > 0: inside a guarded look-up of an allowed name */
    /* The interpreter ring's report, so that the libc ring does not report the same act again.
     * Valid until the next watched audit event of this thread. */
    uint8_t note_family;  /* enum fs_family + 1; 0: none */
    uint8_t note_mode;    /* enum fs_mode that was reported */
    uint32_t note_asker;  /* of the network: origin_asker of who asked, or a GUARD_ASKER_… */
    uint64_t note_object; /* guard_object_hash; 0: whatever object of that family */
    uint8_t loosened[4];  /* configure({...}) for this thread: enum fs_mode + 1, 0 none */
    const char *caller;   /* of the door that is reporting: return address, for the origin */
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

/* True where `family` needs no look at all: neither policy nor floor nor configure watches it. */
static inline bool guard_ignores(enum fs_family family)
{
    extern _Atomic uint8_t guard_tightened[4];
    return !guard.watched[family] &&
           (family > FS_HANDLER || atomic_load_explicit(&guard_tightened[family], memory_order_relaxed) == 0);
}

/* Asks policy, floor, dry run and configure. No I/O. Never FS_BLOCK in a dry run. */
struct fs_verdict guard_decide(const struct fs_request *request);

/* A verdict for guard integrity: FS_BLOCK where anything blocks, else FS_ALLOW (FS_ALERT in a dry run). */
struct fs_verdict guard_integrity(void);

/* ---- start (start.c) ---- */

/* "LD_PRELOAD=PATH-OF-THE-CORE", for the environment of a child. */
extern char guard_preload_variable[];
/* Writes "FUNCTION_SHIELD_STATE=…", what a child's core needs to guard it by the same policy. `covered`: the child is a shell
 * whose command line the parent's event has shown already; what it starts is the same act. Returns false where it does not fit. */
bool guard_child_variable(char *buffer, size_t size, bool covered);
/* In a forked child, before anything else: new pid, no repeats, on probation where `probation`: until it executes something,
 * it may not use the network or fork again. */
void guard_after_fork(bool probation);
bool guard_on_probation(void);
/* This process runs under a parent's report (see `covered`). */
bool guard_covered(void);

/* Reports an attempt on the guard ("VERB OBJECT" completes "tried to …"); true where it is refused: errno is EACCES. */
bool integrity_refused(const char *verb, const char *object, const void *caller);

/* ---- events (events.c) ---- */

/* What an event says besides the verdict. All strings may be NULL. */
struct guard_act {
    enum guard_ring ring;
    enum fs_family family;
    const char *verb;      /* "open", "connect", "look up", "execute", …: for the message */
    const char *path;      /* details.path */
    const char *arguments; /* details.arguments, already one string */
    const char *host;
    const char *ip;        /* as text */
    uint16_t port;         /* 0: none */
    const char *protocol;  /* "tcp", "udp", … */
    const char *first_bytes; /* details.first_bytes: what they are, a constant; NULL where they are not what it is about */
    const char *connected_as; /* details.connected_as: the name that the connection was allowed by, where they name another */
    const void *caller;    /* return address of the door; for the origin of the libc ring */
    struct guard_origin *origin;       /* from the interpreter ring; NULL: by caller */
};

struct guard_origin {
    char package[128];      /* the folder or module below where packages are installed: what exceptions name */
    char distribution[128]; /* as the installed metadata names it, else the package; with `version` by origin_resolve */
    char version[64];
    bool resolved;
    uint16_t rest;          /* where in `place` the path below that folder begins; 0: no place */
    char place[512];
    char sites[512];        /* folders of installed packages, "" ends them */
    char file[512];
    int line;
    char function[128];
    char stack[1536]; /* a JSON array's inside: "\"file:line function\",…", escaped, whole elements only */
};

/* Counts the act; writes it in full when it is the first of its kind (rule, object, distribution and file). Keeps errno.
 * Safe in signal handlers and between fork and exec. Writes the sentence of the event into `message` where it is not NULL
 * (also for repeats). Does nothing where mode is FS_ALLOW, unless the policy wants allowed uses and this is the first. */
void guard_report(const struct guard_act *act, const struct fs_verdict *verdict, char *message, size_t size);

/* No `allowed` event of this rule was written yet. */
bool guard_rule_is_new(uint32_t rule);

/* The policy wants an event of the first use of each rule. */
static inline bool guard_tells_allowed(void) { return guard.policy && guard.policy->flags & FS_FLAG_EVENTS_ALLOWED_FIRST; }

/* The thread's note covers this act (same family, same or any object): it was reported by the interpreter ring. */
bool guard_noted(enum fs_family family, const char *object);
/* For the interpreter ring, after it reported: the libc ring keeps quiet about the same act. */
void guard_note(enum fs_family family, uint8_t mode, const char *object);
uint64_t guard_object_hash(const char *object);

/* The program wrote to descriptor 1 or 2: where that is the event stream's pipe too, an event begins on a line of its own. */
void guard_wrote(int fd, const void *bytes, size_t size);

/* The invocation's id, told by the runtime client's conversation; "" between invocations. */
void guard_invocation_begins(const char *request_id, size_t size);
/* The function's ARN, as the Runtime API told the client; the first one stays. */
void guard_function_arn(const char *arn, size_t size);
/* Writes the counts of repeats. */
void guard_invocation_ends(void);

/* One armed / refused / disabled event. guard_refuse does not return: exit status 78. */
void guard_announce_armed(const char *const *rings, unsigned ring_count, const char *runtime);
/* The answer of --self-test, on standard output. */
void guard_announce_self_test(const char *const *rings, unsigned ring_count, const char *runtime);
_Noreturn void guard_refuse(const char *sentence);

/* ---- files (files.c) ---- */

/* Resolves as the kernel would and judges the object under the file rules (tmp, handler, integrity), without touching it.
 * `resolved` gets the absolute path (PATH_MAX bytes). For the interpreter ring. `flags` as for open(2). */
struct fs_verdict files_judge_path(int dirfd, const char *path, int flags, char *resolved, enum fs_family *family);
/* Handler source: called by the interpreter ring at the audit event `exec` of the handler's code, before its first line. */
void files_seal_handler(const char *source_path);
bool files_handler_sealed(void);
/* The path of the module that _HANDLER, ORIG_HANDLER or DD_LAMBDA_HANDLER names is `path`. */
bool files_is_handler(const char *path);

/* ---- network (network.c, names.c, runtime_api.c) ---- */

/* For the interpreter ring: what the doors would say. `address` is copied. `protocol`: "tcp" or "udp". */
struct fs_verdict network_judge_address(const void *address, size_t size, char *host, char *ip, uint16_t *port);
struct fs_verdict network_judge_name(const char *name, uint16_t port);

/* ---- processes (processes.c) ---- */

/* `path` is an executable as the caller named it (searched on PATH where it has no slash and `search`). */
struct fs_verdict processes_judge(const char *path, bool search, const char *environment_path, char *resolved);
struct fs_verdict processes_judge_fork(void);

/* ---- interpreter (interpreter.c) ---- */

/* Called before main(): arms the hook where this program is, or has loaded, a Python. True where it did; `runtime` gets
 * "python3.13". */
bool interpreter_arm(int argc, char **argv, char *runtime, size_t size);

#endif
