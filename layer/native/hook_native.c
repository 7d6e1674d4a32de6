/* Events about what turns Python into machine code: code objects made from bytes, modules that hand out memory, libraries.
 *
 * Frames name themselves as they like, and every event can be raised by hand. So nothing passes here for who it says it is:
 * a compiled module passes because its bytes are those of a file, types.coroutine because its code is the standard
 * library's. Names only choose among the exceptions of a policy. */
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "arguments.h"
#include "frames.h"
#include "hook.h"
#include "native.h"
#include "origin.h"
#include "sys.h"

enum { INTERPRETERS = 1024, NAME_MAX_SIZE = 256, STEPS = 512, HEADER = 16 /* of a .pyc, since PEP 552 */ };

/* What must be known from before the function's first line, for each interpreter: no object crosses from one to another. */
struct pins {
    atomic_int state; /* 0 no import yet, 1 being written, 2 there */
    PyObject *find_frozen;
    PyObject *coroutine; /* the code of types.coroutine, once it was seen to be so */
    struct {             /* importlib's own parts: NULL where this Python names them otherwise */
        PyObject *module, *compile, *get_code, *get_data, *io, *open_code;
    } importlib;
    struct {             /* what hands the names of modules that are built in to _imp.get_frozen_object */
        PyObject *module, *imp, *thaw, *call, *get_code;
    } frozen;
    PyObject *marshal, *loads;
    bool compared;
};
static struct pins pins[INTERPRETERS]; /* by their ids, which are not used again */
static char prefix[1024];

static __thread uint64_t announced __attribute__((tls_model("initial-exec"))); /* the bridge whose import was judged */
static atomic_bool bridge_known;

static int64_t interpreter_id(void) { return python.PyInterpreterState_GetID(python.PyInterpreterState_Get()); }

static struct pins *own_pins(void)
{
    int64_t id = interpreter_id();
    if (id < 0 || id >= INTERPRETERS) return NULL;
    return atomic_load_explicit(&pins[id].state, memory_order_acquire) == 2 ? &pins[id] : NULL;
}

/* An interpreter that is being made: nobody's code runs in it. */
static bool is_beginning(void)
{
    int64_t id = interpreter_id();
    return id >= 0 && id < INTERPRETERS && atomic_load(&pins[id].state) == 0;
}

/* FOLDER/bin/python: a virtual environment's, where the program is one's. */
static void trust_environment(const char *executable)
{
    char folder[1024];
    size_t size = executable ? strlen(executable) : 0;
    if (size == 0 || size >= sizeof folder) return;
    memcpy(folder, executable, size + 1);
    for (unsigned up = 0; up < 2; up++) {
        char *slash = strrchr(folder, '/');
        if (slash) *slash = '\0';
    }
    native_trusts(folder);
}

static PyObject *part(PyObject *object, const char *name)
{
    PyObject *found = object ? python.PyObject_GetAttrString(object, name) : NULL;
    if (!found) python.PyErr_Clear();
    return found;
}

static void pin_importlib(struct pins *own, PyObject *modules)
{
    PyObject *module = python.PyDict_GetItemString(modules, "_frozen_importlib_external");
    if (!module) return;
    PyObject *compile = part(module, "_compile_bytecode"), *loader = part(module, "SourceLoader");
    PyObject *get_code = part(loader, "get_code"), *files = part(module, "FileLoader");
    own->importlib.module = module; /* lives as long as its interpreter: these references are kept */
    python.Py_IncRef(module);
    own->importlib.compile = part(compile, "__code__");
    own->importlib.get_code = part(get_code, "__code__");
    own->importlib.get_data = part(files, "get_data");
    own->importlib.io = part(module, "_io");
    own->importlib.open_code = part(own->importlib.io, "open_code");
    PyObject *passing[] = {compile, loader, get_code, files};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (passing[i]) python.Py_DecRef(passing[i]);
}

