/* Events about code objects that are made from parts: types.coroutine passes because its code is
 * the standard library's. */
#include <string.h>

#include "memory/native.h"
#include "python/arguments.h"
#include "python/frames.h"
#include "python/hooks/genuine.h"
#include "python/hooks/hook.h"
#include "python/hooks/objects.h"
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
        python.Py_DecRef(own);
        python.Py_DecRef(constant);
    }
    python.Py_DecRef(constants);
    python.Py_DecRef(module);
    python.PyErr_Clear();
    return found;
}

/* The caller is types.coroutine, which changes a flag of a function's own code. Its code is what
 * the library's source compiles to, so all that it can call of a code object is
 * code.replace(co_flags=…). */
static bool is_coroutine(const struct frame *frame)
{
    struct pins *own = pins_own();
    if (!own || !frames_is_standard(frame->path, "types.py")) return false;
    PyObject *code = python.PyFrame_GetCode(frame->object);
    if (!code) return false;
    if (!own->coroutine && !own->compared && native_is_older(frame->path)) {
        own->compared = true;
        own->coroutine = compile_function(frame->path, "coroutine");
    }
    bool same = own->coroutine == code;
    if (!same && own->coroutine &&
        python.PyObject_RichCompareBool(code, own->coroutine, 2 /* Py_EQ */) == 1) {
        /* Cache this object. Never release the old one: another thread may be reading it. */
        python.Py_IncRef(code);
        own->coroutine = code;
        same = true;
    }
    python.Py_DecRef(code);
    return same;
}

/* `co` is a code object, and what is made has its bytes. Others would be harmful before they run:
 * since 3.11 the interpreter writes to the caches that they name, beyond their end. */
static bool keeps_bytes(PyObject *locals, PyObject *bytes)
{
    PyObject *old = objects_variable(locals, "co"), *own = objects_part(old, "co_code");
    bool same = own && bytes && python_type(old) == python.PyCode_Type &&
                python_type(bytes) == python.PyBytes_Type &&
                python.PyObject_RichCompareBool(own, bytes, 2 /* Py_EQ */) == 1;
    if (own) python.Py_DecRef(own);
    if (old) python.Py_DecRef(old);
    return same;
}

static int judge(void) { return hook_judge_native("make code by", "code.__new__", NULL); }

enum { ITERABLE_COROUTINE = 0x100, FLAGS_AT = 8 /* of code.__new__'s arguments */ };

int hook_code(PyObject *arguments)
{
    if (guard_ignores(FS_NATIVE) || !python_runs_code()) return 0;
    if (!(argument_number(argument(arguments, FLAGS_AT), 0) & ITERABLE_COROUTINE)) return judge();
    PyObject *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    struct frame frame = {0};
    PyObject *locals = objects_locals(&frame);
    bool known = locals && is_coroutine(&frame) && keeps_bytes(locals, argument(arguments, 0));
    python.Py_DecRef(locals);
    frames_stop(&frame);
    python.PyErr_Clear();
    python.PyErr_Restore(type, value, trace);
    return known ? 0 : judge();
}

/* ---- its use ----
 *
 * No frame proves who made a code object: callables in C have none, and audit hooks, profilers,
 * signal handlers and the collector call such in the frame of types.coroutine. So what was made
 * there is known by its flag, which nothing else sets, and checked where it is used. */

static long number_part(PyObject *code, const char *name)
{
    PyObject *value = objects_part(code, name);
    long number = argument_number(value, -1);
    python.Py_DecRef(value);
    return number;
}

/* Compares identities: names are interned, and code.replace passes on what it does not change. */
static bool same_elements(PyObject *one, PyObject *other)
{
    PyObject *a = NULL, *b = NULL;
    bool same = one && other;
    for (Py_ssize_t i = 0; same; i++) {
        a = argument_element(one, i);
        b = argument_element(other, i);
        same = a == b;
        python.Py_DecRef(a);
        python.Py_DecRef(b);
        if (!a || !b) break;
    }
    return same;
}

enum sameness { OBJECT, ELEMENTS, NUMBER, BYTES };

static bool same_part(PyObject *one, PyObject *other, const char *name, enum sameness how)
{
    if (how == NUMBER) return number_part(one, name) == number_part(other, name);
    PyObject *a = objects_part(one, name), *b = objects_part(other, name);
    bool same = a == b; /* or both are missing in this version */
    if (!same && how == ELEMENTS) same = same_elements(a, b);
    if (!same && how == BYTES)
        same = a && b && python_type(a) == python.PyBytes_Type &&
               python_type(b) == python.PyBytes_Type &&
               python.PyObject_RichCompareBool(a, b, 2 /* Py_EQ */) == 1;
    python.Py_DecRef(a);
    python.Py_DecRef(b);
    return same;
}

/* `made` runs the same as `old`, except for the flag. */
static bool is_flagged(PyObject *made, PyObject *old)
{
    static const struct {
        const char *name;
        enum sameness how;
    } parts[] = {
        {"co_code", BYTES},
        {"co_consts", OBJECT},
        {"co_names", OBJECT},
        {"co_linetable", OBJECT},
        {"co_exceptiontable", OBJECT},
        {"co_varnames", ELEMENTS},
        {"co_freevars", ELEMENTS},
        {"co_cellvars", ELEMENTS},
        {"co_argcount", NUMBER},
        {"co_posonlyargcount", NUMBER},
        {"co_kwonlyargcount", NUMBER},
        {"co_nlocals", NUMBER},
        {"co_stacksize", NUMBER},
    };
    if (number_part(made, "co_flags") != (number_part(old, "co_flags") | ITERABLE_COROUTINE))
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!same_part(made, old, parts[i].name, parts[i].how)) return false;
    return true;
}

int hook_code_used(PyObject *code, PyObject *by)
{
    if (!code || python_type(code) != python.PyCode_Type) return 0;
    if (guard_ignores(FS_NATIVE) || !python_runs_code()) return 0;
    if (LIKELY(!(number_part(code, "co_flags") & ITERABLE_COROUTINE))) return 0;
    PyObject *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    PyObject *old =
        by && python_type(by) == python.PyFunction_Type ? objects_part(by, "__code__") : NULL;
    bool flagged = old && (old == code || is_flagged(code, old));
    python.Py_DecRef(old);
    python.PyErr_Clear();
    python.PyErr_Restore(type, value, trace);
    return flagged ? 0 : judge();
}
