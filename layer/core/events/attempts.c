/* Attempts on the guard itself. */
#include "guard/guard.h"
#include "events/attempts.h"
#include "events/events.h"

bool integrity_refused(const char *verb, const char *object, const void *caller)
{
    struct fs_verdict verdict = guard_integrity();
    if (verdict.mode == FS_ALLOW) return false;
    struct guard_act act = {
        .ring = RING_LIBC, .family = FS_INTEGRITY, .verb = verb, .path = object, .caller = caller};
    guard_report(&act, &verdict, NULL, 0);
    if (verdict.mode != FS_BLOCK) return false;
    errno = EACCES;
    return true;
}