static void pin_frozen(struct pins *own, PyObject *modules)
{
    PyObject *module = python.PyDict_GetItemString(modules, "_frozen_importlib");
    PyObject *call = part(module, "_call_with_frames_removed"), *importer = part(module, "FrozenImporter");
    /* A class method, inside a function that asks first whether there is such a module. */
    PyObject *method = part(importer, "get_code"), *cells = part(method, "__closure__");
    PyObject *cell = cells ? argument_element(cells, 0) : NULL, *inner = part(cell, "cell_contents");
    if (module) python.Py_IncRef(module);
    own->frozen.module = module;
    own->frozen.imp = part(module, "_imp");
    own->frozen.thaw = part(own->frozen.imp, "get_frozen_object");
    own->frozen.call = part(call, "__code__");
    own->frozen.get_code = part(inner, "__code__");
    own->marshal = python.PyDict_GetItemString(modules, "marshal");
    if (own->marshal) python.Py_IncRef(own->marshal);
    own->loads = part(own->marshal, "loads");
    PyObject *passing[] = {call, importer, method, cells, cell, inner};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (passing[i]) python.Py_DecRef(passing[i]);
}

/* At an interpreter's import of encodings, with which its making ends: before it there is only what is built in. */
static void pin(const char *importing)
{
    int64_t id = interpreter_id();
    int none = 0;
    if (strcmp(importing, "encodings") != 0) return;
    if (id < 0 || id >= INTERPRETERS || !atomic_compare_exchange_strong(&pins[id].state, &none, 1)) return;
    PyObject *modules = python.PySys_GetObject("modules");
    const char *text = argument_text(python.PySys_GetObject("base_prefix"));
    if (id == 0 && text && strlen(text) < sizeof prefix) {
        strcpy(prefix, text);
        native_trusts(text);
        trust_environment(argument_text(python.PySys_GetObject("executable")));
    }
    PyObject *machinery =
        modules && python_type(modules) == python.PyDict_Type ? python.PyDict_GetItemString(modules, "_imp") : NULL;
    pins[id].find_frozen = machinery ? python.PyObject_GetAttrString(machinery, "find_frozen") : NULL; /* since 3.11 */
    if (!pins[id].find_frozen) python.PyErr_Clear();
    if (modules && python_type(modules) == python.PyDict_Type) {
        pin_importlib(&pins[id], modules);
        pin_frozen(&pins[id], modules);
    }
    atomic_store_explicit(&pins[id].state, 2, memory_order_release);
}

/* ---- who asks ---- */

/* The module of the innermost frame that is no library's, by its own account. */
static void read_module(char name[NAME_MAX_SIZE])
{
    struct frame frame = {0};
    strcpy(name, "__main__");
    for (unsigned steps = 0; steps < STEPS && frames_next(&frame); steps++) {
        if (frame.library) continue;
        PyObject *globals = python.PyObject_GetAttrString(frame.object, "f_globals");
        const char *text = globals && python_type(globals) == python.PyDict_Type
                               ? argument_text(python.PyDict_GetItemString(globals, "__name__"))
                               : NULL;
        if (text && strlen(text) < NAME_MAX_SIZE) strcpy(name, text);
        if (globals) python.Py_DecRef(globals);
        python.PyErr_Clear();
        break;
    }
    frames_stop(&frame);
}

static bool passes(const struct fs_verdict *verdict) { return verdict->mode == FS_ALLOW; }

/* By the module, by the packages it lies in, by the outermost one's folder, by the library. */
static struct fs_verdict ask(const char *library)
{
    char name[NAME_MAX_SIZE];
    read_module(name);
    struct fs_verdict verdict = native_decide(name);
    for (char *dot; !passes(&verdict) && (dot = strrchr(name, '.')) != NULL;) {
        *dot = '\0';
        verdict = native_decide(name);
    }
    if (passes(&verdict)) return verdict;
    struct guard_origin origin;
    origin_read(&origin);
    const char *const names[] = {origin.package[0] ? origin.package : NULL, library};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!names[i]) continue;
        struct fs_verdict other = native_decide(names[i]);
        if (passes(&other)) return other;
    }
    return verdict;
}

static int judge(const char *verb, const char *object, const char *library)
{
    PyObject *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    struct fs_verdict verdict = ask(library);
    python.PyErr_Restore(type, value, trace);
    struct guard_act act = {.ring = RING_INTERPRETER, .family = FS_NATIVE, .verb = verb, .path = object};
    if (verdict.mode == FS_ALLOW && verdict.reason == FS_RULE) guard_report(&act, &verdict, NULL, 0);
    return hook_verdict(&act, &verdict, object, NULL);
}

