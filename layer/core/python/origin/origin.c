#include "python/origin/origin.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "python/arguments.h"
#include "python/frames.h"
#include "events/frame_text.h"
#include "javascript/package.h"
#include "python/origin/metadata.h"
#include "support/sys.h"
#include "events/events.h"
#include "files/handler.h"
#include "support/text.h"

/* An event shows the innermost frames in full, and further out the first frame of each package: a
 * request passes many frames of client libraries, and its caller is beyond them. DEPTH bounds the
 * time that this takes. */
enum { DEPTH = 64, STEPS = 512, PATH_ENTRIES = 256 };

static const char *last_of(const char *path, const char *part)
{
    const char *found = NULL;
    for (const char *at = path; (at = strstr(at, part)) != NULL; at++) found = at;
    return found ? found + strlen(part) : NULL;
}

static const char *later(const char *best, const char *rest)
{
    return rest && (!best || rest > best) ? rest : best;
}

/* The part of `path` below the longest entry of sys.path that contains it. */
static const char *below_sys_path(const char *path)
{
    PyObject *entries = python.PySys_GetObject("path"), *entry;
    const char *best = NULL;
    for (Py_ssize_t i = 0; i < PATH_ENTRIES && (entry = argument_element(entries, i)) != NULL;
         i++) {
        const char *folder = argument_text(entry);
        if (folder && folder[0] == '/') best = later(best, frame_text_below(path, folder));
        python.Py_DecRef(entry);
    }
    return best;
}

/* The part of `path` below the folder above its outermost package. For files that no entry of
 * sys.path contains, as with some editable installs. */
static const char *below_packages(const char *path)
{
    char init[PATH_MAX];
    const char *rest = strrchr(path, '/');
    if (!rest) return path;
    for (unsigned depth = 0; depth < 16 && rest > path; depth++) {
        static const char name[] = "/__init__.py";
        struct stat status;
        size_t size = (size_t)(rest - path);
        if (size + sizeof name > sizeof init) break;
        memcpy(init, path, size);
        memcpy(init + size, name, sizeof name);
        if (path[0] != '/' || sys_fstatat(AT_FDCWD, init, &status, AT_SYMLINK_NOFOLLOW) != 0) break;
        do rest--;
        while (rest > path && *rest != '/');
    }
    return rest + 1;
}

/* Vendored copies of packages lie in a folder of their own, by convention. The part of `path` below
 * the innermost such folder. */
static const char *below_vendored(const char *rest)
{
    static const char *const folders[] = {"_vendor/",     "vendor/",      "_vendored/", "vendored/",
                                          "third_party/", "_thirdparty/", "extern/"};
    const char *best = rest;
    for (const char *at = rest; at && *at; at = strchr(at, '/'), at += at != NULL)
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
            size_t size = strlen(folders[i]);
            if (strncmp(at, folders[i], size) == 0 && strcmp(at + size, "__init__.py") != 0 &&
                at[size] != '\0')
                best = at + size;
        }
    return best;
}

/* The package: the first component below the folder where packages are installed, a folder's or a
 * module's name. Returns what follows that folder. */
static const char *package_of(char *out, size_t size, const char *path)
{
    const char *rest = later(last_of(path, "/site-packages/"), last_of(path, "/dist-packages/"));
    if (guard.task_root[0]) rest = later(rest, frame_text_below(path, guard.task_root));
    rest = later(rest, frame_text_below(path, "/opt/python"));
    rest = later(rest, below_sys_path(path));
    if (!rest) rest = below_packages(path);
    rest = below_vendored(rest);
    const char *slash = strchr(rest, '/');
    size_t length = slash ? (size_t)(slash - rest) : strlen(rest);
    if (!slash && length > 3 && strcmp(rest + length - 3, ".py") == 0) length -= 3;
    if (!slash && length > 4 && strcmp(rest + length - 4, ".pyc") == 0) length -= 4;
    text_take(out, size, rest, length);
    return rest;
}

