/* Stand-ins for functions that this libc lacks. See absent.h. */
#include "libc/absent.h"

#include <stdatomic.h>
#include <stdint.h>

#include "libc/door_names.h"
#include "support/sys.h"

enum {
    SLOTS = sizeof(struct fs_real) / sizeof(void *),
    RPC_SYSTEM_ERROR = 12,
    LOOKUP_SYSTEM_ERROR = -11 /* EAI_SYSTEM */
};

static _Atomic uint8_t absent[SLOTS];

static long absent_minus(void) { return errno = ENOSYS, -1; }

static long absent_null(void) { return errno = ENOSYS, 0; }

static long absent_error(void) { return ENOSYS; }

static long absent_rpc(void) { return RPC_SYSTEM_ERROR; }

static long absent_lookup(void) { return errno = ENOSYS, LOOKUP_SYSTEM_ERROR; }

#define RAW(symbol, number)                                                                        \
    static long raw_##symbol(long a, long b, long c, long d, long e, long f)                       \
    {                                                                                              \
        return SYS_RESULT(sys_call6(number, a, b, c, d, e, f));                                    \
    }

#include "absent.gen.h"

static unsigned index_of(void *const *slot)
{
    return (unsigned)(slot - (void *const *)(void *)&real);
}

void absent_fill(void)
{
    for (unsigned door = 0; door < DOOR_COUNT; door++) {
        void **slot = door_slot(door);
        if (!door_is_own(door) || *slot) continue;
        *slot = stand_in(door);
        atomic_store(&absent[index_of(slot)], 1);
    }
}

bool absent_is(void *const *slot)
{
    return !*slot || atomic_load_explicit(&absent[index_of(slot)], memory_order_acquire);
}

void absent_found(void *const *slot)
{
    atomic_store_explicit(&absent[index_of(slot)], 0, memory_order_release);
}
