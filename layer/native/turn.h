/* One at a time among the threads of a process: a lock that is waited for with an end, whose holder may have forked or died.
 *
 * It holds the number of the process that is at it. Only one that is gone is taken over from: a child that shares our memory
 * (vfork, CLONE_VM) has another number, and is at work in it all the same. What a forked child finds taken, by a thread that it
 * does not have, its fork's door gives back (turn_reset). */
#ifndef FS_TURN_H
#define FS_TURN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "sys.h"

struct turn {
    atomic_int holder; /* the process; 0: nobody */
};

/* A second, or two: a busy machine lets a thread wait for its processor, and who gives up early refuses what is allowed. */
enum { TURN_TRIES = SYS_SPINS + 20000 };

/* `here` is the thread's own: a signal handler of the holder that comes here has nobody to wait for. False: not to be had. */
static inline bool turn_take(struct turn *turn, bool *here)
{
    int self = sys_getpid();
    if (*here) return false;
    for (unsigned tries = 0; tries < TURN_TRIES; tries++) {
        int holder = 0;
        *here = true;
        atomic_signal_fence(memory_order_seq_cst);
        if (atomic_compare_exchange_strong(&turn->holder, &holder, self)) return true;
        if (tries >= SYS_SPINS && holder != self && sys_call(SYS_kill, holder, 0) == -ESRCH &&
            atomic_compare_exchange_strong(&turn->holder, &holder, self))
            return true;
        atomic_signal_fence(memory_order_seq_cst);
        *here = false;
        sys_await_turn(tries);
    }
    return false;
}

static inline void turn_give(struct turn *turn, bool *here)
{
    atomic_store(&turn->holder, 0);
    atomic_signal_fence(memory_order_seq_cst);
    *here = false;
}

/* In a forked child, which has one thread. */
static inline void turn_reset(struct turn *turn, bool *here) { turn_give(turn, here); }

#endif
