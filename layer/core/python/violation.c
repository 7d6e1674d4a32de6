#include "python/violation.h"
#include "support/text.h"

#include <string.h>

#define KEY "function_shield.PolicyViolation"

static const char description[] = "An act that the policy of this function does not allow.";

PyObject *violation_type(void)
{
    PyObject *store = python.PyInterpreterState_GetDict(python.PyInterpreterState_Get());
    if (!store) {
        if (!python.PyErr_Occurred())
            python.PyErr_SetString(*python.PyExc_RuntimeError, "the interpreter is shutting down");
        return NULL;
    }
    PyObject *type = python.PyDict_GetItemString(store, KEY);
    if (type) {
        python.Py_IncRef(type);
        return type;
    }
    PyObject *fields = python.PyDict_New();
    if (!fields) return NULL;
    static const char *const names[] = {"policy", "rule", "reason"};
    bool ok = true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ok = ok && python.PyDict_SetItemString(fields, names[i], python._Py_NoneStruct) == 0;
    if (ok)
        type = python.PyErr_NewExceptionWithDoc(KEY, description, *python.PyExc_PermissionError,
                                                fields);
    python.Py_DecRef(fields);
    if (type && python.PyDict_SetItemString(store, KEY, type) != 0) {
        python.Py_DecRef(type);
        return NULL;
    }
    return type;
}

PyObject *violation_text(const char *bytes)
{
    return python.PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)strlen(bytes), "replace");
}

PyObject *violation_error(PyObject *type, int error, const char *message, PyObject *filename)
{
    PyObject *number = python.PyLong_FromLong(error), *made = NULL;
    PyObject *words = number ? violation_text(message) : NULL;
    if (words) made = python.PyObject_CallFunctionObjArgs(type, number, words, filename, NULL);
    python.Py_DecRef(words);
    python.Py_DecRef(number);
    return made;
}

static bool set(PyObject *object, const char *name, const char *value)
{
    if (!value || !*value) return true;
    PyObject *string = violation_text(value);
    bool ok = string && python.PyObject_SetAttrString(object, name, string) == 0;
    python.Py_DecRef(string);
    return ok;
}

void violation_raise(enum fs_family family, const struct fs_verdict *verdict, const char *sentence,
                     PyObject *filename)
{
    char message[2048];
    const struct fs_policy *decider = verdict->floor ? guard.floor : guard.policy;
    const char *source = verdict->source;
    if (!source && family < 8) source = fs_policy_string(decider, decider->sources[family]);
    (void)TEXT_JOIN(message, sizeof message, fs_family_names[family], ": ", sentence, " (policy ",
                    verdict->floor ? guard.floor_name : guard.policy_name,
                    source && *source ? ", " : "", source, ")");
    PyObject *type = violation_type();
    PyObject *error = type ? violation_error(type, EACCES, message, filename) : NULL;
    if (error && set(error, "policy", fs_family_names[family]) &&
        set(error, "rule", verdict->source) &&
        set(error, "reason", fs_reason_names[verdict->reason]))
        python.PyErr_SetObject(type, error);
    python.Py_DecRef(error);
    python.Py_DecRef(type);
    if (!python.PyErr_Occurred())
        python.PyErr_SetString(*python.PyExc_PermissionError, "refused by function_shield");
}
