/* Events about code objects made from bytes. A compiled module passes because its bytes equal
 * those of a file. Frames can have any name, and any code can raise any event, so names and
 * events prove nothing here. */
#include <limits.h>
#include <string.h>

#include "python/arguments.h"
#include "python/frames.h"
#include "python/hooks/hook.h"
#include "python/hooks/marshalled.h"
#include "python/hooks/objects.h"
#include "memory/native.h"
#include "python/pins.h"
#include "support/sys.h"

enum { HEADER = 16 /* of a .pyc, since PEP 552 */ };

/* An audit hook in Python runs after the guard's, and can change the bytes between the guard's
 * check and their unmarshalling. */
static atomic_bool other_hooks_added;

/* The object's bytes cannot change. An event shows a copy of them; in writable memory, a later
 * audit hook or another thread could replace the original before it is unmarshalled. */
static bool is_unchangeable(PyObject *value)
{
    if (python_type(value) == python.PyBytes_Type) return true;
    if (python_type(value) != python.PyMemoryView_Type) return false;
    PyObject *memory = objects_part(value, "obj");
    bool bytes = memory && python_type(memory) == python.PyBytes_Type;
    python.Py_DecRef(memory);
    return bytes;
}

/* The caller is importlib's own _compile_bytecode, and passes its argument to the interpreter's own
 * marshal.loads. */
static bool hands_on(const struct frame *frame, PyObject *locals)
{
    if (UNLIKELY(atomic_load_explicit(&other_hooks_added, memory_order_relaxed))) return false;
    struct pins *own = pins_own();
    if (!own || !own->importlib.compile || !own->loads ||
        !objects_runs(frame->object, own->importlib.compile))
        return false;
    PyObject *data = objects_variable(locals, "data");
    bool same = data && is_unchangeable(data) &&
                objects_is_part(own->importlib.module, "marshal", own->marshal) &&
                objects_is_part(own->marshal, "loads", own->loads);
    python.Py_DecRef(data);
    return same;
}

/* The file's bytes after the header are exactly these. */
static bool is_content(int fd, const char *bytes, size_t size, struct stat *status)
{
    char buffer[16384];
    if (sys_fstat(fd, status) != 0 || !S_ISREG(status->st_mode) ||
        (uint64_t)status->st_size != (uint64_t)size + HEADER)
        return false;
    for (size_t at = 0; at < size;) {
        size_t want = size - at < sizeof buffer ? size - at : sizeof buffer;
        long got = sys_pread(fd, buffer, want, (long)(HEADER + at));
        if (got <= 0 || memcmp(buffer, bytes + at, (size_t)got) != 0) return false;
        at += (size_t)got;
    }
    return true;
}

enum compiled { COMPILED_UNKNOWN, COMPILED_CACHED, COMPILED_ALONE };

/* importlib's _compile_bytecode(data, name, bytecode_path, source_path) names the file of the
 * bytes. CACHED: the file holds exactly these bytes, beside a source. ALONE: it has no source, or
 * lies where code can write. */
