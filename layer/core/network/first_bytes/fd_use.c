/* Threads between inspecting an fd and writing to it. See fd_use.h. */
#include "network/first_bytes/fd_use.h"

#include <signal.h>
#include <string.h>

#include "guard/marks.h"
#include "network/first_bytes/pending.h"
#include "support/sys.h"
#include "support/text.h"

enum { TRIES = SYS_SPINS + 20000 };

struct fd_use fd_use_places[FD_USE_PLACES];
_Atomic uint32_t fd_use_claims;

static _Atomic uint32_t crowd; /* threads that found no free place */
/* A claim takes no signal until it is given back: no handler waits for it, none jumps out of it. */
static __thread uint64_t signals __attribute__((tls_model("initial-exec")));
static __thread uint8_t claiming __attribute__((tls_model("initial-exec")));

static unsigned hold(unsigned place, uintptr_t frame)
{
    fd_use_places[place].frame = frame;
    return place;
}

/* Takes over the slot of a thread that ended, and one of ours whose door longjmp has left.
 * `*nested`: this thread has a slot already, in a door that calls this one or that a signal handler
 * interrupted. */
static unsigned take_place(uint64_t word, uintptr_t frame, bool *nested)
{
    unsigned start = fd_use_place();
    for (unsigned i = 0; i < FD_USE_PLACES; i++) {
        uint64_t left = 0;
        unsigned place = (start + i) % FD_USE_PLACES;
        _Atomic uint64_t *at = &fd_use_places[place].word;
        if (atomic_compare_exchange_strong(at, &left, word)) return hold(place, frame);
        bool own = (uint32_t)(left >> 32) == lock_thread;
        bool gone = own ? marks_are_over(fd_use_places[place].frame, frame)
                        : i == 0 && sys_call(SYS_tkill, (uint32_t)(left >> 32), 0) == -ESRCH;
        if (gone && atomic_compare_exchange_strong(at, &left, word)) return hold(place, frame);
        if (own) *nested = true;
    }
    for (unsigned place = 0; place < FD_USE_PLACES; place++) {
        uint64_t left = atomic_load(&fd_use_places[place].word);
        if (sys_call(SYS_tkill, (uint32_t)(left >> 32), 0) == -ESRCH &&
            atomic_compare_exchange_strong(&fd_use_places[place].word, &left, word))
            return hold(place, frame);
    }
    atomic_fetch_add(&crowd, 1);
    return FD_USE_CROWD;
}

/* On a thread's first call: frees the slot that an ended thread of the same id left taken, and of a
 * few other slots those of any ended thread. So only a few are ever left. */
static void begin_thread(void)
{
    enum { SWEPT = 16 };
    static _Atomic uint32_t swept;
    uint32_t self = lock_self(), from = atomic_fetch_add(&swept, SWEPT);
    for (unsigned i = 0; i < FD_USE_PLACES; i++) {
        _Atomic uint64_t *at = &fd_use_places[(from + i) % FD_USE_PLACES].word;
        uint64_t left = atomic_load_explicit(at, memory_order_relaxed);
        if (left == 0) continue;
        uint32_t thread = (uint32_t)(left >> 32);
        if (thread == self || (i < SWEPT && sys_call(SYS_tkill, thread, 0) == -ESRCH))
            atomic_compare_exchange_strong(at, &left, 0);
    }
}

unsigned fd_use_begins_slowly(int fd, uintptr_t frame)
{
    if (lock_thread == 0) begin_thread();
    uint64_t word = (uint64_t)lock_thread << 32 | ((uint32_t)fd + 1);
    for (unsigned tries = 0;; tries++) {
        bool nested = false;
        unsigned place = take_place(word, frame, &nested);
        /* A claiming thread may be waiting for an earlier use by this thread, which can end only
         * after this call. */
        if (atomic_load(&fd_use_claims) == 0 || claiming > 0 || nested) return place;
        if (tries >= 3 * TRIES) return place; /* longer than a claim waits */
        fd_use_ends(place);
        lock_pause(tries);
    }
}

