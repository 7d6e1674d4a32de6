/* The rule native_code, for the caller that is on Python's stack. */
#include <string.h>

#include "python/arguments.h"
#include "python/frames.h"
#include "python/hooks/hook.h"
#include "memory/native.h"
#include "python/origin/origin.h"
#include "events/events.h"

enum { NAME_MAX_SIZE = 256, STEPS = 512 };

/* The module of the innermost frame outside the standard library, as the frame names it. */
static void read_module(char name[NAME_MAX_SIZE])
{
    struct frame frame = {0};
    strcpy(name, "__main__");
    for (unsigned steps = 0; steps < STEPS && frames_next(&frame); steps++) {
        if (frame.library) continue;
        PyObject *globals = python.PyObject_GetAttrString(frame.object, "f_globals");
        const char *text = globals && python_type(globals) == python.PyDict_Type
                               ? argument_text(python.PyDict_GetItemString(globals, "__name__"))
                               : NULL;
        if (text && strlen(text) < NAME_MAX_SIZE) strcpy(name, text);
        python.Py_DecRef(globals);
        python.PyErr_Clear();
        break;
    }
    frames_stop(&frame);
}

static bool passes(const struct fs_verdict *verdict) { return verdict->mode == FS_ALLOW; }

/* Asks by the module's name, by each package that contains it, by the outermost package's folder,
 * and by the library. */
static struct fs_verdict ask(const char *library)
{
    char name[NAME_MAX_SIZE];
    read_module(name);
    struct fs_verdict verdict = native_decide(name, NULL);
    for (char *dot; !passes(&verdict) && (dot = strrchr(name, '.')) != NULL;) {
        *dot = '\0';
        verdict = native_decide(name, NULL);
    }
    if (passes(&verdict)) return verdict;
    struct origin origin;
    origin_read(&origin);
    const char *const names[] = {origin.package[0] ? origin.package : NULL, library};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!names[i]) continue;
        struct fs_verdict other = native_decide(names[i], NULL);
        if (passes(&other)) return other;
    }
    return verdict;
}

static struct fs_verdict ask_aside(const char *library)
{
    PyObject *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    struct fs_verdict verdict = ask(library);
    python.PyErr_Restore(type, value, trace);
    return verdict;
}

bool hook_native_blocks(const char *library) { return ask_aside(library).mode == FS_BLOCK; }

int hook_judge_native(const char *verb, const char *object, const char *library)
{
    struct fs_verdict verdict = ask_aside(library);
    struct act act = {.ring = RING_INTERPRETER, .family = FS_NATIVE, .verb = verb, .path = object};
    if (verdict.mode == FS_ALLOW && verdict.reason == FS_RULE)
        events_report(&act, &verdict, NULL, 0);
    return hook_verdict(&act, &verdict, object, NULL);
}
