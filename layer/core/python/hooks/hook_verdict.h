/* The verdict on an event of the audit hook, put into effect. */
#ifndef FS_HOOK_VERDICT_H
#define FS_HOOK_VERDICT_H

#include "cpython/python.h"
#include "guard/guard.h"
#include "events/events.h"

/* Ends an event's question: nothing where the verdict allows; else the event with its origin, and
 * the error where it blocks. `object` is what the libc ring would name (NULL: whatever); `filename`
 * goes into the error, or NULL. */
int hook_verdict(struct guard_act *act, const struct fs_verdict *verdict, const char *object,
                 PyObject *filename);

/* What the rule of the verdict let through is told, with its origin, where the policy wants that
 * and it is the rule's first. */
void hook_used(struct guard_act *act, const struct fs_verdict *verdict);

#endif
