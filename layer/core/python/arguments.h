/* Reads the arguments of an audit event in C: borrowed strings and numbers. Runs no Python code. */
#ifndef FS_ARGUMENTS_H
#define FS_ARGUMENTS_H

#include "cpython/python.h"

/* The argument at `index`, borrowed; NULL where there is none. */
PyObject *argument(PyObject *arguments, Py_ssize_t index);
/* A str or bytes without NUL inside, as its bytes: borrowed, valid while the object lives. NULL for
 * any other object, for a str that has no UTF-8 form, and leaves no error set. */
const char *argument_text(PyObject *object);
/* As an int; `otherwise` if it is not one. */
long argument_number(PyObject *object, long otherwise);
/* The words of a list or tuple in one line, cut at `size`. Words that are neither str nor bytes
 * show as "?". */
void argument_line(PyObject *words, char *line, size_t size);
/* The element of a list or tuple as a new reference, NULL (no error) where there is none. */
PyObject *argument_element(PyObject *words, Py_ssize_t index);
bool argument_is_none(PyObject *object);

#endif