/* Keeps the place for origin_resolve. */
static void name_package(struct origin *origin, const char *path)
{
    const char *rest = package_of(origin->package, sizeof origin->package, path);
    size_t size = strlen(path);
    if (path[0] != '/' || size >= sizeof origin->place || rest - path < 2) return;
    text_take(origin->place, sizeof origin->place, path, size);
    origin->rest = (uint16_t)(rest - path);
}

static void fill(struct origin *origin, const struct frame *frame, const char *function)
{
    text_copy(origin->file, sizeof origin->file, frame->path);
    text_copy(origin->function, sizeof origin->function, function);
    origin->line = frames_line(frame);
}

/* The folders where packages are installed, for origin_resolve, which cannot ask Python: the first
 * few, each with its NUL. */
static void keep_sites(struct origin *origin)
{
    size_t used = 0;
    if (origin->rest == 0) return;
    PyObject *entries = python.PySys_GetObject("path"), *entry;
    for (Py_ssize_t i = 0; i < PATH_ENTRIES && (entry = argument_element(entries, i)) != NULL;
         i++) {
        const char *folder = argument_text(entry);
        size_t size = folder ? strlen(folder) : 0;
        bool site = size > 14 && (strcmp(folder + size - 14, "/site-packages") == 0 ||
                                  strcmp(folder + size - 14, "/dist-packages") == 0);
        /* The folder beside the file was searched already. */
        bool own = size + 1u == origin->rest && strncmp(origin->place, folder, size) == 0;
        if (site && !own && used + size + 2 <= sizeof origin->sites) {
            memcpy(origin->sites + used, folder, size + 1);
            used += size + 1;
        }
        python.Py_DecRef(entry);
    }
}

/* A library that calls what other code registered earlier: a handler of logging, a finaliser, a
 * callback of a loop. The frames beyond it only happened to log, to drop an object, or to run the
 * loop. They are not the caller. */
static bool is_dispatcher(const struct frame *frame)
{
    static const struct {
        const char *file, *function;
    } places[] = {{"/logging/__init__.py", "handle"},
                  {"/logging/__init__.py", "callHandlers"},
                  {"/logging/__init__.py", "shutdown"},
                  {"/weakref.py", "__call__"},
                  {"/weakref.py", "_exitfunc"},
                  {"/asyncio/events.py", "_run"},
                  {"/sched.py", "run"}};
    size_t size = strlen(frame->path);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t end = strlen(places[i].file);
        if (size < end || strcmp(frame->path + size - end, places[i].file) != 0) continue;
        char function[128];
        frames_function(frame, function, sizeof function);
        const char *dot = strrchr(function, '.');
        if (strcmp(dot ? dot + 1 : function, places[i].function) == 0) return true;
    }
    return false;
}

void origin_read(struct origin *origin)
{
    struct frame frame = {0};
    char package[sizeof origin->distribution], last[sizeof origin->distribution] = "";
    const PyObject *file = NULL; /* of the frame before: both are on the stack, so an address that
                                    returns is the same file */
    size_t used = 0, shown = 0;
    bool found = false, named = false;
    memset(origin, 0, sizeof *origin);
    if (!python_is_running()) return;
    for (unsigned steps = 0; frames_next(&frame); steps++) {
        char function[sizeof origin->function];
        if (steps >= STEPS) {
            frames_stop(&frame);
            break;
        }
        if (frame.library && !found && is_dispatcher(&frame)) {
            frames_function(&frame, function, sizeof function);
            fill(origin, &frame, function);
            frames_stop(&frame);
            break;
        }
        if (frame.library && steps > 0) continue;
        if (shown >= FRAMES_IN_FULL && named && frame.file == file) {
            if (steps < DEPTH) continue;
            frames_stop(&frame);
            break;
        }
        file = frame.file;
        frames_function(&frame, function, sizeof function);
        if (frame.library) {
            fill(origin, &frame, function); /* kept where nobody but the library is on the stack: a
                                               thread, an atexit call */
            continue;
        }
        if (!found) fill(origin, &frame, function);
        found = true;
        /* Code made from a string has no file. It counts for the code that ran it. */
        if (!named && frame.path[0] != '<' && frame.path[0] != '\0') {
            if (handler_is_module(frame.path))
                frame_text_module(origin->package, sizeof origin->package, frame.path);
            else
                name_package(origin, frame.path);
            named = true;
        }
        package_of(package, sizeof package, frame.path);
        if (shown < FRAMES_IN_FULL || (shown < FRAMES_SHOWN && strcmp(package, last) != 0)) {
            frame_text_push(origin, &used, frame.path, frames_line(&frame), function);
            shown++;
            strcpy(last, package);
        } else if (named && (shown >= FRAMES_SHOWN || steps >= DEPTH)) {
            frames_stop(&frame);
            break;
        }
    }
    if (found && !named) text_take(origin->package, sizeof origin->package, "__main__", 8);
    keep_sites(origin);
}

