/* An interpreter's own parts, noted before the function's code runs. See pinning.h. */
#include "python/hooks/pinning.h"

#include <string.h>

#include "python/arguments.h"
#include "python/hooks/objects.h"
#include "memory/native.h"
#include "python/pins.h"

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

static void pin_importlib(struct pins *own, PyObject *modules)
{
    PyObject *module = python.PyDict_GetItemString(modules, "_frozen_importlib_external");
    if (!module) return;
    PyObject *compile = objects_part(module, "_compile_bytecode"),
             *loader = objects_part(module, "SourceLoader");
    PyObject *get_code = objects_part(loader, "get_code"),
             *files = objects_part(module, "FileLoader");
    own->importlib.module =
        module; /* lives as long as its interpreter: these references are kept */
    python.Py_IncRef(module);
    own->importlib.compile = objects_part(compile, "__code__");
    own->importlib.get_code = objects_part(get_code, "__code__");
    own->importlib.get_data = objects_part(files, "get_data");
    own->importlib.reads = objects_part(own->importlib.get_data, "__code__");
    own->importlib.io = objects_part(module, "_io");
    own->importlib.open_code = objects_part(own->importlib.io, "open_code");
    PyObject *passing[] = {compile, loader, get_code, files};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (passing[i]) python.Py_DecRef(passing[i]);
}

static void pin_frozen(struct pins *own, PyObject *modules)
{
    PyObject *module = python.PyDict_GetItemString(modules, "_frozen_importlib");
    PyObject *call = objects_part(module, "_call_with_frames_removed"),
             *importer = objects_part(module, "FrozenImporter");
    /* A class method, inside a function that asks first whether there is such a module. */
    PyObject *method = objects_part(importer, "get_code"),
             *cells = objects_part(method, "__closure__");
    PyObject *cell = cells ? argument_element(cells, 0) : NULL,
             *inner = objects_part(cell, "cell_contents");
    if (module) python.Py_IncRef(module);
    own->frozen.module = module;
    own->frozen.imp = objects_part(module, "_imp");
    own->frozen.thaw = objects_part(own->frozen.imp, "get_frozen_object");
    own->frozen.call = objects_part(call, "__code__");
    own->frozen.get_code = objects_part(inner, "__code__");
    own->marshal = python.PyDict_GetItemString(modules, "marshal");
    if (own->marshal) python.Py_IncRef(own->marshal);
    own->loads = objects_part(own->marshal, "loads");
    PyObject *passing[] = {call, importer, method, cells, cell, inner};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (passing[i]) python.Py_DecRef(passing[i]);
}

void pinning_at_import(const char *importing)
{
    int64_t id = pins_interpreter();
    struct pins *own = strcmp(importing, "encodings") == 0 ? pins_take(id) : NULL;
    if (!own) return;
    PyObject *modules = python.PySys_GetObject("modules");
    const char *text = argument_text(python.PySys_GetObject("base_prefix"));
    if (id == 0 && text) {
        native_trusts(text);
        trust_environment(argument_text(python.PySys_GetObject("executable")));
    }
    PyObject *machinery = modules && python_type(modules) == python.PyDict_Type
                              ? python.PyDict_GetItemString(modules, "_imp")
                              : NULL;
    own->find_frozen =
        machinery ? python.PyObject_GetAttrString(machinery, "find_frozen") : NULL; /* since 3.11 */
    if (!own->find_frozen) python.PyErr_Clear();
    if (modules && python_type(modules) == python.PyDict_Type) {
        pin_importlib(own, modules);
        pin_frozen(own, modules);
    }
    pins_done(own, id);
}
