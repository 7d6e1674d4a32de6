#include "native.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>

#include "files.h"
#include "launch.h"
#include "mappings.h"
#include "python.h"
#include "state.h"
#include "symbols.h"
#include "sys.h"

#define READ_IMPLIES_EXECUTE 0x0400000ul
#define SHARED_EXECUTE 0100000 /* SHM_EXEC */

enum { TRUSTED = 4 };

static struct timespec began;
static char trusted[TRUSTED][1024];
static unsigned trusted_count;
static __thread const void *through __attribute__((tls_model("initial-exec"))); /* who called syscall(), whose route calls a door */
static __thread uint64_t judged __attribute__((tls_model("initial-exec")));

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool lies_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    while (size > 1 && folder[size - 1] == '/') size--;
    return size > 1 && strncmp(path, folder, size) == 0 && path[size] == '/';
}

void native_trusts(const char *folder)
{
    size_t size = strnlen(folder, sizeof trusted[0]);
    if (folder[0] != '/' || size == sizeof trusted[0] || trusted_count == TRUSTED) return;
    for (unsigned i = 0; i < trusted_count; i++)
        if (strcmp(trusted[i], folder) == 0) return;
    memcpy(trusted[trusted_count++], folder, size + 1);
}

void native_start(void)
{
    char folder[sizeof trusted[0]];
    /* The clock that files are dated by. */
    sys_call(SYS_clock_gettime, 5 /* CLOCK_REALTIME_COARSE */, &began);
    size_t size = strnlen(guard_program_path, sizeof folder - 1);
    memcpy(folder, guard_program_path, size);
    folder[size] = '\0';
    for (unsigned up = 0; up < 2; up++) { /* PREFIX/bin/program */
        char *slash = strrchr(folder, '/');
        if (slash) *slash = '\0';
    }
    native_trusts(folder);
}

struct fs_verdict native_decide(const char *name)
{
    struct fs_request request = {.family = FS_NATIVE, .path = name, .facts = &guard.facts};
    return guard_decide(&request);
}

/* ---- where a file lies ---- */

static bool is_trusted(const char *resolved)
{
    const char *const folders[] = {guard.task_root, guard.runtime_dir, guard.layer, "/usr", "/lib", "/lib64", "/opt",
                                   "/var/lang", "/var/runtime"};
    for (unsigned i = 0; i < trusted_count; i++)
        if (lies_below(resolved, trusted[i])) return true;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (lies_below(resolved, folders[i])) return true;
    return false;
}

static bool changed_since_start(const struct stat *status)
{
    if (!guard.is_function) return false; /* a child does not know when the function began */
    if (status->st_ctim.tv_sec != began.tv_sec) return status->st_ctim.tv_sec > began.tv_sec;
    return status->st_ctim.tv_nsec >= began.tv_nsec;
}

bool native_path_is_scratch(const char *resolved, const struct stat *status)
{
    static const char *const folders[] = {"/tmp", "/var/tmp", "/dev"};
    if (status->st_nlink == 0) return true;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (lies_below(resolved, folders[i])) return true;
    return guard.tmp_is_mount && status->st_dev == guard.tmp_dev;
}

static bool is_scratch(int fd, char resolved[PATH_MAX], struct stat *status)
{
    char magic[32];
    resolved[0] = '\0';
    if (sys_fstat(fd, status) != 0) return true;
    files_magic_path(magic, fd);
    long size = sys_readlinkat(AT_FDCWD, magic, resolved, PATH_MAX - 1);
    resolved[size > 0 ? size : 0] = '\0';
    return size <= 0 || resolved[0] != '/' || native_path_is_scratch(resolved, status);
}

bool native_descriptor_is_scratch(int fd, char resolved[PATH_MAX])
{
    struct stat status;
    return is_scratch(fd, resolved, &status);
}

