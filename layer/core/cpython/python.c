#include "cpython/python.h"

#include <dlfcn.h>

#include "guard/guard.h"

struct python python;

static bool look_up(const char *name, void *slot)
{
    void *address = real.dlsym(RTLD_DEFAULT, name);
    *(void **)slot = address;
    return address != NULL;
}

const char *python_load(void)
{
    static const char too_old[] =
        "this Python is too old to be guarded: Python 3.9 or newer is needed";
#define PYTHON_LOOK_UP(result, name, parameters)                                                   \
    if (!look_up(#name, (void *)&python.name)) return too_old;
    PYTHON_FUNCTIONS(PYTHON_LOOK_UP)
#undef PYTHON_LOOK_UP
#define PYTHON_LOOK_UP(result, name, parameters) (void)look_up(#name, (void *)&python.name);
    PYTHON_NEWER(PYTHON_LOOK_UP)
#undef PYTHON_LOOK_UP
#define PYTHON_LOOK_UP(name)                                                                       \
    if (!look_up(#name, (void *)&python.name)) return too_old;
    PYTHON_TYPES(PYTHON_LOOK_UP)
    PYTHON_OBJECTS(PYTHON_LOOK_UP)
    PYTHON_EXCEPTIONS(PYTHON_LOOK_UP)
#undef PYTHON_LOOK_UP
    const char *version = python.Py_GetVersion();
    if (version[0] == '3' && version[1] == '.')
        for (const char *at = version + 2; *at >= '0' && *at <= '9' && python.minor < 1000; at++)
            python.minor = python.minor * 10 + (*at - '0');
    (void)(look_up("PyThreadState_GetUnchecked", (void *)&python.current) ||
           look_up("_PyThreadState_UncheckedGet", (void *)&python.current));
    (void)(look_up("Py_IsFinalizing", (void *)&python.finalizing) ||
           look_up("_Py_IsFinalizing", (void *)&python.finalizing));
    (void)look_up("PyMarshal_WriteObjectToString", (void *)&python.PyMarshal_WriteObjectToString);
    (void)look_up("PyMarshal_ReadObjectFromString", (void *)&python.PyMarshal_ReadObjectFromString);
    (void)look_up("PyImport_GetMagicNumber", (void *)&python.PyImport_GetMagicNumber);
    (void)look_up("PyCoro_Type", (void *)&python.PyCoro_Type);
    (void)look_up("PyMethodDescr_Type", (void *)&python.PyMethodDescr_Type);
    if (look_up("PyGC_Enable", (void *)&python.collect))
        (void)look_up("PyGC_Disable", (void *)&python.collect_not);
    /* `str` is a `type`, and every build sets that field statically: search the object for it. */
    PyObject *const *words = (PyObject *const *)python.PyUnicode_Type;
    for (size_t i = 1; i < 8; i++) {
        if (words[i] != python.PyType_Type) continue;
        python.type_offset = i * sizeof *words;
        return NULL;
    }
    return "the objects of this Python are laid out in a way that is not known: use CPython 3.9 to "
           "3.14";
}

static atomic_bool in_site;

void python_runs_site(void)
{
    if (python.minor >= 15 && python.finalizing && !python.Py_IsInitialized())
        atomic_store_explicit(&in_site, true, memory_order_relaxed);
}

bool python_is_running(void)
{
    if (LIKELY(python.Py_IsInitialized())) {
        if (UNLIKELY(atomic_load_explicit(&in_site, memory_order_relaxed)))
            atomic_store_explicit(&in_site, false, memory_order_relaxed);
        return true;
    }
    return atomic_load_explicit(&in_site, memory_order_relaxed) && !python.finalizing();
}

bool python_runs_code(void)
{
    return python_is_running() || (python.finalizing && python.finalizing());
}
