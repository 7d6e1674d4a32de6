/* Attempts on the guard itself. */
#include "guard/guard.h"
#include "events/attempts.h"
#include "events/events.h"

bool integrity_refused(const char *verb, const char *object, const void *caller)
{
    struct fs_verdict verdict = guard_integrity();
    return verdict.mode != FS_ALLOW &&
           guard_report_path(FS_INTEGRITY, &verdict, verb, object, caller);
}