/* The names on the way to it, and it itself, are out of our reach. */
static bool is_steady(const char *path)
{
    char whole[PATH_MAX];
    if (path[0] != '/') {
        long size = sys_call(SYS_getcwd, whole, sizeof whole); /* with its NUL */
        size_t more = strnlen(path, sizeof whole);
        if (size <= 0 || whole[0] != '/' || (size_t)size + more + 1 > sizeof whole) return false;
        whole[size - 1] = '/';
        memcpy(whole + size, path, more + 1);
        path = whole;
    }
    if (!launch_is_steady(path)) return false;
    return sys_call(SYS_geteuid) == 0 || sys_call(SYS_faccessat, AT_FDCWD, path, 2 /* W_OK */) != 0;
}

static enum native_place judge_place(int fd, const char *path, char resolved[PATH_MAX])
{
    struct stat status;
    if (is_scratch(fd, resolved, &status)) return NATIVE_WRITABLE;
    bool changed = changed_since_start(&status);
    /* For root, steady is a word about folders, and none about what he does to them. */
    if (is_steady(path ? path : resolved) && (!changed || sys_call(SYS_geteuid) != 0)) return NATIVE_STEADY;
    return !changed && is_trusted(resolved) ? NATIVE_OWN : NATIVE_WRITABLE;
}

enum native_place native_judge_place(const char *path, char resolved[PATH_MAX])
{
    int fd = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    resolved[0] = '\0';
    if (fd < 0) return NATIVE_ABSENT;
    enum native_place place = judge_place(fd, path, resolved);
    sys_close(fd);
    return place;
}

static bool descriptor_is_writable(int fd)
{
    char resolved[PATH_MAX];
    return judge_place(fd, NULL, resolved) == NATIVE_WRITABLE;
}

/* ---- who asks ---- */

/* A runtime compiles to memory: what was loaded before the first line of a program that is no Python is the runtime itself,
 * and Java's virtual machine is loaded by its first lines. */
static bool is_runtime(const void *caller)
{
    static _Atomic int known; /* 0 no, 1 being written, 2 yes: of the first object that asked, which asks again and again */
    static uintptr_t low, high;
    struct symbols_object object;
    int none = 0;
    if (atomic_load_explicit(&known, memory_order_acquire) == 2 && (uintptr_t)caller >= low && (uintptr_t)caller < high)
        return true;
    if (python.PySys_AddAuditHook || !symbols_object_of(caller, &object)) return false;
    if (!symbols_early(caller) && strcmp(file_name(object.path), "libjvm.so") != 0) return false;
    if (atomic_compare_exchange_strong(&known, &none, 1)) {
        low = object.base;
        high = object.end;
        atomic_store_explicit(&known, 2, memory_order_release);
    }
    return true;
}

/* `object`: what the event names; NULL: the library that asks. A rule can name the library that asks. */
static bool refused(const char *verb, const char *object, const void *caller)
{
    struct mapping mapping;
    if (through) caller = through;
    if (is_runtime(caller)) return false;
    int error = errno;
    bool known = mapping_of(caller, &mapping) && mapping.path[0] == '/';
    struct fs_verdict verdict = native_decide(known ? mapping.path : NULL);
    if (verdict.mode != FS_ALLOW || verdict.reason == FS_RULE) {
        struct guard_act act = {.ring = RING_LIBC, .family = FS_NATIVE, .verb = verb, .caller = caller};
        act.path = object ? object : known ? mapping.path : "code without a file";
        guard_report(&act, &verdict, NULL, 0);
    }
    errno = verdict.mode == FS_BLOCK ? EACCES : error;
    return verdict.mode == FS_BLOCK;
}

void native_asked_through(const void *caller) { through = caller; }

/* ---- libraries ---- */

bool native_names_bridge(const char *name)
{
    static const char *const bridges[] = {"_ctypes", "_cffi_backend", "_testcapi", "_testinternalcapi", "_testlimitedcapi"};
    if (LIKELY(name[0] != '_')) return false;
    size_t size = strcspn(name, "./");
    for (size_t i = 0; i < sizeof bridges / sizeof *bridges; i++)
        if (strlen(bridges[i]) == size && memcmp(bridges[i], name, size) == 0) return true;
    return false;
}

