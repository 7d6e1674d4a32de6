/* The origin of an act: the innermost frame outside the standard library, and the package that its
 * file belongs to. */
#ifndef FS_ORIGIN_H
#define FS_ORIGIN_H

#include "guard/guard.h"
#include "events/events.h"

/* Fills `origin` from this thread's frames; empty strings if there are none. Use it for reports
 * only: it allocates. Leaves no error set. Code objects can claim anything, so an origin names, and
 * decides nothing. */
void origin_read(struct origin *origin);

/* A number for the package that `origin` names; GUARD_PACKAGE_NONE if it names none. Never
 * GUARD_PACKAGE_UNKNOWN. */
uint32_t origin_package_id(const struct origin *origin);
/* The same for the current caller. Reads the frames. */
uint32_t origin_package_id_now(void);

/* Reads this thread's origin, and keeps it for a report that the libc ring may make of the same
 * act. */
void origin_keep(void);
void origin_forget(void);
/* Memory for this thread's origin, to be filled from other frames (JavaScript); NULL if none is
 * left. */
struct origin *origin_room(void);
/* The origin that was kept, or NULL. Runs no Python code and takes no lock, so any reporting code
 * may call it. */
struct origin *origin_kept(void);

#endif