uint32_t origin_package_id(const struct origin *origin)
{
    if (origin->package[0] == '\0') return GUARD_PACKAGE_NONE;
    uint64_t hash = guard_object_hash(origin->package);
    uint32_t package = (uint32_t)(hash ^ hash >> 32);
    return package > GUARD_PACKAGE_NONE ? package : package + 2;
}

uint32_t origin_package_id_now(void)
{
    struct origin origin;
    PyObject *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    origin_read(&origin);
    python.PyErr_Restore(type, value, trace);
    return origin_package_id(&origin);
}

void origin_resolve(struct origin *origin)
{
    struct metadata found = {0};
    if (origin->resolved) return;
    origin->resolved = true;
    memcpy(origin->distribution, origin->package, sizeof origin->distribution);
    if (origin->rest == 0) return;
    if (origin->script) {
        package_resolve(origin);
        return;
    }
    char root[sizeof origin->place];
    text_take(root, sizeof root, origin->place, origin->rest - 1u);
    const char *rest = origin->place + origin->rest;
    bool known = metadata_of(root, rest, &found);
    for (const char *site = origin->sites; !known && *site; site += strlen(site) + 1)
        known = metadata_editable(site, rest, origin->place, &found);
    if (!known) return;
    memcpy(origin->distribution, found.name, sizeof origin->distribution);
    memcpy(origin->version, found.version, sizeof origin->version);
}

/* Threads' origins lie outside thread-local storage: with an auditing loader that has so little
 * room that a program with 2 KB of ours in it does not start. If more threads than this keep one at
 * once, the rest do without. */
enum { KEPT = 32 };

static struct origin kept[KEPT];
static _Atomic int keepers[KEPT]; /* the thread that a place is taken by; 0: free */
static __thread unsigned place __attribute__((tls_model("initial-exec"))); /* + 1; 0: none */

static bool take(unsigned at, int old, int thread)
{
    if (!atomic_compare_exchange_strong(&keepers[at], &old, thread)) return false;
    place = at + 1;
    return true;
}

static bool take_one(void)
{
    int thread = (int)sys_call(SYS_gettid);
    for (unsigned i = 0; i < KEPT; i++)
        if (take(i, 0, thread)) return true;
    /* Threads end without notice. */
    for (unsigned i = 0; i < KEPT; i++) {
        int old = atomic_load(&keepers[i]);
        if (old != 0 && sys_call(SYS_tkill, old, 0) == -ESRCH && take(i, old, thread)) return true;
    }
    return false;
}

struct origin *origin_room(void) { return place > 0 || take_one() ? &kept[place - 1] : NULL; }

void origin_keep(void)
{
    PyObject *type, *value, *trace;
    if (!origin_room()) return;
    python.PyErr_Fetch(&type, &value, &trace);
    origin_read(&kept[place - 1]);
    python.PyErr_Restore(type, value, trace);
}

void origin_forget(void)
{
    if (place == 0) return;
    atomic_store(&keepers[place - 1], 0);
    place = 0;
}

struct origin *origin_kept(void) { return place > 0 ? &kept[place - 1] : NULL; }
