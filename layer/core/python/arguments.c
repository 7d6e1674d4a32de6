#include "python/arguments.h"

#include <string.h>

PyObject *argument(PyObject *arguments, Py_ssize_t index)
{
    /* C code that calls PySys_Audit may pass something other than a tuple. */
    if (!arguments || python_type(arguments) != python.PyTuple_Type) return NULL;
    if (index >= python.PyTuple_Size(arguments)) return NULL;
    return python.PyTuple_GetItem(arguments, index);
}

const char *argument_text(PyObject *object)
{
    Py_ssize_t size = 0;
    const char *text = NULL;
    if (!object) return NULL;
    if (python_is(object, python.PyUnicode_Type)) {
        text = python.PyUnicode_AsUTF8AndSize(object, &size);
        if (!text) python.PyErr_Clear();
    } else if (python_is(object, python.PyBytes_Type)) {
        char *bytes;
        if (python.PyBytes_AsStringAndSize(object, &bytes, &size) == 0)
            text = bytes;
        else
            python.PyErr_Clear();
    }
    if (!text || size < 0 || memchr(text, 0, (size_t)size)) return NULL;
    return text;
}

long argument_number(PyObject *object, long otherwise)
{
    if (!object || !python_is(object, python.PyLong_Type)) return otherwise;
    long number = python.PyLong_AsLong(object);
    if (number != -1 || !python.PyErr_Occurred()) return number;
    python.PyErr_Clear();
    return otherwise;
}

bool argument_is_none(PyObject *object) { return !object || object == python._Py_NoneStruct; }

static Py_ssize_t count(PyObject *words)
{
    if (!words) return 0;
    if (python_type(words) == python.PyList_Type) return python.PyList_Size(words);
    if (python_type(words) == python.PyTuple_Type) return python.PyTuple_Size(words);
    return 0;
}

PyObject *argument_element(PyObject *words, Py_ssize_t index)
{
    if (index >= count(words)) return NULL;
    PyObject *element = python.PySequence_GetItem(words, index);
    if (!element) python.PyErr_Clear();
    return element;
}

void argument_line(PyObject *words, char *line, size_t size)
{
    size_t at = 0;
    Py_ssize_t total = count(words);
    for (Py_ssize_t i = 0; i < total && at + 1 < size; i++) {
        PyObject *word = argument_element(words, i);
        const char *text = argument_text(word);
        if (!text) text = "?";
        if (i > 0) line[at++] = ' ';
        size_t length = strnlen(text, size - 1 - at);
        memcpy(line + at, text, length);
        at += length;
        python.Py_DecRef(word);
    }
    line[at] = '\0';
}