static enum compiled find_file(PyObject *locals, PyObject *data, char resolved[PATH_MAX])
{
    PyObject *file = objects_variable(locals, "bytecode_path"),
             *source = file ? objects_variable(locals, "source_path") : NULL;
    const char *path = argument_text(file);
    char *bytes = NULL;
    Py_ssize_t size = 0;
    enum compiled answer = COMPILED_UNKNOWN;
    struct stat status;
    int fd = -1;
    bool plain = false;
    if (path && python_type(data) == python.PyBytes_Type &&
        python.PyBytes_AsStringAndSize(data, &bytes, &size) == 0) {
        /* Nearly always the path is plain, and need not be resolved. */
        plain =
            path[0] == '/' && !strstr(path, "/.") && !strstr(path, "//") && strlen(path) < PATH_MAX;
        if (plain) fd = sys_open_no_links(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
        plain = fd >= 0;
        if (!plain) fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    }
    if (fd >= 0) {
        if (is_content(fd, bytes, (size_t)size, &status)) {
            if (plain) strcpy(resolved, path);
            bool scratch =
                plain ? native_path_is_scratch(path, &status) : native_fd_is_scratch(fd, resolved);
            answer = !scratch && argument_text(source) && native_dates_before(&status)
                         ? COMPILED_CACHED
                         : COMPILED_ALONE;
        }
        sys_close(fd);
    }
    python.Py_DecRef(file);
    python.Py_DecRef(source);
    python.PyErr_Clear();
    return answer;
}

/* `found` is a memoryview of these bytes. Python's own comparison goes byte by byte, a millisecond
 * at each start. Exact types only, so that no code of the program answers for them. */
static bool is_view_of(PyObject *found, PyObject *data)
{
    struct python_buffer view = {0};
    char *bytes;
    Py_ssize_t size;
    if (python_type(found) != python.PyMemoryView_Type || python_type(data) != python.PyBytes_Type)
        return false;
    if (python.PyBytes_AsStringAndSize(data, &bytes, &size) != 0) return false;
    if (python.PyObject_GetBuffer(found, &view, 0 /* PyBUF_SIMPLE */) != 0) return false;
    bool same = view.size == size && memcmp(view.bytes, bytes, (size_t)size) == 0;
    python.PyBuffer_Release(&view);
    return same;
}

/* The name of the frozen module that importlib is loading, or NULL if it is not doing that:
 * _call_with_frames_removed(f, *args), or FrozenImporter.get_code(fullname). A new reference. */
static PyObject *frozen_name(struct pins *own, const struct frame *frame, PyObject *locals)
{
    PyObject *name = NULL;
    if (!own->frozen.thaw) return NULL;
    if (objects_runs(frame->object, own->frozen.get_code)) {
        if (objects_is_part(own->frozen.module, "_imp", own->frozen.imp) &&
            objects_is_part(own->frozen.imp, "get_frozen_object", own->frozen.thaw))
            name = objects_variable(locals, "fullname");
    } else if (objects_runs(frame->object, own->frozen.call)) {
        PyObject *function = objects_variable(locals, "f"),
                 *words = objects_variable(locals, "args"),
                 *options = objects_variable(locals, "kwds");
        /* With a second argument, these would be the caller's bytes. */
        if (function == own->frozen.thaw && words && options && python.PyTuple_Size(words) == 1 &&
            python.PyDict_Size(options) == 0)
            name = argument_element(words, 0);
        python.Py_DecRef(function);
        python.Py_DecRef(words);
        python.Py_DecRef(options);
    }
    python.PyErr_Clear();
    return name;
}

/* The bytes are those of a module that is built into the interpreter. */
static bool is_frozen(const struct frame *frame, PyObject *locals, PyObject *data)
{
    struct pins *own = pins_own();
    if (!own || !own->find_frozen) return false;
    PyObject *name = frozen_name(own, frame, locals);
    bool same = false;
    if (name && python_type(name) == python.PyUnicode_Type) {
        PyObject *words = python.PyTuple_Pack(1, name), *options = python.PyDict_New();
        if (words && options && python.PyDict_SetItemString(options, "withdata", data) == 0) {
            PyObject *found = python.PyObject_Call(own->find_frozen, words, options);
            PyObject *bytes = found ? argument_element(found, 0) : NULL;
            same = bytes && is_view_of(bytes, data);
            python.Py_DecRef(bytes);
            python.Py_DecRef(found);
        }
        python.Py_DecRef(words);
        python.Py_DecRef(options);
    }
    python.Py_DecRef(name);
    python.PyErr_Clear();
    return same;
}

/* importlib's own get_code calls its own _compile_bytecode, for a loader that reads by importlib's
 * own get_data and the interpreter's own open_code. Code that replaced what these look up by name
 * can still pass other bytes. Only comparing with the file shows that. It reads each module twice,
 * so it happens only where the rule blocks. */
static bool is_importlib(void)
{
    struct pins *own = pins_own();
    if (!own || !own->importlib.open_code) return false;
    PyObject *inner = python.PyEval_GetFrame();
    if (!objects_runs(inner, own->importlib.compile)) return false;
    PyObject *outer = python.PyFrame_GetBack(inner);
    bool usual = false;
    if (objects_runs(outer, own->importlib.get_code)) {
        PyObject *locals = objects_part(outer, "f_locals"),
                 *self = locals ? objects_variable(locals, "self") : NULL;
        PyObject *method = objects_part(self, "get_data");
        usual = objects_is_part(method, "__func__", own->importlib.get_data) &&
                objects_is_part(own->importlib.module, "_io", own->importlib.io) &&
                objects_is_part(own->importlib.io, "open_code", own->importlib.open_code);
        python.Py_DecRef(method);
        python.Py_DecRef(self);
        python.Py_DecRef(locals);
    }
    python.Py_DecRef(outer);
    return usual;
}

static bool blocks(void) { return guard_blocks(FS_NATIVE, ""); }

__thread bool hook_collector_waits __attribute__((tls_model("initial-exec")));

/* Before 3.12 the collector can run wherever a tuple is made, and calls Python code. */
static void stop_collector(void)
{
    static const char *version;
    if (!version) version = python.Py_GetVersion();
    bool at_once = version[0] == '3' && version[1] == '.' && version[2] == '1' &&
                   (version[3] == '0' || version[3] == '1');
    if (at_once && python.PyGC_Disable && python.PyGC_Disable() == 1) hook_collector_waits = true;
}

void hook_collector_goes_on(void)
{
    hook_collector_waits = false;
    python.PyGC_Enable();
}

void hook_notes_other_hooks(void) { atomic_store(&other_hooks_added, true); }

bool hook_has_other_hooks(void)
{
    return atomic_load_explicit(&other_hooks_added, memory_order_relaxed);
}

/* importlib's get_code reads a compiled module that the guard would not trust. Where the rule
 * blocks, the read fails, and importlib compiles the source. */
bool hook_passes_over(const char *path)
{
    struct stat status;
    if (guard_ignores(FS_NATIVE) || !blocks() || !python_is_running()) return false;
    bool others = atomic_load_explicit(&other_hooks_added, memory_order_relaxed);
    if (LIKELY(!others) &&
        (sys_fstatat(AT_FDCWD, path, &status, 0) != 0 || native_dates_before(&status)))
        return false;
    struct pins *own = pins_own();
    PyObject *inner = python.PyEval_GetFrame();
    if (!own || !own->importlib.reads || !objects_runs(inner, own->importlib.reads)) return false;
    PyObject *outer = python.PyFrame_GetBack(inner);
    bool reads = objects_runs(outer, own->importlib.get_code);
    python.Py_DecRef(outer);
    return reads;
}

__thread bool hook_own_unmarshal __attribute__((tls_model("initial-exec")));

int hook_unmarshal(PyObject *arguments)
{
    if (UNLIKELY(hook_own_unmarshal)) {
        hook_own_unmarshal = false;
        return 0;
    }
    if (guard_ignores(FS_NATIVE) || !python_runs_code() || UNLIKELY(pins_beginning())) return 0;
    char resolved[PATH_MAX];
    PyObject *data = argument(arguments, 0), *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    struct frame frame = {0};
    if (!blocks() && is_importlib()) {
        python.PyErr_Restore(type, value, trace);
        return 0;
    }
    PyObject *locals = data ? objects_locals(&frame) : NULL;
    enum compiled compiled = COMPILED_UNKNOWN;
    if (locals && hands_on(&frame, locals))
        compiled = find_file(locals, data, resolved);
    else if (locals && is_frozen(&frame, locals, data))
        compiled = COMPILED_CACHED;
    else if (!locals && marshalled_is_known(data))
        compiled = COMPILED_CACHED;
    python.Py_DecRef(locals);
    frames_stop(&frame);
    python.PyErr_Clear();
    python.PyErr_Restore(type, value, trace);
    if (LIKELY(compiled == COMPILED_CACHED)) {
        if (blocks()) stop_collector();
        return 0;
    }
    if (compiled == COMPILED_ALONE)
        return hook_judge_native("import compiled code from", resolved, resolved);
    return hook_judge_native("load code by", "marshal.loads", NULL);
}
