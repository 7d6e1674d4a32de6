/* Who asked: the innermost frame that is not the standard library's, and whose package its file
 * belongs to. */
#ifndef FS_ORIGIN_H
#define FS_ORIGIN_H

#include "events/origins.h"
#include "guard/guard.h"
#include "events/events.h"

/* Fills `origin` from this thread's frames; empty strings where there are none. At report time
 * only: it allocates. Leaves no error set. What it says is what code objects say of themselves: it
 * names, it decides nothing. */
void origin_read(struct guard_origin *origin);

/* A number that stands for the package that `origin` names; GUARD_ASKER_NOBODY where it names none.
 * Never GUARD_ASKER_UNKNOWN. */
uint32_t origin_asker(const struct guard_origin *origin);
/* The same of the present caller: reads the frames. */
uint32_t origin_asker_now(void);

/* Reads this thread's origin and keeps it for a report that the libc ring may make of the same act.
 */
void origin_keep(void);
void origin_forget(void);
/* Room for this thread's origin, for a reader of other frames; NULL where there is none left. */
struct guard_origin *origin_room(void);
/* What was kept, NULL where nothing was. No Python code, no lock: for any place that reports. */
struct guard_origin *origin_kept(void);

#endif
