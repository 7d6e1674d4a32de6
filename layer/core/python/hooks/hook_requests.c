/* Python's fcntl.ioctl and fcntl.fcntl, before the act, with the frames of the caller. */
#include <string.h>

#include "python/arguments.h"
#include "python/hooks/hook.h"
#include "memory/requests.h"

enum { IMMUTABLE_TYPE = 1 << 8, HEAP_TYPE = 1 << 9 }; /* Py_TPFLAGS_ */

/* An int, or an object with __index__: fcntl passes its value on, and the kernel takes it for an
 * address. Versions of Python test for a buffer first or last, so what is both counts. So does an
 * object of a class that code can change, or can exchange as a module's: it may get the method
 * after this event. */
static bool is_number(PyObject *value)
{
    unsigned long flags = python.PyType_GetFlags(python_type(value));
    return argument_is_none(value) || (flags & (HEAP_TYPE | IMMUTABLE_TYPE)) == HEAP_TYPE ||
           python_is(value, python.PyModule_Type) || python.PyIndex_Check(value);
}

/* The default, 0, is not an address. */
static bool is_zero(PyObject *value)
{
    return argument_is_none(value) ||
           (python_type(value) == python.PyLong_Type && argument_number(value, 1) == 0);
}

/* (fd, request, argument) */
int hook_request(const char *event, PyObject *arguments)
{
    bool controls = strcmp(event, "fcntl.ioctl") == 0;
    if ((!controls && strcmp(event, "fcntl.fcntl") != 0) || guard_ignores(FS_NATIVE) ||
        !python_runs_code())
        return 0;
    PyObject *number = argument(arguments, 1), *value = argument(arguments, 2);
    if (!number || !value) return 0;
    PyObject *type, *error, *trace;
    python.PyErr_Fetch(&type, &error, &trace);
    unsigned long request = (unsigned long)python.PyLong_AsLong(number);
    python.PyErr_Clear();
    enum request_kind kind = controls ? requests_ioctl(request) : requests_fcntl((int)request);
    bool passes =
        kind == REQUEST_INT || (kind == REQUEST_STRUCT && (!is_number(value) || is_zero(value)));
    python.PyErr_Restore(type, error, trace);
    if (LIKELY(passes)) return 0;
    char words[REQUEST_WORDS];
    requests_name(words, controls ? "ioctl" : "fcntl", (unsigned)request);
    if (hook_judge_native("pass an address by", words, NULL) != 0) return -1;
    if (controls) requests_judged(request);
    return 0;
}
