/* Parts of Python's objects. See objects.h. */
#include "python/hooks/objects.h"

#include "python/arguments.h"

PyObject *objects_part(PyObject *object, const char *name)
{
    PyObject *found = object ? python.PyObject_GetAttrString(object, name) : NULL;
    if (!found) python.PyErr_Clear();
    return found;
}

static long code_flags(PyObject *frame)
{
    PyObject *code = python.PyFrame_GetCode(frame);
    PyObject *flags = code ? python.PyObject_GetAttrString(code, "co_flags") : NULL;
    long value = flags ? argument_number(flags, 0) : 0;
    python.Py_DecRef(flags);
    python.Py_DecRef(code);
    return value;
}

PyObject *objects_locals(struct frame *frame)
{
    if (!frames_next(frame)) return NULL;
    if (!(code_flags(frame->object) & 1 /* CO_OPTIMIZED */)) return NULL;
    return python.PyObject_GetAttrString(frame->object, "f_locals");
}

PyObject *objects_variable(PyObject *locals, const char *name)
{
    PyObject *value = python.PyMapping_GetItemString(locals, name);
    if (!value) python.PyErr_Clear();
    return value;
}

bool objects_is_part(PyObject *object, const char *name, const PyObject *expected)
{
    PyObject *found = objects_part(object, name);
    python.Py_DecRef(found);
    return found && found == expected;
}

bool objects_runs(PyObject *frame, const PyObject *code)
{
    PyObject *found = frame ? python.PyFrame_GetCode(frame) : NULL;
    python.Py_DecRef(found);
    return found && found == code;
}
