/* The parts of CPython's stable C API that the interpreter ring uses, looked up in the running
 * program.
 *
 * No Python header is included: object layouts differ between versions and between builds with and
 * without the GIL, the functions named here do not. One library serves 3.9 to 3.15, static builds
 * and shared libpython. What is read directly is an object's type, at an offset that python_load
 * finds out.
 */
#ifndef FS_PYTHON_H
#define FS_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct _object PyObject;
typedef intptr_t Py_ssize_t;
typedef int (*python_hook)(const char *event, PyObject *arguments, void *data);

/* PyStatus, PyPreConfig: as in cpython/initconfig.h since 3.8. The second is larger here than any
 * version's. */
struct python_status {
    int type; /* 0: ok */
    const char *function, *message;
    int exit_code;
};
struct python_preconfig {
    _Alignas(16) int fields[64];
};
/* Py_buffer, whose layout is part of the stable ABI since 3.11 and was the same in 3.9 and 3.10. */
struct python_buffer {
    void *bytes;
    PyObject *object;
    Py_ssize_t size, item_size;
    int readonly, dimensions;
    char *format;
    Py_ssize_t *shape, *strides, *suboffsets;
    void *internal;
};

#define PYTHON_FUNCTIONS(X)                                                                        \
    X(int, PySys_AddAuditHook, (python_hook, void *))                                              \
    X(void, PyPreConfig_InitPythonConfig, (struct python_preconfig *))                             \
    X(struct python_status, Py_PreInitializeFromBytesArgs,                                         \
      (const struct python_preconfig *, Py_ssize_t, char **))                                      \
    X(int, Py_IsInitialized, (void))                                                               \
    X(void, Py_IncRef, (PyObject *))                                                               \
    X(void, Py_DecRef, (PyObject *))                                                               \
    X(int, PyType_IsSubtype, (PyObject *, PyObject *))                                             \
    X(unsigned long, PyType_GetFlags, (PyObject *))                                                \
    X(int, PyIndex_Check, (PyObject *))                                                            \
    X(PyObject *, PyObject_GetAttrString, (PyObject *, const char *))                              \
    X(int, PyObject_SetAttrString, (PyObject *, const char *, PyObject *))                         \
    X(PyObject *, PyObject_CallFunctionObjArgs, (PyObject *, ...))                                 \
    X(int, PyObject_AsFileDescriptor, (PyObject *))                                                \
    X(PyObject *, PyOS_FSPath, (PyObject *))                                                       \
    X(PyObject *, PyTuple_GetItem, (PyObject *, Py_ssize_t))                                       \
    X(Py_ssize_t, PyTuple_Size, (PyObject *))                                                      \
    X(PyObject *, PyMapping_GetItemString, (PyObject *, const char *))                             \
    X(PyObject *, PySequence_GetItem, (PyObject *, Py_ssize_t))                                    \
    X(Py_ssize_t, PyList_Size, (PyObject *))                                                       \
    X(int, PyList_Append, (PyObject *, PyObject *))                                                \
    X(Py_ssize_t, PyDict_Size, (PyObject *))                                                       \
    X(PyObject *, PyDict_New, (void))                                                              \
    X(PyObject *, PyDict_GetItemString, (PyObject *, const char *))                                \
    X(int, PyDict_SetItemString, (PyObject *, const char *, PyObject *))                           \
    X(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, Py_ssize_t *))                           \
    X(PyObject *, PyUnicode_DecodeUTF8, (const char *, Py_ssize_t, const char *))                  \
    X(PyObject *, PyUnicode_DecodeFSDefault, (const char *))                                       \
    X(int, PyBytes_AsStringAndSize, (PyObject *, char **, Py_ssize_t *))                           \
    X(PyObject *, PyBytes_FromStringAndSize, (const char *, Py_ssize_t))                           \
    X(int, PyFile_SetOpenCodeHook, (PyObject * (*)(PyObject *, void *), void *))                   \
    X(PyObject *, PyImport_ImportModule, (const char *))                                           \
    X(int, PyObject_GetBuffer, (PyObject *, struct python_buffer *, int))                          \
    X(void, PyBuffer_Release, (struct python_buffer *))                                            \
    X(PyObject *, PyLong_FromLong, (long))                                                         \
    X(long, PyLong_AsLong, (PyObject *))                                                           \
    X(PyObject *, PyBool_FromLong, (long))                                                         \
    X(PyObject *, PySys_GetObject, (const char *))                                                 \
    X(const char *, Py_GetVersion, (void))                                                         \
    X(PyObject *, PyInterpreterState_Get, (void))                                                  \
    X(PyObject *, PyInterpreterState_GetDict, (PyObject *))                                        \
    X(PyObject *, PyErr_NewExceptionWithDoc, (const char *, const char *, PyObject *, PyObject *)) \
    X(PyObject *, PyErr_Occurred, (void))                                                          \
    X(void, PyErr_Clear, (void))                                                                   \
    X(void, PyErr_Fetch, (PyObject **, PyObject **, PyObject **))                                  \
    X(void, PyErr_Restore, (PyObject *, PyObject *, PyObject *))                                   \
    X(void, PyErr_SetObject, (PyObject *, PyObject *))                                             \
    X(void, PyErr_SetString, (PyObject *, const char *))                                           \
    X(PyObject *, PyEval_GetFrame, (void))                                                         \
    X(PyObject *, PyFrame_GetBack, (PyObject *))                                                   \
    X(PyObject *, PyFrame_GetCode, (PyObject *))                                                   \
    X(int, PyFrame_GetLineNumber, (PyObject *))                                                    \
    X(int64_t, PyInterpreterState_GetID, (PyObject *))                                             \
    X(PyObject *, PyObject_Call, (PyObject *, PyObject *, PyObject *))                             \
    X(PyObject *, PyTuple_Pack, (Py_ssize_t, ...))                                                 \
    X(int, PyObject_RichCompareBool, (PyObject *, PyObject *, int))                                \
    X(PyObject *, Py_CompileString, (const char *, const char *, int))                             \
    X(void *, PyGILState_GetThisThreadState, (void))                                               \
    X(int, PyGILState_Ensure, (void))                                                              \
    X(void, PyGILState_Release, (int))

