/* Carries out the verdict on an event. See hook_verdict.h. */
#include "python/hooks/hook_verdict.h"

#include "python/origin/origin.h"
#include "python/violation.h"
#include "events/events.h"

/* With `events: {allowed: first}`: the door would make this event without the frames. */
void hook_used(struct act *act, const struct fs_verdict *verdict)
{
    if (verdict->reason != FS_RULE || !events_rule_is_new(verdict->rule)) return;
    struct origin origin;
    PyObject *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    origin_read(&origin);
    act->ring = RING_INTERPRETER;
    act->origin = &origin;
    events_report(act, verdict, NULL, 0);
    python.PyErr_Restore(type, value, trace);
}

int hook_verdict(struct act *act, const struct fs_verdict *verdict, const char *object,
                 PyObject *filename)
{
    if (verdict->mode == FS_ALLOW) {
        /* A program's first use is reported where it is executed, mostly in a child, which counts
         * for itself. */
        if (UNLIKELY(guard_tells_allowed()) && act->family != FS_PROCESS) hook_used(act, verdict);
        return 0;
    }
    struct origin origin;
    char sentence[1024];
    PyObject *type, *value, *trace;
    python.PyErr_Fetch(&type, &value, &trace);
    origin_read(&origin);
    act->ring = RING_INTERPRETER;
    act->origin = &origin;
    events_report(act, verdict, sentence, sizeof sentence);
    if (verdict->mode == FS_BLOCK) {
        python.Py_DecRef(type);
        python.Py_DecRef(value);
        python.Py_DecRef(trace);
        violation_raise(act->family, verdict, sentence, filename);
        return -1;
    }
    python.PyErr_Restore(type, value, trace);
    guard_note(act->family, verdict->mode, object);
    if (act->family == FS_OUTBOUND) guard_thread.note_package = origin_package_id(&origin);
    return 0;
}
