#include "python/frames.h"

#include <string.h>

#include "events/frame_text.h"
#include "python/arguments.h"
#include "python/hooks/genuine.h"
#include "guard/guard.h"
#include "support/text.h"
#include "support/sys.h"

enum { STEPS = 512, CLIENT_STEPS = 32 };

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
    /* Code may be compiled under any spelling of a path, and folders are compared as text. */
    frame->path = path ? frame_text_plain(path, frame->room, sizeof frame->room) : "";
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
    PyObject *value = python.minor >= 11 ? code_attribute(frame->object, "co_qualname") : NULL;
    if (!value) value = code_attribute(frame->object, "co_name");
    const char *text = argument_text(value);
    text_copy(name, size, text ? text : "");
    python.Py_DecRef(value);
}

/* The prefixes at start, before code of the function could change them. */
static char prefixes[2][512];

void frames_pin_library(void)
{
    static const char *const names[] = {"base_prefix", "base_exec_prefix"};
    char room[sizeof *prefixes];
    if (LIKELY(prefixes[0][0] != '\0')) return;
    for (size_t i = 2; i-- > 0;) {
        const char *prefix = argument_text(python.PySys_GetObject(names[i]));
        if (prefix)
            text_copy(prefixes[i], sizeof *prefixes, frame_text_plain(prefix, room, sizeof room));
    }
}

static const char *in_library(const char *path)
{
    for (size_t i = 0; i < 2; i++) {
        const char *rest = prefixes[i][0] ? frame_text_below(path, prefixes[i]) : NULL;
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

bool frames_is_standard(const char *path, const char *file)
{
    const char *rest = in_library(path);
    if (!rest) return false;
    rest += strspn(rest, "0123456789t"); /* 3.13t: free-threaded */
    return rest[0] == '/' && strcmp(rest + 1, file) == 0;
}

static char client_folder[1024]; /* ".../awslambdaric", written once before the handler is sealed */
static atomic_int client_known; /* 0 no, 1 being written, 2 yes */

void frames_saw_module(const char *path)
{
    static const char tail[] = "/awslambdaric/__init__.py";
    char room[sizeof client_folder];
    path = frame_text_plain(path, room, sizeof room);
    size_t size = strlen(path), cut = sizeof "/__init__.py" - 1;
    int no = 0;
    if (size < sizeof tail || size - cut >= sizeof client_folder) return;
    if (strcmp(path + size - (sizeof tail - 1), tail) != 0) return;
    if (!atomic_compare_exchange_strong(&client_known, &no, 1)) return;
    memcpy(client_folder, path, size - cut);
    client_folder[size - cut] = '\0';
    atomic_store(&client_known, 2);
}

bool frames_is_client(const char *path)
{
    /* LAMBDA_RUNTIME_DIR holds boto3 as well, which is not the client. */
    const char *runtime = guard.runtime_dir[0] ? frame_text_below(path, guard.runtime_dir) : NULL;
    if (runtime &&
        (strncmp(runtime, "awslambdaric/", 13) == 0 || strcmp(runtime, "bootstrap.py") == 0))
        return true;
    return atomic_load(&client_known) == 2 && frame_text_below(path, client_folder);
}

static bool is_genuine(const struct frame *frame)
{
    PyObject *code = python.PyFrame_GetCode(frame->object);
    bool genuine = code && genuine_is_of(frame->path, code);
    python.Py_DecRef(code);
    return genuine;
}

bool frames_only_runtime_client(void)
{
    struct frame frame = {0};
    bool any = false;
    for (unsigned steps = 0; frames_next(&frame); steps++) {
        /* From the frame that connects to the client itself, each code object must be what its file
         * compiles to, because any code can take any name. */
        if (!any && (frame.library || frames_is_client(frame.path)) &&
            (steps >= CLIENT_STEPS || !is_genuine(&frame))) {
            frames_stop(&frame);
            return false;
        }
        if (frame.library) continue;
        if (steps >= STEPS || !frames_is_client(frame.path)) {
            frames_stop(&frame);
            return false;
        }
        any = true;
    }
    return any;
}

bool frames_import_reads(void)
{
    struct frame frame = {0};
    char name[64] = "";
    for (unsigned depth = 0; depth < 6 && frames_next(&frame); depth++) {
        if (strncmp(frame.path, "<frozen importlib._bootstrap", 28) != 0) break;
        frames_function(&frame, name, sizeof name);
        /* get_code: of runpy, for `python -m`. */
        if (text_ends(name, "exec_module") || text_ends(name, "get_code")) {
            frames_stop(&frame);
            return true;
        }
    }
    frames_stop(&frame);
    return false;
}

bool frames_interpreter_reads(void)
{
    struct frame frame = {0};
    if (sys_call(SYS_gettid) != sys_getpid()) return false;
    bool any = frames_next(&frame);
    if (any) frames_stop(&frame);
    return !any;
}

bool frames_linecache_reads(void)
{
    struct frame frame = {0};
    if (!frames_next(&frame)) return false;
    /* The interpreter asks whether its script is a zip. */
    if (frame.library && text_ends(frame.path, "<frozen zipimport>")) {
        char name[64] = "";
        frames_function(&frame, name, sizeof name);
        frames_stop(&frame);
        return text_ends(name, "_read_directory");
    }
    bool reads =
        frame.library && text_ends(frame.path, "/tokenize.py") && frames_next(&frame) &&
        frame.library && /* frozen since 3.15 */
        (text_ends(frame.path, "/linecache.py") || text_ends(frame.path, "<frozen linecache>"));
    frames_stop(&frame);
    return reads;
}