/* By its path: anybody may raise an audit event about another library. */
void native_library_is_judged(const char *path) { judged = guard_object_hash(path); }

bool native_library_refused(const char *path, const void *caller)
{
    char resolved[PATH_MAX];
    uint64_t was_judged = judged;
    judged = 0;
    if (!path || !strchr(path, '/') || guard_ignores(FS_NATIVE)) return false;
    if (was_judged != 0 && was_judged == guard_object_hash(path)) return false;
    int error = errno;
    bool counts = native_judge_place(path, resolved) == NATIVE_WRITABLE || native_names_bridge(file_name(path)) ||
                  native_names_bridge(file_name(resolved));
    if (!counts) {
        errno = error;
        return false;
    }
    const char *shown = resolved[0] == '/' ? resolved : path;
    struct fs_verdict verdict = native_decide(shown);
    if (verdict.mode != FS_ALLOW || verdict.reason == FS_RULE) {
        struct guard_act act = {.ring = RING_LIBC, .family = FS_NATIVE, .verb = "load", .path = shown, .caller = caller};
        guard_report(&act, &verdict, NULL, 0);
    }
    errno = verdict.mode == FS_BLOCK ? EACCES : error;
    return verdict.mode == FS_BLOCK;
}

/* ---- memory ---- */

static const char make_executable[] = "make memory executable in";

bool native_map_refused(int protection, int flags, int fd, const void *caller)
{
    if (guard_ignores(FS_NATIVE)) return false;
    bool file = !(flags & MAP_ANONYMOUS) && !(protection & PROT_WRITE);
    return !(file && !descriptor_is_writable(fd)) && refused(make_executable, NULL, caller);
}

static bool file_is_steady(const char *path)
{
    char resolved[PATH_MAX];
    enum native_place place = native_judge_place(path, resolved);
    return place == NATIVE_STEADY || place == NATIVE_OWN;
}

bool native_protect_refused(const void *start, size_t size, int protection, const void *caller)
{
    if (guard_ignores(FS_NATIVE) || is_runtime(through ? through : caller)) return false;
    if (!(protection & PROT_WRITE) && mappings_are_files(start, size, file_is_steady)) return false;
    return refused(make_executable, NULL, caller);
}

/* ---- doors ---- */

static long absent(void)
{
    errno = ENOSYS;
    return -1;
}

extern int memfd_create(const char *, unsigned);
DOOR int memfd_create(const char *name, unsigned flags)
{
    /* Older libcs have none, and callers make the system call themselves, by another door. */
    if (guard_ready() && !guard_ignores(FS_NATIVE) && refused("make", "a file in memory", CALLER())) return -1;
    if (real.memfd_create) return real.memfd_create(name, flags);
    return (int)SYS_RESULT(sys_call(SYS_memfd_create, name, flags));
}

extern int personality(unsigned long);
DOOR int personality(unsigned long persona)
{
    bool asks = (unsigned)persona == 0xffffffffu;
    if (!asks && (persona & READ_IMPLIES_EXECUTE) && guard_ready() && !guard_ignores(FS_NATIVE) &&
        refused("make executable", "all readable memory", CALLER()))
        return -1;
    return real.personality ? real.personality(persona) : (int)absent();
}

extern void *shmat(int, const void *, int);
DOOR void *shmat(int id, const void *start, int flags)
{
    if (UNLIKELY(flags & SHARED_EXECUTE) && guard_ready() && !guard_ignores(FS_NATIVE) && refused(make_executable, NULL, CALLER()))
        return MAP_FAILED;
    return real.shmat ? real.shmat(id, start, flags) : (void *)absent();
}

#include "aliases_native.gen.h"
