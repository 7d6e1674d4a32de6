/* The caller, in Python or JavaScript, of an act that only a door can judge. See
 * interpreter.h, and interpreter_origin in events.h. */
#include "python/interpreter.h"

#include "guard/passes.h"
#include "cpython/attach.h"
#include "cpython/python.h"
#include "javascript/js_caller.h"
#include "javascript/socket_origin.h"
#include "javascript/request_origin.h"
#include "python/hooks/hook.h"
#include "python/origin/origin.h"
#include "libc/symbols.h"
#include "events/events.h"
#include "v8/javascript.h"

static bool javascript; /* this program has V8 in it */

bool interpreter_start(void)
{
    javascript = symbols_of_program(JAVASCRIPT_MARK) != NULL;
    return javascript || python.current;
}

void hook_forget(void)
{
    passes_forget();
    origin_forget();
}

static void keep_script(const struct act *act)
{
    /* A forked child acts for its parent's caller, which the parent kept. */
    struct origin *origin = javascript_is_forked() ? NULL : origin_room();
    if (origin && !(js_caller_is_node(act) &&
                    (js_caller_read(origin, NULL) || request_origin_read(origin, act) ||
                     socket_origin_read(origin, act))))
        origin_forget();
}

struct origin *interpreter_origin(const struct act *act)
{
    struct attach attach;
    /* Not for first bytes: the interpreter's own signal handler may be writing. */
    if (python.current && act->ring == RING_LIBC && !act->first_bytes) {
        if (attach_begin(&attach, act->caller)) {
            origin_forget();
            origin_keep();
            attach_end(&attach);
        } else if (act->family != FS_NATIVE && act->caller && !attach_is_python_code(act->caller)) {
            /* The caller that was kept belongs to an earlier act. (SQLite calls doors of
             * native_code while it does what Python asked of it, which was reported.) */
            origin_forget();
        }
    }
    if (act->ring == RING_LIBC && javascript) keep_script(act);
    struct origin *origin = origin_kept();
    return origin && origin->file[0] ? origin : NULL;
}
