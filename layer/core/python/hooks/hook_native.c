/* Events about modules that give access to memory, and about libraries. Names only select among the
 * policy's exceptions. */
#include <limits.h>
#include <string.h>

#include "guard/callers.h"
#include "python/arguments.h"
#include "python/hooks/hook.h"
#include "python/hooks/pinning.h"
#include "memory/native.h"
#include "support/text.h"
#include "python/pins.h"

static __thread uint64_t announced
    __attribute__((tls_model("initial-exec"))); /* the bridge whose import was judged */

/* numpy, blosc and polars take addresses as integers themselves. They import ctypes, which is
 * judged, and work without it if code has put another object in its place, or imports the module
 * without its package. Recognised by the module's name, because the loader calls PyInit_NAME
 * whatever the file is called. */
static bool stands_in(const char *module, const char *library)
{
    return UNLIKELY(strcmp(module, "_multiarray_umath") == 0 ||
                    strcmp(module, "blosc_extension") == 0 || strstr(module, "polars") != NULL) &&
           hook_native_blocks(library);
}

/* (name, None, …) when a module is looked for, (name, file, None, …) when an extension is loaded.
 */
int hook_native_import(const char *name, PyObject *file)
{
    bool ignored = guard_ignores(FS_NATIVE);
    if (ignored && !callers_matter) return 0;
    /* Entries with `only_for` prove frozen modules by what is pinned. */
    if (UNLIKELY(!pins_own())) pinning_at_import(name);
    if (ignored) return 0;
    if (UNLIKELY(guard_thread.note_family == FS_NATIVE + 1) && announced == 0)
        guard_thread.note_family = 0;
    if (announced == 0) native_closures = 0;
    if (!python_runs_code()) return 0;
    char resolved[PATH_MAX], last[64];
    const char *dot = strrchr(name, '.'), *path = argument_text(file);
    text_copy(last, sizeof last, dot ? dot + 1 : name);
    /* As the loader, which looks for PyInit_NAME. */
    for (char *at = last; *at; at++)
        if (*at == '-') *at = '_';
    const char *slash = path ? strrchr(path, '/') : NULL;
    bool bridge = native_names_bridge(last) || (slash && native_names_bridge(slash + 1)) ||
                  (path && stands_in(last, path));
    if (LIKELY(!path && !bridge)) return 0;
    uint64_t hash = bridge ? guard_object_hash(last) : 0;
    if (!path) {
        announced = 0;
        if (hook_judge_native("import", last, NULL) != 0) return -1;
        announced = hash;
        native_closures = NATIVE_CLOSURE_STEPS;
        atomic_store_explicit(&native_bridge_known, true, memory_order_relaxed);
        return 0;
    }
    bool first = announced == hash;
    announced = 0;
    if (bridge && first) {
        native_library_is_judged(path); /* the import of which this is the second half */
        native_closures = NATIVE_CLOSURE_STEPS;
        return 0;
    }
    enum native_place place = native_judge_place(path, resolved);
    if (place == NATIVE_STEADY) native_library_is_judged(path);
    if (!bridge && place != NATIVE_WRITABLE) return 0;
    const char *shown = resolved[0] == '/' ? resolved : path;
    if (hook_judge_native(bridge ? "import" : "load", bridge ? last : shown, shown) != 0) return -1;
    if (bridge) atomic_store_explicit(&native_bridge_known, true, memory_order_relaxed);
    native_library_is_judged(path);
    return 0;
}

/* Any event of ctypes, in an interpreter that has it built in and so needs no import of a file. */
int hook_bridge_used(void)
{
    if (guard_ignores(FS_NATIVE) ||
        atomic_load_explicit(&native_bridge_known, memory_order_relaxed))
        return 0;
    if (hook_judge_native("use", "_ctypes", NULL) != 0) return -1;
    atomic_store_explicit(&native_bridge_known, true, memory_order_relaxed);
    return 0;
}

/* Such an interpreter can be asked for the module without an event (_imp.create_builtin), and some
 * of ctypes raises none: the function that makes the module asks. */
static PyObject *(*make_bridge)(void);

static PyObject *make_judged(void) { return hook_bridge_used() != 0 ? NULL : make_bridge(); }

void hook_native_start(void)
{
    struct {
        const char *name;
        PyObject *(*make)(void);
    } *at = (void *)*python.PyImport_Inittab;
    for (; at && at->name; at++) {
        if (strcmp(at->name, "_ctypes") != 0) continue;
        make_bridge = at->make;
        at->make = make_judged;
    }
}

int hook_native_library(const char *path)
{
    if (guard_ignores(FS_NATIVE)) return 0;
    char resolved[PATH_MAX];
    enum native_place place = native_judge_place(path, resolved);
    if (place == NATIVE_STEADY) native_library_is_judged(path);
    if (place != NATIVE_WRITABLE) return 0;
    const char *shown = resolved[0] == '/' ? resolved : path;
    if (hook_judge_native("load", shown, shown) != 0) return -1;
    native_library_is_judged(path);
    return 0;
}
