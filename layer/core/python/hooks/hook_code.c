/* Events about code objects that are made from parts: types.coroutine passes because its code is
 * the standard library's. */
#include <string.h>

#include "events/callers.h"
#include "python/arguments.h"
#include "python/frames.h"
#include "python/hooks/genuine.h"
#include "python/hooks/hook.h"
#include "python/hooks/objects.h"
#include "python/hooks/pinning.h"
#include "python/pins.h"

/* What `path` compiles to: the code of its function `name`, a new reference. */
static PyObject *compile_function(const char *path, const char *name)
{
    PyObject *found = NULL, *module = genuine_compile(path);
    PyObject *constants = module ? python.PyObject_GetAttrString(module, "co_consts") : NULL,
             *constant;
    for (Py_ssize_t i = 0;
         constants && !found && (constant = argument_element(constants, i)) != NULL; i++) {
        PyObject *own = python_type(constant) == python.PyCode_Type
                            ? python.PyObject_GetAttrString(constant, "co_name")
                            : NULL;
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
    python.PyErr_Clear();
    return found;
}

static bool is_variable_of(PyObject *locals, const char *name, PyObject *type)
{
    PyObject *value = objects_variable(locals, name);
    bool same = value && python_type(value) == type;
    if (value) python.Py_DecRef(value);
    return same;
}

/* types.coroutine, which gives a function's own code another flag, is at it: its code is what the
 * library's source compiles to, and what it changes is the code of a function, so that all it can
 * call is code.replace(co_flags=…). */
static bool is_coroutine(const struct frame *frame, PyObject *locals)
{
    struct pins *own = pins_own();
    const char *rest = own ? callers_below(frame->path, pinning_prefix) : NULL;
    size_t size = strlen(frame->path);
    if (!rest || strncmp(rest, "lib", 3) != 0 || size < 10 ||
        strcmp(frame->path + size - 9, "/types.py") != 0)
        return false;
    if (!is_variable_of(locals, "co", python.PyCode_Type) ||
        !is_variable_of(locals, "func", python.PyFunction_Type))
        return false;
    PyObject *code = python.PyFrame_GetCode(frame->object);
    if (!code) return false;
    if (!own->coroutine && !own->compared) {
        own->compared = true;
        own->coroutine = compile_function(frame->path, "coroutine");
    }
    bool same = own->coroutine == code;
    if (!same && own->coroutine &&
        python.PyObject_RichCompareBool(code, own->coroutine, 2 /* Py_EQ */) == 1) {
        python.Py_IncRef(code); /* this very object from now on; the other is never given back:
                                   another thread may be reading it */
        own->coroutine = code;
        same = true;
    }
    python.Py_DecRef(code);
    return same;
}

int hook_code(void)
{
    if (guard_ignores(FS_NATIVE) || !python_is_running()) return 0;
    PyObject *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    struct frame frame = {0};
    PyObject *locals = objects_locals(&frame);
    bool known = locals && is_coroutine(&frame, locals);
    if (locals) python.Py_DecRef(locals);
    frames_stop(&frame);
    python.PyErr_Clear();
    python.PyErr_Restore(type, value, trace);
    return known ? 0 : hook_judge_native("make code by", "code.__new__", NULL);
}
