#include "frames.h"

#include <string.h>

#include "arguments.h"
#include "guard.h"

enum { STEPS = 512 };

static void release(struct frame *frame)
{
    if (frame->file) python.Py_DecRef(frame->file);
    frame->file = NULL;
    frame->path = "";
}

static PyObject *code_attribute(PyObject *object, const char *name)
{
    PyObject *code = python.PyFrame_GetCode(object);
    if (!code) return NULL;
    PyObject *value = python.PyObject_GetAttrString(code, name);
    python.Py_DecRef(code);
    if (!value) python.PyErr_Clear();
    return value;
}

bool frames_next(struct frame *frame)
{
    PyObject *next;
    if (!frame->object) {
        next = python.PyEval_GetFrame();
        if (next) python.Py_IncRef(next);
    } else {
        next = python.PyFrame_GetBack(frame->object);
        python.Py_DecRef(frame->object);
    }
    release(frame);
    frame->object = next;
    if (!next) return false;
    frame->file = code_attribute(next, "co_filename");
    const char *path = argument_text(frame->file);
    frame->path = path ? path : "";
    frame->library = frames_is_library(frame->path);
    return true;
}

void frames_stop(struct frame *frame)
{
    if (frame->object) python.Py_DecRef(frame->object);
    frame->object = NULL;
    release(frame);
}

int frames_line(const struct frame *frame)
{
    int line = python.PyFrame_GetLineNumber(frame->object);
    return line > 0 ? line : 0;
}

void frames_function(const struct frame *frame, char *name, size_t size)
{
    PyObject *value = code_attribute(frame->object, "co_qualname");
    if (!value) value = code_attribute(frame->object, "co_name");
    const char *text = argument_text(value);
    size_t length = text ? strnlen(text, size - 1) : 0;
    if (length > 0) memcpy(name, text, length);
    name[length] = '\0';
    if (value) python.Py_DecRef(value);
}

const char *frames_below(const char *path, const char *prefix)
{
    size_t size = strlen(prefix);
    while (size > 1 && prefix[size - 1] == '/') size--;
    if (size == 0 || strncmp(path, prefix, size) != 0 || path[size] != '/') return NULL;
    return path + size + 1;
}

static const char *in_library(const char *path)
{
    static const char *const prefixes[] = {"base_prefix", "base_exec_prefix"};
    for (size_t i = 0; i < 2; i++) {
        const char *prefix = argument_text(python.PySys_GetObject(prefixes[i]));
        const char *rest = prefix ? frames_below(path, prefix) : NULL;
        if (rest && strncmp(rest, "lib/python3.", 12) == 0) return rest + 12;
        if (rest && strncmp(rest, "lib64/python3.", 14) == 0) return rest + 14;
    }
    return NULL;
}

bool frames_is_library(const char *path)
{
    if (strncmp(path, "<frozen ", 8) == 0) return true;
    const char *rest = in_library(path);
    return rest && !strstr(rest, "/site-packages/") && !strstr(rest, "/dist-packages/");
}

static char client_folder[1024]; /* ".../awslambdaric", written once before the handler is sealed */
static atomic_int client_known;  /* 0 no, 1 being written, 2 yes */

void frames_saw_module(const char *path)
{
    static const char tail[] = "/awslambdaric/__init__.py";
    size_t size = strlen(path), cut = sizeof "/__init__.py" - 1;
    int no = 0;
    if (size < sizeof tail || size - cut >= sizeof client_folder) return;
    if (strcmp(path + size - (sizeof tail - 1), tail) != 0) return;
    if (!atomic_compare_exchange_strong(&client_known, &no, 1)) return;
    memcpy(client_folder, path, size - cut);
    client_folder[size - cut] = '\0';
    atomic_store(&client_known, 2);
}

static bool in_client(const char *path)
{
    /* LAMBDA_RUNTIME_DIR holds boto3 as well, which is not the client. */
    const char *runtime = guard.runtime_dir[0] ? frames_below(path, guard.runtime_dir) : NULL;
    if (runtime && (strncmp(runtime, "awslambdaric/", 13) == 0 || strcmp(runtime, "bootstrap.py") == 0)) return true;
    return atomic_load(&client_known) == 2 && frames_below(path, client_folder);
}

bool frames_only_runtime_client(void)
{
    struct frame frame = {0};
    bool any = false;
    for (unsigned steps = 0; frames_next(&frame); steps++) {
        if (frame.library) continue;
        if (steps >= STEPS || !in_client(frame.path)) {
            frames_stop(&frame);
            return false;
        }
        any = true;
    }
    return any;
}
