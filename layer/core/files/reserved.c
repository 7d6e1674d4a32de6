/* Reserved fds: the guard inspects an object by such an fd and then acts on it. Closes a TOCTOU
 * race: if another thread could dup2 or close the fd in between, the guard would act on another
 * object.
 *
 * Both sides announce themselves before they check the other. A door that replaces or closes an fd
 * counts itself in `busy`, then checks whether the fd is reserved. The guard reserves the fd, then
 * checks `busy`, and takes another fd if it is not zero. So neither waits for the other. */
#include <pthread.h>

#include "files/files.h"
#include "guard/marks.h"
#include "support/lock.h"
#include "support/sys.h"

enum { FDS = 1 << 20, PLACES = 1024, MOVES = 64, WAITS = SYS_SPINS + 200 };

static _Atomic uint64_t fds[FDS / 64]; /* a bit for each reserved fd */
static atomic_uint reserved;
/* Indexed by fd % PLACES. Two fds can share a counter: then one may be moved without need. */
static _Atomic uint16_t busy[PLACES];

static bool is_reserved(unsigned fd)
{
    return fd < FDS && atomic_load(&fds[fd / 64]) >> fd % 64 & 1;
}

__thread int files_pinned __attribute__((tls_model("initial-exec")));

/* What this thread has reserved, innermost last. Until it has released all, it is not cancelled. */
enum { KEPT = 4 };
static __thread struct {
    uintptr_t frames[KEPT];
    int fds[KEPT];
    unsigned count;
    uint32_t jumps; /* this thread's count, when it last checked */
    int before; /* its cancellation state */
} kept __attribute__((tls_model("initial-exec")));

static void unkeep(int fd)
{
    unsigned at = kept.count < KEPT ? kept.count : KEPT;
    while (at > 0 && kept.fds[at - 1] != fd) at--;
    for (; at > 0 && at < kept.count && at < KEPT; at++) {
        kept.fds[at - 1] = kept.fds[at];
        kept.frames[at - 1] = kept.frames[at];
    }
    if (kept.count > 0 && --kept.count == 0) pthread_setcancelstate(kept.before, NULL);
}

/* Closes reserved fds whose doors were left by longjmp. An fd that such a door was just
 * releasing stays open, because it may refer to another object by now. */
static void close_abandoned(uintptr_t here)
{
    kept.jumps = guard_thread.jumps;
    while (kept.count > 0 && kept.count <= KEPT &&
           marks_are_over(kept.frames[kept.count - 1], here)) {
        int fd = kept.fds[kept.count - 1];
        if (fd + 1 == files_pinned)
            files_unpin();
        else if (is_reserved((unsigned)fd))
            files_release(fd);
        else
            unkeep(fd);
    }
}

static void keep(int fd, uintptr_t here)
{
    if (UNLIKELY(kept.jumps != guard_thread.jumps)) close_abandoned(here);
    if (kept.count == 0) pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &kept.before);
    if (kept.count < KEPT) {
        kept.fds[kept.count] = fd;
        kept.frames[kept.count] = here;
    }
    kept.count++;
}

static void reserve(int fd, uintptr_t here)
{
    atomic_fetch_add(&reserved, 1);
    atomic_fetch_or(&fds[fd / 64], 1ull << fd % 64);
    keep(fd, here);
}

int files_reserve(int fd)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (!guard.blocks_any) return fd;
    for (unsigned moves = 0; fd >= 0 && fd < FDS; moves++) {
        reserve(fd, here);
        if (LIKELY(atomic_load(&busy[fd % PLACES]) == 0)) return fd;
        int other = moves < MOVES ? sys_copy_above(fd, fd + 1) : -EMFILE;
        files_release(fd);
        fd = other;
    }
    if (fd < 0) return fd;
    sys_close(fd);
    return -EMFILE;
}

void files_pin(int fd)
{
    if (fd < 0 || fd >= FDS || is_reserved((unsigned)fd)) return;
    reserve(fd, (uintptr_t)__builtin_frame_address(0));
    files_pinned = fd + 1;
    /* A thread that is in `close` for longer has removed the fd already. */
    for (unsigned tries = 0; atomic_load(&busy[fd % PLACES]) != 0 && tries < WAITS; tries++)
        lock_pause(tries);
}

void files_unpin(void)
{
    files_let_go(files_pinned - 1);
    files_pinned = 0;
}

/* Release first: once closed, the fd may belong to another thread. */
void files_release(int fd)
{
    files_let_go(fd);
    sys_close(fd);
}

void files_let_go(int fd)
{
    if (fd < 0 || fd >= FDS || !is_reserved((unsigned)fd)) return;
    atomic_fetch_and(&fds[fd / 64], ~(1ull << fd % 64));
    atomic_fetch_sub(&reserved, 1);
    unkeep(fd);
}

bool files_touch(int fd, bool wait)
{
    if (fd < 0 || fd >= FDS) return true;
    for (unsigned tries = 0;; tries++) {
        atomic_fetch_add(&busy[fd % PLACES], 1);
        if (LIKELY(!is_reserved((unsigned)fd))) return true;
        atomic_fetch_sub(&busy[fd % PLACES], 1);
        if (fd + 1 == files_pinned)
            files_unpin(); /* its door was left by longjmp */
        else if (!wait || tries >= WAITS)
            return false;
        lock_pause(tries);
    }
}

void files_touched(int fd)
{
    if (fd >= 0 && fd < FDS) atomic_fetch_sub(&busy[fd % PLACES], 1);
}

unsigned files_next_reserved(unsigned first, unsigned last)
{
    if (atomic_load(&reserved) == 0) return UINT32_MAX;
    for (unsigned fd = first; fd <= last && fd < FDS; fd++) {
        if (fd % 64 == 0 && atomic_load(&fds[fd / 64]) == 0) {
            fd += 63;
            continue;
        }
        if (is_reserved(fd)) return fd;
    }
    return UINT32_MAX;
}

void files_forget_reserved(void)
{
    if (kept.count > 0) pthread_setcancelstate(kept.before, NULL);
    kept.count = files_pinned = 0;
    if (atomic_load(&reserved) == 0) goto busy;
    for (unsigned i = 0; i < FDS / 64; i++)
        if (atomic_load(&fds[i]) != 0) atomic_store(&fds[i], 0);
    atomic_store(&reserved, 0);
busy:
    for (unsigned i = 0; i < PLACES; i++) atomic_store(&busy[i], 0);
}
