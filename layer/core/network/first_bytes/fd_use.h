/* Closes a TOCTOU race: between inspecting an fd and writing to it, no other thread may make the fd
 * refer to another socket.
 *
 * Another thread can close the fd in between and reuse it for a connection whose first bytes must
 * be inspected, or connect the same socket. A writer announces the fd before it inspects it and
 * until it has written. A thread that makes such a connection, or moves it to an fd, waits for the
 * writers of that fd, and new writers wait for it. A writer pays two stores, and waits only while
 * such a connection is being made or moved. */
#ifndef FS_FD_USE_H
#define FS_FD_USE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "support/lock.h"

enum { FD_USE_PLACES = 1024, FD_USE_CROWD = FD_USE_PLACES };

struct fd_use {
    _Atomic uint64_t word; /* thread << 32 | fd + 1; 0: free */
    uintptr_t frame; /* the frame of the door; only its own thread reads it */
};
extern struct fd_use fd_use_places[FD_USE_PLACES];
extern _Atomic uint32_t fd_use_claims; /* threads that make or move such a connection */

static inline unsigned fd_use_place(void) { return lock_thread * 0x9e3779b9u >> 22; }

unsigned fd_use_begins_slowly(int fd, uintptr_t frame);
void fd_use_ends_slowly(void);

/* Returns the place, for fd_use_ends. */
static inline unsigned fd_use_begins(int fd, uintptr_t frame)
{
    uint64_t unused = 0;
    unsigned place = fd_use_place();
    if (__builtin_expect(lock_thread != 0, 1) &&
        __builtin_expect(
            atomic_compare_exchange_strong(&fd_use_places[place].word, &unused,
                                           (uint64_t)lock_thread << 32 | ((uint32_t)fd + 1)),
            1)) {
        fd_use_places[place].frame = frame;
        if (__builtin_expect(atomic_load(&fd_use_claims) == 0, 1)) return place;
        atomic_store_explicit(&fd_use_places[place].word, 0, memory_order_release);
    }
    return fd_use_begins_slowly(fd, frame);
}

static inline void fd_use_ends(unsigned place)
{
    if (__builtin_expect(place < FD_USE_PLACES, 1))
        atomic_store_explicit(&fd_use_places[place].word, 0, memory_order_release);
    else
        fd_use_ends_slowly();
}

/* Runs CALL, by which a door inspects `fd` and then writes to it. */
#define USING_FD(fd, call)                                                                         \
    __extension__({                                                                                \
        unsigned place_ = fd_use_begins(fd, (uintptr_t)__builtin_frame_address(0));                \
        __typeof__(call) result_ = (call);                                                         \
        fd_use_ends(place_);                                                                       \
        result_;                                                                                   \
    })

/* Waits until no thread is between inspecting and writing to `fd`; new ones wait until
 * fd_use_releases. Returns false if a thread has not left before the timeout. */
bool fd_use_claims_fd(int fd);
/* The same for every fd of this socket, and for threads that duplicate one. */
bool fd_use_claims_socket(uint64_t cookie);
void fd_use_releases(void);
/* Waits until no thread is between inspecting and writing to this socket that began before the
 * socket was in the table. Returns false if one has not left before the timeout. */
bool fd_use_awaits_socket(uint64_t cookie);

/* Call it in a forked child. */
void fd_use_forked(void);

#endif
