/* The one kind of lock. See lock.h. */
#include "support/lock.h"

#include <signal.h>

#include "support/sys.h"

/* One or two seconds: on a busy machine a thread may wait for a processor, and giving up early
 * would refuse what is allowed. */
enum { TRIES = SYS_SPINS + 20000 };

extern struct lock __start_fs_locks[]
    __attribute__((visibility("hidden"), weak)); /* none in a test */
extern struct lock __stop_fs_locks[] __attribute__((visibility("hidden"), weak));

__thread uint32_t lock_thread __attribute__((tls_model("initial-exec")));

uint32_t lock_ask_thread(void)
{
    lock_thread = (uint32_t)sys_call(SYS_gettid);
    return lock_thread;
}

/* ---- threads that sleep in lock_pause ---- */

enum { NAPPERS = 64 };
static _Atomic uint32_t nappers[NAPPERS];
_Atomic uint32_t lock_naps;

bool lock_is_napping(uint32_t thread)
{
    for (unsigned i = 0; i < NAPPERS; i++)
        if (atomic_load(&nappers[i]) == thread) return true;
    return false;
}

void lock_pause(unsigned tries)
{
    if (tries < SYS_SPINS) return;
    for (unsigned i = 0; i < NAPPERS; i++) {
        uint32_t free = 0;
        if (!atomic_compare_exchange_strong(&nappers[i], &free, lock_self())) continue;
        atomic_fetch_add(&lock_naps, 1);
        sys_pause(tries);
        atomic_store(&nappers[i], 0);
        return;
    }
    sys_call(SYS_sched_yield); /* interrupted by a tracer: not a sleep */
}

bool lock_take(struct lock *lock)
{
    uint64_t all = ~UINT64_C(0), before = 0;
    uint32_t self = lock_self();
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    for (unsigned tries = 0; tries < TRIES; tries++) {
        uint32_t holder = 0;
        bool taken = atomic_compare_exchange_strong(&lock->holder, &holder, self);
        if (!taken && tries >= SYS_SPINS && sys_call(SYS_tkill, holder, 0) == -ESRCH)
            taken = atomic_compare_exchange_strong(&lock->holder, &holder, self);
        if (taken) {
            lock->signals = before;
            return true;
        }
        lock_pause(tries);
    }
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    return false;
}

void lock_give(struct lock *lock)
{
    uint64_t before = lock->signals;
    atomic_store(&lock->holder, 0);
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
}

void lock_forked(void)
{
    lock_thread = 0;
    for (unsigned i = 0; i < NAPPERS; i++) atomic_store(&nappers[i], 0);
    for (struct lock *lock = __start_fs_locks; lock < __stop_fs_locks; lock++)
        atomic_store(&lock->holder, 0);
}
