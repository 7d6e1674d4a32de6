/* Doors of jumps. A jump may leave any door of this thread, so the doors count jumps. They refuse
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
