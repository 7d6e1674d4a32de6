/* Threads that look at what a number leads to, and then act by that number: what they saw must stay so until they have.
 *
 * Another thread can close the number in between and give it to a connection whose first bytes are still to come, or connect
 * the very socket. Whoever writes says by which number, before he looks and until he has written; whoever makes such a
 * connection, or moves it to a number, first waits for those who are at work with that number, while others wait for him. The
 * writer pays two stores, and a wait only where a connection is being made or moved in this moment. */
#ifndef FS_CROSSING_H
#define FS_CROSSING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CROSSING_PLACES = 1024, CROSSING_CROWD = CROSSING_PLACES };

extern _Atomic uint64_t crossing_places[CROSSING_PLACES]; /* thread << 32 | number + 1; 0: free */
extern _Atomic uint32_t crossing_claims;                  /* somebody makes or moves such a connection */
extern __thread uint32_t crossing_thread __attribute__((tls_model("initial-exec"))); /* 0: not yet asked */

static inline unsigned crossing_place(void) { return crossing_thread * 0x9e3779b9u >> 22; }

unsigned crossing_begins_slowly(int fd);
void crossing_ends_slowly(void);

/* What to give back. */
static inline unsigned crossing_begins(int fd)
{
    uint64_t unused = 0;
    unsigned place = crossing_place();
    if (__builtin_expect(crossing_thread != 0, 1) &&
        __builtin_expect(atomic_compare_exchange_strong(&crossing_places[place], &unused,
                                                        (uint64_t)crossing_thread << 32 | ((uint32_t)fd + 1)), 1)) {
        if (__builtin_expect(atomic_load(&crossing_claims) == 0, 1)) return place;
        atomic_store_explicit(&crossing_places[place], 0, memory_order_release);
    }
    return crossing_begins_slowly(fd);
}

static inline void crossing_ends(unsigned place)
{
    if (__builtin_expect(place < CROSSING_PLACES, 1))
        atomic_store_explicit(&crossing_places[place], 0, memory_order_release);
    else
        crossing_ends_slowly();
}

/* The call, by `fd`, of a door that looks first. */
#define CROSSING(fd, call)                              \
    __extension__({                                     \
        unsigned place_ = crossing_begins(fd);          \
        __typeof__(call) result_ = (call);              \
        crossing_ends(place_);                          \
        result_;                                        \
    })

/* Nobody is at work with `number`, and nobody begins until crossing_releases. False where somebody stays: nothing is claimed. */
bool crossing_claims_number(int number);
void crossing_releases(void);
/* Nobody is at work with this socket any more who began before it was in the table. */
bool crossing_awaits_socket(uint64_t cookie);

/* In a forked child. */
void crossing_forked(void);

#endif
