/* The verdict on an event of the audit hook, put into effect. */
#ifndef FS_HOOK_VERDICT_H
#define FS_HOOK_VERDICT_H

#include "cpython/python.h"
#include "guard/guard.h"
#include "events/events.h"

/* Carries out the verdict on an event. Allowed: nothing. Else it writes the event with its origin,
 * and sets the error if the verdict blocks. `object` is what the libc ring would name (NULL: any);
 * `filename` goes into the error, or NULL. */
int hook_verdict(struct act *act, const struct fs_verdict *verdict, const char *object,
                 PyObject *filename);

/* Reports an allowed act with its origin, if the policy wants that and it is the rule's first. */
void hook_used(struct act *act, const struct fs_verdict *verdict);

#endif
