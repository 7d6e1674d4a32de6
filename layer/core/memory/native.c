#include "memory/native.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>

#include "cpython/attach.h"
#include "guard/facts.h"
#include "files/files.h"
#include "files/made.h"
#include "files/steady.h"
#include "support/copied.h"
#include "support/mappings.h"
#include "cpython/python.h"
#include "libc/symbols.h"
#include "support/sys.h"
#include "support/text.h"
#include "events/events.h"

#define READ_IMPLIES_EXECUTE 0x0400000ul
#define SHARED_EXECUTE       0100000 /* SHM_EXEC */
#define SHARED_OVER          0040000 /* SHM_REMAP */

enum { TRUSTED = 4 };

atomic_bool native_bridge_known;

static struct timespec began; /* this process */
static struct timespec function; /* the function: its first process */
static char trusted[TRUSTED][1024];
static unsigned trusted_count;
/* Who called syscall(), whose route calls a door. */
static __thread const void *through __attribute__((tls_model("initial-exec")));
static __thread struct mark through_mark __attribute__((tls_model("initial-exec")));
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

/* As "SECONDS.NANOSECONDS" among the facts that children get. */
static void remember_function(void)
{
    char text[48];
    const char *known = facts_value(FACTS_BEGAN);
    if (known) {
        function = (struct timespec){0, 0};
        for (; *known >= '0' && *known <= '9'; known++)
            function.tv_sec = function.tv_sec * 10 + (*known - '0');
        if (*known == '.') known++;
        for (; *known >= '0' && *known <= '9'; known++)
            function.tv_nsec = function.tv_nsec * 10 + (*known - '0');
        return;
    }
    function = began;
    size_t at = text_number(text, (uint64_t)began.tv_sec);
    text[at++] = '.';
    text_number(text + at, (uint64_t)began.tv_nsec);
    facts_state(FACTS_BEGAN, text);
}

void native_start(void)
{
    char folder[sizeof trusted[0]];
    /* The clock that files are dated by. */
    sys_call(SYS_clock_gettime, 5 /* CLOCK_REALTIME_COARSE */, &began);
    remember_function();
    text_copy(folder, sizeof folder, guard_program_path);
    for (unsigned up = 0; up < 2; up++) { /* PREFIX/bin/program */
        char *slash = strrchr(folder, '/');
        if (slash) *slash = '\0';
    }
    native_trusts(folder);
}

struct fs_verdict native_decide(const char *name, const void *caller)
{
    struct fs_request request = {
        .family = FS_NATIVE, .path = name, .facts = &guard.facts, .caller = caller};
    return guard_decide(&request);
}

/* ---- where a file lies ---- */

static bool is_trusted(const char *resolved)
{
    const char *const folders[] = {guard.task_root, guard.runtime_dir, guard.layer, "/usr",
                                   "/lib",          "/lib64",          "/opt",      "/var/lang",
                                   "/var/runtime"};
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
    text_fd_path(magic, fd);
    long size = sys_readlinkat(AT_FDCWD, magic, resolved, PATH_MAX - 1);
    resolved[size > 0 ? size : 0] = '\0';
    return size <= 0 || resolved[0] != '/' || native_path_is_scratch(resolved, status);
}

bool native_fd_is_scratch(int fd, char resolved[PATH_MAX])
{
    struct stat status;
    return is_scratch(fd, resolved, &status);
}

bool native_is_older(const char *path)
{
    char resolved[PATH_MAX];
    struct stat status;
    int fd = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (fd < 0) return false;
    bool older = !is_scratch(fd, resolved, &status) && native_dates_before(&status);
    sys_close(fd);
    return older;
}

bool native_dates_before(const struct stat *status)
{
    if (status->st_ctim.tv_sec != function.tv_sec) return status->st_ctim.tv_sec < function.tv_sec;
    return status->st_ctim.tv_nsec < function.tv_nsec;
}

/* This process can change neither the file nor a name on the way to it. */
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
    if (!steady_path(path)) return false;
    return sys_call(SYS_geteuid) == 0 || sys_call(SYS_faccessat, AT_FDCWD, path, 2 /* W_OK */) != 0;
}