void fd_use_ends_slowly(void) { atomic_fetch_sub(&crowd, 1); }

/* Returns true if the thread has ended, or sleeps in its system call, so that the kernel has
 * resolved the fd already. A thread that waits for a lock also sleeps, but has yet to write. A
 * thread that a signal handler interrupted before its system call, and that sleeps in the
 * handler, looks the same: a listed limit, for machine code only. */
static bool is_beyond(uint32_t thread)
{
    char path[48] = "/proc/self/task/", text[128];
    uint32_t naps = atomic_load(&lock_naps);
    if (sys_call(SYS_tkill, thread, 0) == -ESRCH) return true;
    if (lock_is_napping(thread)) return false;
    size_t at = strlen(path);
    at += text_number(path + at, thread);
    memcpy(path + at, "/stat", sizeof "/stat");
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return false;
    long size = sys_read(fd, text, sizeof text);
    sys_close(fd);
    while (size > 0 && text[size - 1] != ')') size--; /* a name can have brackets */
    return size > 0 && (size_t)size + 1 < sizeof text && text[size] == ' ' &&
           text[size + 1] == 'S' && atomic_load(&lock_naps) == naps;
}

/* Returns false if the thread in this slot has not left before the timeout. */
static bool await(unsigned place, uint64_t word)
{
    enum { TRIES_A_CHECK = 20 };
    for (unsigned tries = 0; tries < TRIES; tries++) {
        if (atomic_load(&fd_use_places[place].word) != word) return true;
        if (tries >= SYS_SPINS && tries % TRIES_A_CHECK == 0 && is_beyond((uint32_t)(word >> 32)))
            return true;
        lock_pause(tries);
    }
    return false;
}

static bool await_crowd(void)
{
    for (unsigned tries = 0; tries < TRIES; tries++) {
        if (atomic_load(&crowd) == 0) return true;
        lock_pause(tries);
    }
    return false;
}

/* `cookie` 0: the threads at `fd`; else those at any fd of that socket. */
static bool await_all(int fd, uint64_t cookie)
{
    if (!await_crowd()) return false;
    for (unsigned place = 0; place < FD_USE_PLACES; place++) {
        uint64_t word = atomic_load(&fd_use_places[place].word);
        if (word == 0 || (uint32_t)(word >> 32) == lock_thread) continue;
        int at = (int)((uint32_t)word - 1);
        if (cookie != 0 ? pending_cookie(at) != cookie : at != fd) continue;
        if (!await(place, word)) return false;
    }
    return true;
}

static void claim(void)
{
    uint64_t all = ~UINT64_C(0), before = 0;
    if (lock_thread == 0) begin_thread();
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    if (claiming++ == 0) signals = before;
    atomic_fetch_add(&fd_use_claims, 1);
}

void fd_use_releases(void)
{
    uint32_t claims = atomic_load(&fd_use_claims);
    while (claims > 0 && !atomic_compare_exchange_strong(&fd_use_claims, &claims, claims - 1)) {
    }
    if (--claiming == 0) sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &signals, NULL, sizeof signals);
}

static bool claims(int fd, uint64_t cookie)
{
    claim();
    if (await_all(fd, cookie)) return true;
    fd_use_releases();
    return false;
}

bool fd_use_claims_fd(int fd) { return claims(fd, 0); }

bool fd_use_claims_socket(uint64_t cookie) { return claims(-1, cookie); }

bool fd_use_awaits_socket(uint64_t cookie)
{
    bool alone = fd_use_claims_socket(cookie);
    if (alone) fd_use_releases();
    return alone;
}

void fd_use_forked(void)
{
    for (unsigned place = 0; place < FD_USE_PLACES; place++)
        atomic_store(&fd_use_places[place].word, 0);
    atomic_store(&crowd, 0);
    atomic_store(&fd_use_claims, 0);
    claiming = 0;
}
