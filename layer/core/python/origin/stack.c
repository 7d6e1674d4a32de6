/* Whose code is on this thread's stack (guard/callers.h). Goes by code objects that equal what
 * their files compile to, because any code can take the names of files and modules. */
#include "guard/callers.h"

#include <stdatomic.h>
#include <string.h>

#include "cpython/attach.h"
#include "guard/guard.h"
#include "libc/symbols.h"
#include "memory/native.h"
#include "events/frame_text.h"
#include "python/arguments.h"
#include "python/frames.h"
#include "python/hooks/genuine.h"
#include "python/hooks/hook.h"
#include "python/hooks/objects.h"
#include "python/origin/owner.h"
#include "python/pins.h"
#include "support/keyed_hash.h"
#include "support/lock.h"
#include "support/sys.h"
#include "support/text.h"

enum { STEPS = 512, PATH_ENTRIES = 256, CONTENT_MAX = 4 << 20 };

/* What the walk knows about a code object. */
struct place {
    uint64_t set; /* whose it is: 0 for the standard library, the runtime client and the layer */
    bool coroutine;
    bool dispatches; /* a library that calls what other code registered earlier; that code is not on
                        the stack */
    bool bottom; /* a stack may begin here */
    const char *runs; /* a loop, until the task in this variable is done */
};

/* ---- what a file says ---- */

/* Modules' code by the hashes of their paths, because the functions of one module come one after
 * the other. The references belong to the main interpreter, which alone asks. */
enum { MODULES = 8 };
static struct {
    uint64_t path;
    PyObject *code;
} modules[MODULES];
static unsigned next_module;
LOCK(module_table);

/* "DIR/x.py" as "DIR/__pycache__/x.cpython-313.pyc". */
static bool cached_path(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    size_t length = strlen(path);
    char minor[TEXT_NUMBER_SIZE];
    if (!slash || length < 4 || strcmp(path + length - 3, ".py") != 0 || length + 64 > size)
        return false;
    size_t at = (size_t)(slash + 1 - path);
    memcpy(out, path, at);
    strcpy(out + at, "__pycache__/");
    strncat(out, slash + 1, length - at - 3);
    strcat(out, ".cpython-3");
    text_number(minor, (unsigned)python.minor);
    strcat(out, minor);
    strcat(out, ".pyc");
    return true;
}