/* ---- frames ---- */

static long code_flags(PyObject *frame)
{
    PyObject *code = python.PyFrame_GetCode(frame);
    PyObject *flags = code ? python.PyObject_GetAttrString(code, "co_flags") : NULL;
    long value = flags ? argument_number(flags, 0) : 0;
    if (flags) python.Py_DecRef(flags);
    if (code) python.Py_DecRef(code);
    return value;
}

/* The innermost frame's variables, a new reference. Of functions only: the variables of other code can be an object of
 * anybody's, and asking it would run his code. */
static PyObject *locals_of(struct frame *frame)
{
    if (!frames_next(frame)) return NULL;
    if (!(code_flags(frame->object) & 1 /* CO_OPTIMIZED */)) return NULL;
    return python.PyObject_GetAttrString(frame->object, "f_locals");
}

static PyObject *variable(PyObject *locals, const char *name)
{
    PyObject *value = python.PyMapping_GetItemString(locals, name);
    if (!value) python.PyErr_Clear();
    return value;
}

static bool is_part(PyObject *object, const char *name, const PyObject *expected)
{
    PyObject *found = part(object, name);
    if (found) python.Py_DecRef(found);
    return found && found == expected;
}

static bool runs(PyObject *frame, const PyObject *code)
{
    PyObject *found = frame ? python.PyFrame_GetCode(frame) : NULL;
    if (found) python.Py_DecRef(found);
    return found && found == code;
}

/* ---- compiled code ---- */

/* Nobody writes there: the bytes that an event has are a copy, and where they lie in other memory, an audit hook that is asked
 * after ours, or another thread, puts others there before they are unmarshalled. */
static bool is_unchangeable(PyObject *value)
{
    if (python_type(value) == python.PyBytes_Type) return true;
    if (python_type(value) != python.PyMemoryView_Type) return false;
    PyObject *memory = part(value, "obj");
    bool bytes = memory && python_type(memory) == python.PyBytes_Type;
    if (memory) python.Py_DecRef(memory);
    return bytes;
}

/* importlib's own _compile_bytecode is at it, and hands what it was given to the interpreter's own marshal.loads. */
static bool hands_on(const struct frame *frame, PyObject *locals)
{
    struct pins *own = own_pins();
    if (!own || !own->importlib.compile || !own->loads || !runs(frame->object, own->importlib.compile)) return false;
    PyObject *data = variable(locals, "data");
    bool same = data && is_unchangeable(data) && is_part(own->importlib.module, "marshal", own->marshal) &&
                is_part(own->marshal, "loads", own->loads);
    if (data) python.Py_DecRef(data);
    return same;
}

/* The file's bytes behind the header are just these. */
static bool is_content(int fd, const char *bytes, size_t size, struct stat *status)
{
    char buffer[16384];
    if (sys_fstat(fd, status) != 0 || !S_ISREG(status->st_mode) || (uint64_t)status->st_size != (uint64_t)size + HEADER) return false;
    for (size_t at = 0; at < size;) {
        size_t want = size - at < sizeof buffer ? size - at : sizeof buffer;
        long got = sys_pread(fd, buffer, want, (long)(HEADER + at));
        if (got <= 0 || memcmp(buffer, bytes + at, (size_t)got) != 0) return false;
        at += (size_t)got;
    }
    return true;
}

enum compiled { COMPILED_UNKNOWN, COMPILED_CACHED, COMPILED_ALONE };

/* importlib's _compile_bytecode(data, name, bytecode_path, source_path) says which file the bytes come from. CACHED: just
 * there they are, beside a source. ALONE: with no source, or where anybody may write. */
