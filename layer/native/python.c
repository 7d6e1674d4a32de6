#include "python.h"

#include <dlfcn.h>

#include "guard.h"

struct python python;

static bool look_up(const char *name, void *slot)
{
    void *address = real.dlsym(RTLD_DEFAULT, name);
    *(void **)slot = address;
    return address != NULL;
}

const char *python_load(void)
{
    static const char too_old[] = "this Python is too old to be guarded: Python 3.9 or newer is needed";
#define PYTHON_LOOK_UP(result, name, parameters) \
    if (!look_up(#name, (void *)&python.name)) return too_old;
    PYTHON_FUNCTIONS(PYTHON_LOOK_UP)
#undef PYTHON_LOOK_UP
#define PYTHON_LOOK_UP(name) \
    if (!look_up(#name, (void *)&python.name)) return too_old;
    PYTHON_TYPES(PYTHON_LOOK_UP)
    PYTHON_OBJECTS(PYTHON_LOOK_UP)
    PYTHON_EXCEPTIONS(PYTHON_LOOK_UP)
#undef PYTHON_LOOK_UP
    /* The type's own type is set where it is defined, in every build: str is a `type`. */
    PyObject *const *words = (PyObject *const *)python.PyUnicode_Type;
    for (size_t i = 1; i < 8; i++) {
        if (words[i] != python.PyType_Type) continue;
        python.type_offset = i * sizeof *words;
        return NULL;
    }
    return "the objects of this Python are laid out in a way that is not known: use CPython 3.9 to 3.14";
}