/* The code of the .pyc that importlib would use for this source, by its date and size. */
static PyObject *read_cached(const char *path)
{
    char cached[PATH_MAX];
    struct stat source, status;
    PyObject *code = NULL;
    if (!python.PyMarshal_ReadObjectFromString || !python.PyImport_GetMagicNumber ||
        !cached_path(path, cached, sizeof cached) || sys_fstatat(AT_FDCWD, path, &source, 0) != 0 ||
        !native_is_older(cached))
        return NULL;
    int fd = sys_openat(AT_FDCWD, cached, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return NULL;
    if (sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 16 &&
        status.st_size < CONTENT_MAX) {
        size_t size = (size_t)status.st_size;
        char *bytes = sys_scratch(size);
        uint32_t head[4];
        if (bytes && sys_pread(fd, bytes, size, 0) == (long)size) {
            memcpy(head, bytes, sizeof head);
            if (head[0] == (uint32_t)python.PyImport_GetMagicNumber() && head[1] == 0 &&
                head[2] == (uint32_t)source.st_mtime && head[3] == (uint32_t)source.st_size) {
                hook_own_unmarshal = true;
                code = python.PyMarshal_ReadObjectFromString(bytes + 16, (Py_ssize_t)size - 16);
                hook_own_unmarshal = false;
            }
        }
        sys_scratch_free(bytes, size);
    }
    sys_close(fd);
    if (code && python_type(code) == python.PyCode_Type) return code;
    python.Py_DecRef(code);
    python.PyErr_Clear();
    return NULL;
}

/* The code of the module that is built in under that name. */
static PyObject *read_frozen(const char *path)
{
    struct pins *own = pins_own();
    char name[128];
    size_t size = strlen(path);
    if (size < 10 || size - 9 >= sizeof name || path[size - 1] != '>') return NULL;
    text_copy(name, size - 8, path + 8);
    /* These two modules have other names than their files. */
    if (strcmp(name, "importlib._bootstrap") == 0) strcpy(name, "_frozen_importlib");
    if (strcmp(name, "importlib._bootstrap_external") == 0)
        strcpy(name, "_frozen_importlib_external");
    PyObject *word = python.PyUnicode_DecodeFSDefault(name);
    hook_own_unmarshal = true;
    PyObject *code = own && own->frozen.thaw && word
                         ? python.PyObject_CallFunctionObjArgs(own->frozen.thaw, word, NULL)
                         : NULL;
    hook_own_unmarshal = false;
    python.Py_DecRef(word);
    if (!code) python.PyErr_Clear();
    return code;
}

static PyObject *read_module(const char *path)
{
    if (path[0] == '<') return read_frozen(path);
    if (!native_is_older(path)) return NULL;
    PyObject *code = read_cached(path);
    return code ? code : genuine_compile(path);
}

/* A reference of the caller's, or NULL. */
static PyObject *find_module(uint64_t key)
{
    PyObject *found = NULL;
    if (!lock_take(&module_table)) return NULL;
    for (unsigned i = 0; i < MODULES; i++)
        if (modules[i].path == key) found = modules[i].code;
    if (found) python.Py_IncRef(found);
    lock_give(&module_table);
    return found;
}

/* Steals the reference. */
static void keep_module(uint64_t key, PyObject *module)
{
    PyObject *dropped = module;
    if (lock_take(&module_table)) {
        unsigned at = next_module++ % MODULES;
        dropped = modules[at].code;
        modules[at].path = key;
        modules[at].code = module;
        lock_give(&module_table);
    }
    python.Py_DecRef(dropped);
}

/* The file at `path` contains this code. */
static bool is_of(const char *path, PyObject *code)
{
    uint64_t key = guard_object_hash(path);
    PyObject *module = find_module(key);
    bool kept = module != NULL, found = false;
    if (!kept) module = read_module(path);
    if (module) {
        found = genuine_holds(module, code);
        /* What is cached may be of another -O than this process. */
        PyObject *own = found || kept || path[0] == '<' ? NULL : genuine_compile(path);
        if (own) {
            python.Py_DecRef(module);
            module = own;
            found = genuine_holds(module, code);
        }
        if (kept)
            python.Py_DecRef(module);
        else
            keep_module(key, module);
    }
    python.PyErr_Clear();
    return found;
}

/* ---- code objects ---- */

static void describe_library(struct place *place, const char *path, const char *name)
{
    static const struct {
        const char *file, *function;
    } dispatchers[] = {
        {"/asyncio/events.py", "_run"},
        {"/concurrent/futures/thread.py", "run"},
        {"/concurrent/futures/_base.py", "_invoke_callbacks"},
        {"/multiprocessing/pool.py", "worker"},
        {"/logging/__init__.py", "callHandlers"},
        {"/logging/__init__.py", "shutdown"},
        {"/weakref.py", "__call__"},
        {"/weakref.py", "_exitfunc"},
        {"/sched.py", "run"},
    };
    for (size_t i = 0; i < sizeof dispatchers / sizeof *dispatchers; i++)
        if (text_ends(path, dispatchers[i].file) && strcmp(name, dispatchers[i].function) == 0)
            place->dispatches = true;
    if (text_ends(path, "/asyncio/base_events.py") && strcmp(name, "run_until_complete") == 0)
        place->runs = "future";
    if (text_ends(path, "/asyncio/runners.py") && strcmp(name, "run") == 0) place->runs = "task";
    place->bottom = (text_ends(path, "/threading.py") && strcmp(name, "_bootstrap") == 0) ||
                    strcmp(name, "_run_module_as_main") == 0;
}

static long number_of(PyObject *code, const char *name)
{
    PyObject *value = objects_part(code, name);
    long number = value ? argument_number(value, 0) : 0;
    python.Py_DecRef(value);
    return number;
}

/* The length of the longest folder of sys.path that holds `path`. */
static unsigned site_of(const char *path)
{
    PyObject *entries = python.PySys_GetObject("path"), *entry;
    unsigned longest = 0;
    char room[512];
    for (Py_ssize_t i = 0; i < PATH_ENTRIES && (entry = argument_element(entries, i)) != NULL;
         i++) {
        const char *folder = argument_text(entry);
        if (folder) folder = frame_text_plain(folder, room, sizeof room);
        const char *rest = folder && folder[0] == '/' ? frame_text_below(path, folder) : NULL;
        if (rest && rest - path - 1 > longest) longest = (unsigned)(rest - path - 1);
        python.Py_DecRef(entry);
    }
    return longest;
}

/* Reads files and creates Python objects, once for each function that was seen. */
static bool describe(struct place *place, PyObject *code)
{
    PyObject *file = objects_part(code, "co_filename"), *word = objects_part(code, "co_name");
    char room[512];
    const char *path = argument_text(file), *name = argument_text(word);
    if (path) path = frame_text_plain(path, room, sizeof room);
    bool proven =
        path && name && (path[0] == '/' || strncmp(path, "<frozen ", 8) == 0) && is_of(path, code);
    *place = (struct place){.set = CALLERS_UNKNOWN,
                            /* CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR */
                            .coroutine = (number_of(code, "co_flags") & 0x380) != 0};
    if (proven && frames_is_library(path)) {
        place->set = 0;
        describe_library(place, path, name);
    } else if (proven) {
        bool neutral = frames_is_client(path) || frame_text_below(path, guard.layer);
        place->set = neutral ? 0 : owner_of(path, site_of(path));
    }
    if (proven && strcmp(name, "<module>") == 0) place->bottom = true;
    python.Py_DecRef(file);
    python.Py_DecRef(word);
    return proven;
}

/* Proven code objects by their addresses. Each is kept alive, so that no other object can get its
 * address. */
enum { KNOWN = 2048, PROBES = 16 };
static struct known {
    _Atomic(PyObject *) code;
    struct place place;
} known[KNOWN];
static PyObject *const being_written = (PyObject *)known;

static void place_of(struct place *place, PyObject *code)
{
    uint64_t hash = ((uint64_t)(uintptr_t)code >> 4) * 0x9e3779b97f4a7c15u;
    unsigned slot = (unsigned)(hash >> 32);
    for (unsigned i = 0; i < PROBES; i++) {
        const struct known *one = &known[(slot + i) % KNOWN];
        PyObject *there = atomic_load_explicit(&one->code, memory_order_acquire);
        if (LIKELY(there == code)) {
            *place = one->place;
            return;
        }
        if (!there) break;
    }
    if (!describe(place, code)) return;
    for (unsigned i = 0; i < PROBES; i++) {
        struct known *one = &known[(slot + i) % KNOWN];
        PyObject *nobody = NULL;
        if (!atomic_compare_exchange_strong(&one->code, &nobody, being_written)) continue;
        python.Py_IncRef(code);
        one->place = *place;
        atomic_store_explicit(&one->code, code, memory_order_release);
        return;
    }
}

/* ---- the walk ---- */

/* `outer` runs a loop until its main task is done, and `inner` is that task's outermost frame: the
 * code that called the loop made the task. */
static bool is_main_task(PyObject *outer, const char *variable, PyObject *inner)
{
    PyObject *locals = objects_part(outer, "f_locals");
    PyObject *task = locals ? objects_variable(locals, variable) : NULL, *type, *method = NULL,
             *coroutine = NULL, *frame = NULL;
    /* Runs no code of the program: the type has no metaclass, and the method is C. */
    if (task && python.PyMethodDescr_Type && python.PyCoro_Type) {
        type = python_type(task);
        if (python_type(type) == python.PyType_Type) method = objects_part(type, "get_coro");
        if (method && python_type(method) == python.PyMethodDescr_Type)
            coroutine = python.PyObject_CallFunctionObjArgs(method, task, NULL);
        if (coroutine && python_type(coroutine) == python.PyCoro_Type)
            frame = objects_part(coroutine, "cr_frame");
    }
    bool same = frame && frame == inner;
    PyObject *mine[] = {locals, task, method, coroutine, frame};
    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++)
        if (mine[i]) python.Py_DecRef(mine[i]);
    python.PyErr_Clear();
    return same;
}

