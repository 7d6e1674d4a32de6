/* Events about the guard itself: it is armed, or the program does not run. */
#ifndef FS_ANNOUNCE_H
#define FS_ANNOUNCE_H

/* Keeps the pointers `rings` (at most 3) and `runtime`. */
void announce_armed(const char *const *rings, unsigned ring_count, const char *runtime);
/* In the function's process after the restore of a snapshot. Uses a new nonce, because many
 * processes may be restored from one snapshot. */
void announce_restored(void);
/* The answer of --self-test, on standard output. */
void announce_self_test(const char *const *rings, unsigned ring_count, const char *runtime);
/* Exit status 78. */
_Noreturn void announce_refused(const char *sentence);

#endif
