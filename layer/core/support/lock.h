/* The one kind of lock: among the threads of a process, and the children that share its memory.
 *
 * It is waited for with an end. Who has it takes no signal until it is given back, so that no
 * handler waits in here for what it has interrupted, and none jumps out with the lock. Only from a
 * thread that is gone it is taken over. A forked child gives back what threads hold that it does
 * not have (lock_forked): each lock lies in a section of its own, and none is forgotten. */
#ifndef FS_LOCK_H
#define FS_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lock {
    _Atomic uint32_t holder; /* its thread; 0: free */
    uint64_t signals; /* of the holder, as they were */
};

/* Declares a lock. */
#define LOCK(name) static struct lock name __attribute__((section("fs_locks"), used))

/* False where it is not to be had. */
bool lock_take(struct lock *lock);
void lock_give(struct lock *lock);
/* In a forked child, which has one thread. */
void lock_forked(void);

/* Waits a little: spins at first, then sleeps. For a lock, and for whatever else a door waits for.
 * A thread that sleeps in here has its door's system call still to make. To know that one does not:
 * read lock_naps, ask, look at the thread's state, and read lock_naps again. It must be the same.
 */
void lock_await_turn(unsigned tries);
extern _Atomic uint32_t lock_naps;
bool lock_is_napping(uint32_t thread);

/* This thread's number, asked once. */
extern __thread uint32_t lock_thread __attribute__((tls_model("initial-exec")));
uint32_t lock_ask_thread(void);
static inline uint32_t lock_self(void)
{
    return __builtin_expect(lock_thread != 0, 1) ? lock_thread : lock_ask_thread();
}

#endif
