/* Acts that the interpreter ring lets pass for this thread. The first door that asks uses the
 * permission up, and the thread's next watched audit event ends it. */
#ifndef FS_PASSES_H
#define FS_PASSES_H

#include "guard/guard.h"

/* The import system is about to read `path`, the zip that a sealed handler came from. This one open
 * is not reported: if it is refused, the import system gets a copy (archive.c). */
static inline void passes_archive(const char *path)
{
    guard_thread.archive = guard_object_hash(path);
}
static inline bool passes_take_archive(const char *path)
{
    if (LIKELY(guard_thread.archive == 0) || guard_thread.archive != guard_object_hash(path))
        return false;
    guard_thread.archive = 0;
    return true;
}
/* The runtime client forks one of its workers (Managed Instances). This one fork passes, and its
 * child is not on probation. */
static inline bool passes_take_fork(void)
{
    bool passes = guard_thread.worker;
    guard_thread.worker = false;
    return passes;
}
static inline void passes_forget(void)
{
    guard_thread.archive = 0;
    guard_thread.worker = false;
}

#endif