static enum native_place judge_place(int fd, const char *path, char resolved[PATH_MAX])
{
    struct stat status;
    if (is_scratch(fd, resolved, &status)) return NATIVE_WRITABLE;
    bool changed = changed_since_start(&status);
    /* For root, is_steady tells about folders only, not about what root does in them. */
    if (is_steady(path ? path : resolved) && (!changed || sys_call(SYS_geteuid) != 0))
        return NATIVE_STEADY;
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

static bool fd_is_writable(int fd)
{
    char resolved[PATH_MAX];
    return judge_place(fd, NULL, resolved) == NATIVE_WRITABLE;
}

/* ---- the caller ---- */

/* Runtimes compile to memory. In a program that is not Python, the libraries loaded before its
 * first line are the runtime's, and Java's virtual machine is loaded by its first lines. */
static bool is_runtime(const void *caller)
{
    static _Atomic int known; /* 0 no, 1 being written, 2 yes: of the first object that asked, which
                                 asks again and again */
    static uintptr_t low, high;
    struct symbols_object object;
    int none = 0;
    if (atomic_load_explicit(&known, memory_order_acquire) == 2 && (uintptr_t)caller >= low &&
        (uintptr_t)caller < high)
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

void native_asked_through(const void *caller, const void *frame)
{
    through = caller;
    through_mark = (struct mark){(uintptr_t)frame, guard_thread.jumps};
}

const void *native_caller(const void *caller)
{
    return through && marks_hold(&through_mark) ? through : caller;
}

/* True where it is to be refused: errno is EACCES then. */
static bool reported(const struct fs_verdict *verdict, const char *verb, const char *object,
                     const void *caller)
{
    return (verdict->mode != FS_ALLOW || verdict->reason == FS_RULE) &&
           events_report_path(FS_NATIVE, verdict, verb, object, caller);
}

/* `object`: what the event names; NULL: the library that asks. A rule can name the library that
 * asks. */
__thread uint8_t native_closures __attribute__((tls_model("initial-exec")));

bool native_refused(const char *verb, const char *object, const void *caller)
{
    struct mapping mapping;
    caller = native_caller(caller);
    int error = errno;
    bool known = mapping_of(caller, &mapping) && mapping.path[0] == '/';
    struct fs_verdict verdict = native_decide(known ? mapping.path : NULL, caller);
    /* The first closure of a ctypes whose import was reported just now is the same act. */
    bool noted = verdict.mode == FS_ALERT && guard_thread.note_family == FS_NATIVE + 1;
    if (UNLIKELY(native_closures > 0) && verdict.mode == FS_BLOCK) {
        native_closures--;
        noted = true;
    }
    errno = error;
    if (noted && known && strncmp(file_name(mapping.path), "libffi.", 7) == 0) return false;
    if (!object) object = known ? mapping.path : "code without a file";
    return reported(&verdict, verb, object, caller);
}

static bool memory_refused(const char *verb, const char *object, const void *caller)
{
    return !is_runtime(native_caller(caller)) && native_refused(verb, object, caller);
}

/* ---- libraries ---- */

/* Of other languages: in Python, these are names of honest modules. */
#define OF_OTHERS "/koffi/ffi-rs/ffi_bindings/fiddle/ffi_c/libjnidispatch"

bool native_names_bridge(const char *name)
{
    static const char bridges[] = OF_OTHERS
        "/_ctypes/_cffi_backend/_testcapi/_testinternalcapi/_testlimitedcapi/_testbuffer"
        "/_ctypes_test/_lupa/_mupdf/_gi/apsw/luajit20/luajit21/lua51/lua52/lua53/lua54/lua55"
        "/" NATIVE_NO_TEXT "/";
    if (LIKELY(!name[0] || !strchr("_afkl", name[0]))) return false;
    size_t size = strcspn(name, "./");
    const char *at = bridges + (python.PySys_AddAuditHook ? sizeof OF_OTHERS - 1 : 0);
    for (; at[1]; at = strchr(at + 1, '/'))
        if (strncmp(at + 1, name, size) == 0 && at[size + 1] == '/') return true;
    return false;
}

/* By its path: anybody may raise an audit event about another library. */
void native_library_is_judged(const char *path) { judged = guard_object_hash(path); }

/* By the same path the loader hands out what it has, and reads no file: CPython 3.15 loads each
 * extension twice. */
static bool is_loaded(const char *path)
{
    int (*close)(void *) =
        (int (*)(void *))(uintptr_t)real.dlsym(RTLD_DEFAULT, "dlclose"); /* in libdl before 2.34 */
    void *handle = close ? real.dlopen(path, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (handle) close(handle);
    return handle != NULL;
}

/* The loader replaces $ORIGIN, $LIB and the like, and then opens another path than the one that was
 * judged. */
static bool is_replaced(const char *path) { return strchr(path, '$') != NULL; }

const char *native_library_path(const char *path, char own[PATH_MAX])
{
    struct stat status;
    if (!path || !strchr(path, '/') || is_replaced(path) || guard_integrity().mode != FS_BLOCK ||
        is_steady(path))
        return path;
    int fd = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (fd < 0) return path;
    (void)is_scratch(fd, own, &status);
    sys_close(fd);
    return own[0] == '/' && !is_replaced(own) ? own : path;
}

bool native_library_refused(const char *path, const char *given, const void *caller)
{
    char resolved[PATH_MAX];
    uint64_t was_judged = judged;
    judged = 0;
    if (!path || !strchr(path, '/') || guard_ignores(FS_NATIVE)) return false;
    bool replaced = is_replaced(path);
    if (!replaced && was_judged != 0 && was_judged == guard_object_hash(given)) return false;
    int error = errno;
    enum native_place place = native_judge_place(path, resolved);
    /* A file without a name, or whose name has disappeared since it was read. */
    bool gone = path != given && place == NATIVE_ABSENT;
    bool counts = place == NATIVE_WRITABLE || replaced || gone ||
                  native_names_bridge(file_name(path)) ||
                  native_names_bridge(file_name(resolved)) ||
                  strstr(resolved, "/ffi-napi/"); /* its file has the name that most addons have */
    if (!counts || is_loaded(path)) return errno = error, false;
    const char *shown = resolved[0] == '/' && !replaced ? resolved : path;
    struct fs_verdict verdict = native_decide(shown, caller);
    errno = error;
    return reported(&verdict, "load", shown, caller);
}

/* Go's linker leaves a note, "Go". Go's code makes system calls without libc. What the headers say
 * need not be mapped. */
static bool is_of_go(const struct symbols_object *object)
{
    struct {
        ElfW(Nhdr) is;
        char name[4];
    } note;
    ElfW(Ehdr) header;
    ElfW(Phdr) part;
    if (!copied_bytes(&header, (void *)object->base, sizeof header)) return false;
    uintptr_t from = object->base + header.e_phoff;
    for (; header.e_type == ET_DYN && header.e_phnum-- > 0 &&
           copied_bytes(&part, (void *)from, sizeof part);
         from += sizeof part) {
        uintptr_t at = object->base + part.p_vaddr, end = at + part.p_memsz;
        while (part.p_type == PT_NOTE && end <= object->end && at + sizeof note <= end &&
               copied_bytes(&note, (void *)at, sizeof note)) {
            if (note.is.n_namesz == 4 && memcmp(note.name, "Go", 3) == 0) return true;
            at += sizeof note.is + ((note.is.n_namesz + 3ul) & ~3ul) +
                  ((note.is.n_descsz + 3ul) & ~3ul);
        }
    }
    return false;
}

bool native_go_refused(const void *entry, const void *caller)
{
    struct symbols_object object;
    if (!entry || !symbols_object_of(entry, &object) || !is_of_go(&object)) return false;
    struct fs_verdict verdict = native_decide(object.path, caller);
    return reported(&verdict, "make system calls without libc by", object.path, caller);
}

/* ---- memory ---- */

static const char make_executable[] = "make memory executable in";

bool native_map_refused(int protection, int flags, int fd, const void *caller)
{
    if (guard_ignores(FS_NATIVE)) return false;
    bool file = !(flags & MAP_ANONYMOUS) && !(protection & PROT_WRITE);
    return !(file && !fd_is_writable(fd)) && memory_refused(make_executable, NULL, caller);
}

static bool file_is_steady(const char *path)
{
    char resolved[PATH_MAX];
    enum native_place place = native_judge_place(path, resolved);
    return place == NATIVE_STEADY || place == NATIVE_OWN;
}

/* CPython's own compiler (PYTHON_JIT, 3.13) writes code and then makes it executable and no longer
 * writable. It does not go on where that fails. Nothing in Python leads to such a call with memory
 * of its own choice. */
static bool is_compiler(int protection, const void *caller)
{
    return python.minor >= 13 && !(protection & PROT_WRITE) && native_caller(caller) == caller &&
           attach_is_interpreter(caller);
}

bool native_protect_refused(const void *start, size_t size, int protection, const void *caller)
{
    if (guard_ignores(FS_NATIVE) || is_runtime(native_caller(caller)) ||
        is_compiler(protection, caller))
        return false;
    if (!(protection & PROT_WRITE) && mappings_are_files(start, size, file_is_steady)) return false;
    return memory_refused(make_executable, NULL, caller);
}

/* ---- doors ---- */

bool native_guards(const void *start, size_t size, const void *caller)
{
    return UNLIKELY(files_memory_protected(start, size)) && guard_ready() &&
           integrity_refused("change", "the guard's memory", caller);
}

static bool file_refused(const void *caller)
{
    return !guard_ignores(FS_NATIVE) && memory_refused("make", "a file in memory", caller);
}

static bool persona_refused(unsigned long persona, const void *caller)
{
    bool asks = (unsigned)persona == 0xffffffffu;
    return !asks && (persona & READ_IMPLIES_EXECUTE) &&
           ((!guard_ignores(FS_NATIVE) &&
             memory_refused("make executable", "all readable memory", caller)) ||
            (made_is_on && files_refuse_running("/tmp", caller)));
}

static bool segment_refused(int id, int flags, const void *caller)
{
    bool executes = flags & SHARED_EXECUTE;
    return (UNLIKELY(executes || (flags & SHARED_OVER)) && !guard_ignores(FS_NATIVE) &&
            memory_refused(executes ? make_executable : "replace memory in", NULL, caller)) ||
           (UNLIKELY(made_is_table(id)) &&
            integrity_refused("attach", "the guard's memory", caller));
}

#include "doors_native.gen.h"