/* Functions that 3.9 lacks: NULL there. */
#define PYTHON_NEWER(X)                                                                            \
    X(int, PyGC_Disable, (void))                                                                   \
    X(int, PyGC_Enable, (void))

/* Variables. TYPES and OBJECTS are objects themselves; EXCEPTIONS point to one. */
#define PYTHON_TYPES(X)                                                                            \
    X(PyUnicode_Type)                                                                              \
    X(PyBytes_Type)                                                                                \
    X(PyTuple_Type)                                                                                \
    X(PyList_Type)                                                                                 \
    X(PyDict_Type)                                                                                 \
    X(PyModule_Type)                                                                               \
    X(PyLong_Type) X(PyType_Type) X(PyCode_Type) X(PyFunction_Type) X(PyMemoryView_Type)
#define PYTHON_EXCEPTIONS(X)                                                                       \
    X(PyImport_Inittab)                                                                            \
    X(PyExc_PermissionError)                                                                       \
    X(PyExc_FileNotFoundError)                                                                     \
    X(PyExc_ValueError)                                                                            \
    X(PyExc_RuntimeError)
#define PYTHON_OBJECTS(X) X(_Py_NoneStruct)

struct python {
#define PYTHON_SLOT(result, name, parameters) result(*name) parameters;
    PYTHON_FUNCTIONS(PYTHON_SLOT)
    PYTHON_NEWER(PYTHON_SLOT)
#undef PYTHON_SLOT
#define PYTHON_SLOT(name) PyObject *name;
    PYTHON_TYPES(PYTHON_SLOT)
    PYTHON_OBJECTS(PYTHON_SLOT)
#undef PYTHON_SLOT
#define PYTHON_SLOT(name) PyObject **name;
    PYTHON_EXCEPTIONS(PYTHON_SLOT)
#undef PYTHON_SLOT
    int minor; /* of the version, 3.MINOR; 0 for any other */
    size_t type_offset; /* of an object's type in it */
    /* Names differ between versions, and some versions have none: may be NULL. */
    void *(*current)(void); /* the thread state that holds the interpreter */
    int (*finalizing)(void);
    PyObject *(*PyMarshal_WriteObjectToString)(PyObject *, int);
    PyObject *(*PyMarshal_ReadObjectFromString)(const char *, Py_ssize_t);
    long (*PyImport_GetMagicNumber)(void);
    PyObject *PyCoro_Type, *PyMethodDescr_Type;
    int (*collect_not)(void),
        (*collect)(void); /* switch the garbage collector; return its previous state */
};
extern struct python python; /* read-only after python_load */

/* Fills `python`. Returns NULL, or a sentence that says what this Python lacks. */
const char *python_load(void);

static inline PyObject *python_type(PyObject *object)
{
    return *(PyObject **)((char *)object + python.type_offset);
}

static inline bool python_is(PyObject *object, PyObject *type)
{
    PyObject *own = python_type(object);
    return own == type || python.PyType_IsSubtype(own, type);
}

/* True while Python code runs: from the import of site until the interpreter ends.
 * Py_IsInitialized would be too late: in CPython 3.15 it is true only after site, sitecustomize
 * and the .pth files have run. */
void python_runs_site(void); /* site is imported */
bool python_is_running(void);
/* The same, and while the interpreter ends: finalisers run then. */
bool python_runs_code(void);

#endif
