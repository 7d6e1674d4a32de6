/* `import function_shield` finds the layer's own, wherever the layer was unzipped: Lambda's
 * bootstrap puts /opt/python on sys.path, other programs do not. Nothing changes before the module
 * is imported. */
#include <string.h>

#include "python/arguments.h"
#include "cpython/attach.h"
#include "python/frames.h"
#include "memory/native.h"
#include "python/hooks/hook.h"

static bool listed(PyObject *path, const char *folder)
{
    PyObject *entry;
    for (Py_ssize_t i = 0; (entry = argument_element(path, i)) != NULL; i++) {
        const char *text = argument_text(entry);
        bool same = text && strcmp(text, folder) == 0;
        python.Py_DecRef(entry);
        if (same) return true;
    }
    return false;
}

int hook_import(PyObject *arguments)
{
    PyObject *module = argument(arguments, 0), *path = argument(arguments, 2);
    const char *name = argument_text(module);
    if (UNLIKELY(!name)) name = NATIVE_NO_TEXT;
    if (UNLIKELY(strcmp(name, "site") == 0)) python_runs_site();
    attach_sees_import();
    frames_pin_library();
    if (LIKELY(strcmp(name, "function_shield") != 0))
        return hook_native_import(name, argument(arguments, 1));
    /* The event's third argument is sys.path; None in events of extension modules. */
    if (!path || python_type(path) != python.PyList_Type) return 0;
    char folder[sizeof guard.layer + sizeof "/python"];
    strcpy(folder, guard.layer);
    strcat(folder, "/python");
    if (listed(path, folder)) return 0;
    PyObject *entry = python.PyUnicode_DecodeFSDefault(folder);
    /* Last: a package of the function's own goes first, as it would on Lambda. */
    if (!entry || python.PyList_Append(path, entry) != 0) python.PyErr_Clear();
    python.Py_DecRef(entry);
    return 0;
}
