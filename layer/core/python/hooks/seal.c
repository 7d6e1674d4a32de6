#include "python/hooks/seal.h"

#include <stdlib.h>
#include <string.h>

#include "python/arguments.h"
#include "guard/facts.h"
#include "python/frames.h"
#include "guard/guard.h"
#include "files/source/also.h"
#include "files/handler.h"
#include "python/hooks/archive.h"
#include "support/sys.h"

struct handler {
    char module[256]; /* "pkg.handler" */
    char stem[128]; /* of its file: "handler" for handler.py and handler/__init__.py; "" where there
                       is none */
    atomic_bool sealed;
};
static struct handler handlers[FACTS_HANDLERS];
static atomic_uint waiting; /* handlers that have not run yet */
static atomic_bool any_sealed;

void seal_start(void)
{
    for (unsigned i = 0; i < FACTS_HANDLERS; i++) {
        const char *value = facts_handler(i);
        const char *end =
            value ? strrchr(value, '.')
                  : NULL; /* module.function, pkg/module.function, pkg.module.function */
        if (!end || end == value) continue;
        const char *start = end;
        while (start > value && start[-1] != '.' && start[-1] != '/') start--;
        size_t size = (size_t)(end - start);
        size_t whole = (size_t)(end - value);
        if (size == 0 || size >= sizeof handlers[i].stem || whole >= sizeof handlers[i].module)
            continue;
        memcpy(handlers[i].stem, start, size);
        memcpy(handlers[i].module, value, whole);
        for (char *at = handlers[i].module; *at; at++)
            if (*at == '/') *at = '.';
        bool again = false;
        for (unsigned j = 0; j < i; j++)
            again = again || strcmp(handlers[j].stem, handlers[i].stem) == 0;
        if (!again) atomic_fetch_add(&waiting, 1);
        if (again) handlers[i].stem[0] = '\0';
    }
}

/* The handler whose file `path` could be, by its last component: stem.py, stem.cpython-313.pyc,
 * stem/__init__.py. */
static struct handler *by_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    bool package = strncmp(name, "__init__.", 9) == 0;
    for (unsigned i = 0; i < FACTS_HANDLERS; i++) {
        size_t size = strlen(handlers[i].stem);
        if (size == 0) continue;
        if (strncmp(name, handlers[i].stem, size) == 0 && name[size] == '.') return &handlers[i];
        if (package && strstr(path, handlers[i].stem)) return &handlers[i];
    }
    return NULL;
}

bool seal_names(const char *path)
{
    return atomic_load_explicit(&any_sealed, memory_order_acquire) && by_name(path);
}

/* "a/b.zip/mod.py" names no file: the zip is what can be read. False where the path is a file of
 * its own. */
static bool find_archive(const char *path, char *out, size_t size)
{
    struct stat status;
    size_t length = strlen(path);
    if (length >= size || sys_fstatat(AT_FDCWD, path, &status, 0) == 0) return false;
    memcpy(out, path, length + 1);
    for (char *slash; (slash = strrchr(out, '/')) != NULL && slash != out;) {
        *slash = '\0';
        if (sys_fstatat(AT_FDCWD, out, &status, 0) == 0) return S_ISREG(status.st_mode);
    }
    return false;
}

static void seal(struct handler *handler, const char *path)
{
    char zip[ARCHIVE_PATH_MAX];
    if (atomic_exchange(&handler->sealed, true)) return;
    atomic_fetch_sub(&waiting, 1);
    if (find_archive(path, zip, sizeof zip)) {
        archive_seal(zip, path + strlen(zip) + 1);
        path = zip;
    }
    const char *prefix = argument_text(python.PySys_GetObject("pycache_prefix"));
    /* The source first: compiled forms may fill the table. */
    handler_seal(path);
    if (prefix) handler_seal_compiled(prefix, path);
    atomic_store_explicit(&any_sealed, true, memory_order_release);
}

static PyObject *local(PyObject *locals, const char *name)
{
    PyObject *value = python.PyMapping_GetItemString(locals, name);
    if (!value) python.PyErr_Clear();
    return value;
}

static void seal_module(struct handler *handler, PyObject *name, PyObject *file)
{
    const char *module = argument_text(name), *path = argument_text(file);
    if (module && path && strcmp(module, handler->module) == 0) seal(handler, path);
}

/* Code from a zip, and code that was compiled elsewhere, does not name the handler's file.
 * importlib, which is about to run the module, knows its name and where it lies. */
static void seal_by_name(struct handler *handler)
{
    struct frame frame = {0};
    if (!frames_next(&frame)) return;
    PyObject *locals =
        frame.library ? python.PyObject_GetAttrString(frame.object, "f_locals") : NULL;
    frames_stop(&frame);
    python.PyErr_Clear();
    if (!locals) return;
    /* importlib's _call_with_frames_removed(f, *args, **kwds), where args is (code, namespace);
     * load_module of 3.9's zipimport knows fullname and modpath. */
    PyObject *given = local(locals, "args"), *name = local(locals, "fullname"),
             *file = local(locals, "modpath");
    PyObject *space = given ? argument_element(given, 1) : NULL;
    if (space && python_type(space) == python.PyDict_Type)
        seal_module(handler, python.PyDict_GetItemString(space, "__name__"),
                    python.PyDict_GetItemString(space, "__file__"));
    else if (name && file)
        seal_module(handler, name, file);
    PyObject *const references[] = {space, file, name, given, locals};
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        if (references[i]) python.Py_DecRef(references[i]);
    python.PyErr_Clear();
}

int seal_executes(PyObject *arguments)
{
    if (LIKELY(!also_is_on && atomic_load_explicit(&any_sealed, memory_order_relaxed) &&
               atomic_load_explicit(&waiting, memory_order_relaxed) == 0))
        return 0;
    PyObject *code = argument(arguments, 0);
    PyObject *file = code && python_type(code) == python.PyCode_Type
                         ? python.PyObject_GetAttrString(code, "co_filename")
                         : NULL;
    if (!file) {
        python.PyErr_Clear();
        return 0;
    }
    const char *path = argument_text(file);
    struct handler *handler = path ? by_name(path) : NULL;
    if (path && UNLIKELY(also_is_on)) also_executed(path);
    if (handler && !atomic_load(&handler->sealed)) {
        /* Without LAMBDA_TASK_ROOT, any folder's file of that name would do. */
        if (guard.task_root[0] && handler_is_module(path))
            seal(handler, path);
        else
            seal_by_name(handler);
    } else if (path) {
        frames_saw_module(path);
    }
    python.Py_DecRef(file);
    return 0;
}
