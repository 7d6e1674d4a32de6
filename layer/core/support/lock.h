/* The one kind of lock: among the threads of a process, and the children that share its memory.
 *
 * Waiting for it is bounded. Its holder takes no signal until it is released, so that no handler
 * waits for the code that it interrupted, and none jumps out with the lock. It is taken over only
 * from a thread that no longer exists. A forked child releases the locks of threads that it does
 * not have (lock_forked); each lock lies in a linker section, so that none is missed. */
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

/* Returns false after a timeout. */
bool lock_take(struct lock *lock);
void lock_give(struct lock *lock);
/* In a forked child, which has one thread. */
void lock_forked(void);

/* Waits a little: spins at first, then sleeps. For a lock, and for anything else that a door
 * waits for. A thread that sleeps in here has yet to make its door's system call. To make sure
 * that a thread is not in here, read lock_naps, then the thread's state, then lock_naps again:
 * it must be unchanged. */
void lock_pause(unsigned tries);
extern _Atomic uint32_t lock_naps;
bool lock_is_napping(uint32_t thread);

/* This thread's id, read once. */
extern __thread uint32_t lock_thread __attribute__((tls_model("initial-exec")));
uint32_t lock_ask_thread(void);
static inline uint32_t lock_self(void)
{
    return __builtin_expect(lock_thread != 0, 1) ? lock_thread : lock_ask_thread();
}

#endif
