#include "python/hooks/genuine.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "python/arguments.h"
#include "memory/native.h"
#include "support/sys.h"

enum { DEPTH = 8, SOURCE_MAX = 1 << 20 };

PyObject *genuine_compile(const char *path)
{
    struct stat status;
    PyObject *module = NULL;
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return NULL;
    if (sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        status.st_size < SOURCE_MAX) {
        size_t size = (size_t)status.st_size;
        char *memory = sys_scratch(size + 1);
        if (memory != NULL && sys_pread(fd, memory, size, 0) == (long)size)
            module = python.Py_CompileString(memory, path, 257 /* Py_file_input */);
        sys_scratch_free(memory, size + 1);
    }
    sys_close(fd);
    if (!module) python.PyErr_Clear();
    return module;
}

static bool is_within(PyObject *module, PyObject *code, unsigned depth)
{
    if (python.PyObject_RichCompareBool(module, code, 2 /* Py_EQ */) == 1) return true;
    PyObject *constants = depth < DEPTH ? python.PyObject_GetAttrString(module, "co_consts") : NULL,
             *constant;
    bool found = false;
    for (Py_ssize_t i = 0;
         constants && !found && (constant = argument_element(constants, i)) != NULL; i++) {
        found = python_type(constant) == python.PyCode_Type && is_within(constant, code, depth + 1);
        python.Py_DecRef(constant);
    }
    python.Py_DecRef(constants);
    return found;
}

bool genuine_holds(PyObject *module, PyObject *code) { return is_within(module, code, 0); }

bool genuine_is_of(const char *path, PyObject *code)
{
    if (!native_is_older(path)) return false;
    PyObject *module = genuine_compile(path);
    bool found = module && is_within(module, code, 0);
    python.Py_DecRef(module);
    python.PyErr_Clear();
    return found;
}