static enum compiled find_file(PyObject *locals, PyObject *data, char resolved[PATH_MAX])
{
    PyObject *file = variable(locals, "bytecode_path"), *source = file ? variable(locals, "source_path") : NULL;
    const char *path = argument_text(file);
    char *bytes = NULL;
    Py_ssize_t size = 0;
    enum compiled answer = COMPILED_UNKNOWN;
    struct stat status;
    int fd = -1;
    bool plain = false;
    if (path && python_type(data) == python.PyBytes_Type && python.PyBytes_AsStringAndSize(data, &bytes, &size) == 0) {
        /* Nearly always the path is what it says, and there is no need to ask where it leads. */
        plain = path[0] == '/' && !strstr(path, "/.") && !strstr(path, "//") && strlen(path) < PATH_MAX;
        if (plain) fd = sys_open_no_links(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        plain = fd >= 0;
        if (!plain) fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    }
    if (fd >= 0) {
        if (is_content(fd, bytes, (size_t)size, &status)) {
            if (plain) strcpy(resolved, path);
            bool scratch = plain ? native_path_is_scratch(path, &status) : native_descriptor_is_scratch(fd, resolved);
            answer = !scratch && argument_text(source) ? COMPILED_CACHED : COMPILED_ALONE;
        }
        sys_close(fd);
    }
    if (file) python.Py_DecRef(file);
    if (source) python.Py_DecRef(source);
    python.PyErr_Clear();
    return answer;
}

/* `found` is a memoryview of these bytes. Python's own comparison of the two takes them apart one by one: a millisecond at
 * each start. Of exact types, so that nobody's code answers for them. */
static bool is_view_of(PyObject *found, PyObject *data)
{
    struct python_buffer view = {0};
    char *bytes;
    Py_ssize_t size;
    if (python_type(found) != python.PyMemoryView_Type || python_type(data) != python.PyBytes_Type) return false;
    if (python.PyBytes_AsStringAndSize(data, &bytes, &size) != 0) return false;
    if (python.PyObject_GetBuffer(found, &view, 0 /* PyBUF_SIMPLE */) != 0) return false;
    bool same = view.size == size && memcmp(view.bytes, bytes, (size_t)size) == 0;
    python.PyBuffer_Release(&view);
    return same;
}

/* The name of the module that importlib is having unfrozen, NULL where it is not at that: _call_with_frames_removed(f, *args), or
 * FrozenImporter.get_code(fullname). A new reference. */
static PyObject *frozen_name(struct pins *own, const struct frame *frame, PyObject *locals)
{
    PyObject *name = NULL;
    if (!own->frozen.thaw) return NULL;
    if (runs(frame->object, own->frozen.get_code)) {
        if (is_part(own->frozen.module, "_imp", own->frozen.imp) && is_part(own->frozen.imp, "get_frozen_object", own->frozen.thaw))
            name = variable(locals, "fullname");
    } else if (runs(frame->object, own->frozen.call)) {
        PyObject *function = variable(locals, "f"), *words = variable(locals, "args"), *options = variable(locals, "kwds");
        /* With a second word, these would be somebody's bytes. */
        if (function == own->frozen.thaw && words && options && python.PyTuple_Size(words) == 1 && python.PyDict_Size(options) == 0)
            name = argument_element(words, 0);
        if (function) python.Py_DecRef(function);
        if (words) python.Py_DecRef(words);
        if (options) python.Py_DecRef(options);
    }
    python.PyErr_Clear();
    return name;
}

/* The bytes are those of a module that is built into the interpreter. */
static bool is_frozen(const struct frame *frame, PyObject *locals, PyObject *data)
{
    struct pins *own = own_pins();
    if (!own || !own->find_frozen) return false;
    PyObject *name = frozen_name(own, frame, locals);
    bool same = false;
    if (name && python_type(name) == python.PyUnicode_Type) {
        PyObject *words = python.PyTuple_Pack(1, name), *options = python.PyDict_New();
        if (words && options && python.PyDict_SetItemString(options, "withdata", data) == 0) {
            PyObject *found = python.PyObject_Call(own->find_frozen, words, options);
            PyObject *bytes = found ? argument_element(found, 0) : NULL;
            same = bytes && is_view_of(bytes, data);
            if (bytes) python.Py_DecRef(bytes);
            if (found) python.Py_DecRef(found);
        }
        if (words) python.Py_DecRef(words);
        if (options) python.Py_DecRef(options);
    }
    if (name) python.Py_DecRef(name);
    python.PyErr_Clear();
    return same;
}

/* importlib's own get_code calls its own _compile_bytecode, for a loader that reads by importlib's own get_data and the
 * interpreter's own open_code. Whoever replaced what these look up by name can still hand over other bytes, which the
 * comparison with the file would show: that is for where the rule blocks, since it reads each module twice. */
static bool is_importlib(void)
{
    struct pins *own = own_pins();
    if (!own || !own->importlib.open_code) return false;
    PyObject *inner = python.PyEval_GetFrame();
    if (!runs(inner, own->importlib.compile)) return false;
    PyObject *outer = python.PyFrame_GetBack(inner);
    bool usual = false;
    if (runs(outer, own->importlib.get_code)) {
        PyObject *locals = part(outer, "f_locals"), *self = locals ? variable(locals, "self") : NULL;
        PyObject *method = part(self, "get_data");
        usual = is_part(method, "__func__", own->importlib.get_data) &&
                is_part(own->importlib.module, "_io", own->importlib.io) &&
                is_part(own->importlib.io, "open_code", own->importlib.open_code);
        if (method) python.Py_DecRef(method);
        if (self) python.Py_DecRef(self);
        if (locals) python.Py_DecRef(locals);
    }
    if (outer) python.Py_DecRef(outer);
    return usual;
}

static bool blocks(void)
{
    struct fs_request request = {.family = FS_NATIVE, .path = ""};
    return guard_decide(&request).mode == FS_BLOCK;
}

int hook_unmarshal(PyObject *arguments)
{
    if (guard_ignores(FS_NATIVE) || !python.Py_IsInitialized() || UNLIKELY(is_beginning())) return 0;
    char resolved[PATH_MAX];
    PyObject *data = argument(arguments, 0), *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    struct frame frame = {0};
    if (!blocks() && is_importlib()) {
        python.PyErr_Restore(type, value, trace);
        return 0;
    }
    PyObject *locals = data ? locals_of(&frame) : NULL;
    enum compiled compiled = COMPILED_UNKNOWN;
    if (locals && hands_on(&frame, locals))
        compiled = find_file(locals, data, resolved);
    else if (locals && is_frozen(&frame, locals, data))
        compiled = COMPILED_CACHED;
    if (locals) python.Py_DecRef(locals);
    frames_stop(&frame);
    python.PyErr_Clear();
    python.PyErr_Restore(type, value, trace);
    if (LIKELY(compiled == COMPILED_CACHED)) return 0;
    if (compiled == COMPILED_ALONE) return judge("import compiled code from", resolved, resolved);
    return judge("load code by", "marshal.loads", NULL);
}

/* ---- code objects ---- */

/* What `path` compiles to: the code of its function `name`, a new reference. */
static PyObject *compile_function(const char *path, const char *name)
{
    struct stat status;
    PyObject *found = NULL;
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return NULL;
    if (sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 && status.st_size < 1 << 20) {
        size_t size = (size_t)status.st_size;
        long memory = sys_call(SYS_mmap, NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory > 0 || memory < -4095) {
            bool whole = sys_pread(fd, (char *)memory, size, 0) == (long)size;
            PyObject *module = whole ? python.Py_CompileString((const char *)memory, path, 257 /* Py_file_input */) : NULL;
            PyObject *constants = module ? python.PyObject_GetAttrString(module, "co_consts") : NULL, *constant;
            for (Py_ssize_t i = 0; constants && !found && (constant = argument_element(constants, i)) != NULL; i++) {
                PyObject *own = python_type(constant) == python.PyCode_Type ? python.PyObject_GetAttrString(constant, "co_name") : NULL;
                const char *text = argument_text(own);
                if (text && strcmp(text, name) == 0) {
                    python.Py_IncRef(constant);
                    found = constant;
                }
                if (own) python.Py_DecRef(own);
                python.Py_DecRef(constant);
            }
            if (constants) python.Py_DecRef(constants);
            if (module) python.Py_DecRef(module);
            sys_call(SYS_munmap, memory, size + 1);
        }
    }
    sys_close(fd);
    python.PyErr_Clear();
    return found;
}

static bool is_variable_of(PyObject *locals, const char *name, PyObject *type)
{
    PyObject *value = variable(locals, name);
    bool same = value && python_type(value) == type;
    if (value) python.Py_DecRef(value);
    return same;
}

/* types.coroutine, which gives a function's own code another flag, is at it: its code is what the library's source compiles to,
 * and what it changes is the code of a function, so that all it can call is code.replace(co_flags=…). */
static bool is_coroutine(const struct frame *frame, PyObject *locals)
{
    struct pins *own = own_pins();
    const char *rest = own ? frames_below(frame->path, prefix) : NULL;
    size_t size = strlen(frame->path);
    if (!rest || strncmp(rest, "lib", 3) != 0 || size < 10 || strcmp(frame->path + size - 9, "/types.py") != 0) return false;
    if (!is_variable_of(locals, "co", python.PyCode_Type) || !is_variable_of(locals, "func", python.PyFunction_Type)) return false;
    PyObject *code = python.PyFrame_GetCode(frame->object);
    if (!code) return false;
    if (!own->coroutine && !own->compared) {
        own->compared = true;
        own->coroutine = compile_function(frame->path, "coroutine");
    }
    bool same = own->coroutine == code;
    if (!same && own->coroutine && python.PyObject_RichCompareBool(code, own->coroutine, 2 /* Py_EQ */) == 1) {
        python.Py_IncRef(code); /* this very object from now on; the other is never given back: somebody may be looking at it */
        own->coroutine = code;
        same = true;
    }
    python.Py_DecRef(code);
    return same;
}

int hook_code(void)
{
    if (guard_ignores(FS_NATIVE) || !python.Py_IsInitialized()) return 0;
    PyObject *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    struct frame frame = {0};
    PyObject *locals = locals_of(&frame);
    bool known = locals && is_coroutine(&frame, locals);
    if (locals) python.Py_DecRef(locals);
    frames_stop(&frame);
    python.PyErr_Clear();
    python.PyErr_Restore(type, value, trace);
    return known ? 0 : judge("make code by", "code.__new__", NULL);
}

/* ---- modules and libraries ---- */

/* (name, None, …) when a module is looked for, (name, file, None, …) when an extension is loaded. */
int hook_native_import(const char *name, PyObject *file)
{
    if (guard_ignores(FS_NATIVE)) return 0;
    if (UNLIKELY(!own_pins())) pin(name);
    if (!python.Py_IsInitialized()) return 0;
    char resolved[PATH_MAX];
    const char *dot = strrchr(name, '.'), *path = argument_text(file);
    const char *last = dot ? dot + 1 : name;
    const char *slash = path ? strrchr(path, '/') : NULL;
    bool bridge = native_names_bridge(last) || (slash && native_names_bridge(slash + 1));
    if (LIKELY(!path && !bridge)) return 0;
    uint64_t hash = bridge ? guard_object_hash(last) : 0;
    if (!path) {
        announced = 0;
        if (judge("import", last, NULL) != 0) return -1;
        announced = hash;
        atomic_store_explicit(&bridge_known, true, memory_order_relaxed);
        return 0;
    }
    bool first = announced == hash;
    announced = 0;
    if (bridge && first) {
        native_library_is_judged(path); /* the import of which this is the second half */
        return 0;
    }
    enum native_place place = native_judge_place(path, resolved);
    if (place == NATIVE_STEADY) native_library_is_judged(path);
    if (!bridge && place != NATIVE_WRITABLE) return 0;
    const char *shown = resolved[0] == '/' ? resolved : path;
    if (judge(bridge ? "import" : "load", bridge ? last : shown, shown) != 0) return -1;
    if (bridge) atomic_store_explicit(&bridge_known, true, memory_order_relaxed);
    native_library_is_judged(path);
    return 0;
}

/* Any event of ctypes, in an interpreter that has it built in: it can be had without an import. */
int hook_bridge_used(void)
{
    if (guard_ignores(FS_NATIVE) || atomic_load_explicit(&bridge_known, memory_order_relaxed)) return 0;
    if (judge("use", "_ctypes", NULL) != 0) return -1;
    atomic_store_explicit(&bridge_known, true, memory_order_relaxed);
    return 0;
}

int hook_native_library(const char *path)
{
    if (guard_ignores(FS_NATIVE)) return 0;
    char resolved[PATH_MAX];
    enum native_place place = native_judge_place(path, resolved);
    if (place == NATIVE_STEADY) native_library_is_judged(path);
    if (place != NATIVE_WRITABLE) return 0;
    const char *shown = resolved[0] == '/' ? resolved : path;
    if (judge("load", shown, shown) != 0) return -1;
    native_library_is_judged(path);
    return 0;
}