/* Compiling a module may warn, and the program's hook for warnings may act. */
static __thread bool walking __attribute__((tls_model("initial-exec")));

/* The caller holds the interpreter. */
static uint64_t walk(void)
{
    uint64_t set = 0;
    if (walking) return CALLERS_UNKNOWN;
    walking = true;
    PyObject *type, *value, *trace, *task = NULL; /* the outermost frame of a loop's task */
    struct place place = {0}, inner = {0};
    python.PyErr_Fetch(&type, &value, &trace);
    bool collects = python.collect_not && python.collect_not() != 0;
    PyObject *frame = python.PyEval_GetFrame(), *last = NULL;
    if (frame) python.Py_IncRef(frame);
    if (!frame) set = CALLERS_UNKNOWN;
    for (unsigned steps = 0; frame; steps++) {
        PyObject *code = python.PyFrame_GetCode(frame);
        if (code) place_of(&place, code);
        python.Py_DecRef(code);
        if (!code || steps >= STEPS) place.set = CALLERS_UNKNOWN;
        set |= place.set;
        /* The code that made a task or registered a callback is no longer on the stack. */
        bool made = last && ((inner.coroutine && !place.coroutine) || place.dispatches);
        if (made && task) set |= CALLERS_UNKNOWN;
        if (made && !task) {
            task = last;
            python.Py_IncRef(task);
        }
        if (task && place.runs) {
            if (!is_main_task(frame, place.runs, task)) set |= CALLERS_UNKNOWN;
            python.Py_DecRef(task);
            task = NULL;
        }
        python.Py_DecRef(last);
        last = frame;
        inner = place;
        frame = steps < STEPS ? python.PyFrame_GetBack(frame) : NULL;
    }
    python.Py_DecRef(task);
    python.Py_DecRef(last);
    /* Greenlets have stacks of their own, which do not show the code that made them. */
    if (task || !inner.bottom || callers_of_starter == 0) set |= CALLERS_UNKNOWN;
    if (collects) python.collect();
    python.PyErr_Clear();
    python.PyErr_Restore(type, value, trace);
    walking = false;
    return set | callers_of_starter;
}

bool interpreter_callers(uint64_t *set)
{
    if (!python.current || !python_is_running()) return false;
    const void *own = python.PyGILState_GetThisThreadState();
    if (!own || own != python.current()) return false;
    *set = pins_interpreter() == 0 ? walk() : CALLERS_UNKNOWN;
    return true;
}

uint64_t interpreter_callers_of(const void *caller)
{
    struct attach attach;
    struct symbols_object object;
    if (!python.current || !caller) return CALLERS_UNKNOWN;
    if (attach_begin(&attach, caller)) {
        uint64_t set = pins_interpreter() == 0 ? walk() : CALLERS_UNKNOWN;
        attach_end(&attach);
        return set;
    }
    if (!symbols_object_of(caller, &object) || object.path[0] != '/' ||
        attach_is_interpreter(caller) || !native_is_older(object.path))
        return CALLERS_UNKNOWN;
    /* A library acts. On a thread of its own it acts for itself; on a Python thread it acts for its
     * caller, which cannot be read without the interpreter. */
    uint64_t set = owner_of(object.path, 0);
    if (set & CALLERS_FUNCTION) set = CALLERS_UNKNOWN;
    return python.PyGILState_GetThisThreadState() ? set | CALLERS_UNKNOWN : set;
}
