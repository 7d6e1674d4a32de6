/* Doors of jumps: whatever door of this thread was on the way may have been left. They refuse
 * nothing. */
#include "guard/guard.h"

/* setjmp.h declares them with types of its own, as functions that do not return. */
#define JUMP(name)                                                                                 \
    DOOR void door_##name(void *place, int value) __asm__(#name);                                  \
    DOOR void door_##name(void *place, int value)                                                  \
    {                                                                                              \
        if (UNLIKELY(!real.name)) guard_start();                                                   \
        guard_thread.jumps++;                                                                      \
        __attribute__((musttail)) return real.name(place, value);                                  \
    }

JUMP(longjmp)
JUMP(_longjmp)
JUMP(siglongjmp)
JUMP(__longjmp_chk)

#include "doors_jumping.gen.h"
