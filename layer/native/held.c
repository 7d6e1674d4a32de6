/* Numbers that the guard holds an object open by, between its look at it and the act on it. Whoever puts another object at
 * such a number (dup2), or frees it for one (close), would have the act done where nobody looked.
 *
 * Both sides say what they are about before they look at what the other says: a door that replaces or closes counts itself
 * `busy` and then asks whether the number is held; whoever holds says so and then asks whether anybody is busy there, and if
 * so takes another number. So neither has to wait for the other in the moment of a call. */
#include "files.h"
#include "sys.h"

enum { NUMBERS = 1 << 20, PLACES = 1024, MOVES = 64, WAITS = SYS_SPINS + 200 };

static _Atomic uint64_t numbers[NUMBERS / 64]; /* a bit for each that is held */
static atomic_uint held;
static _Atomic uint16_t busy[PLACES]; /* by the number's remainder: who shares one is moved for nothing */

static bool is_held(unsigned fd)
{
    return fd < NUMBERS && atomic_load(&numbers[fd / 64]) >> fd % 64 & 1;
}

int files_hold(int fd)
{
    if (!guard.blocks_any) return fd;
    for (unsigned moves = 0; fd >= 0 && fd < NUMBERS; moves++) {
        atomic_fetch_add(&held, 1);
        atomic_fetch_or(&numbers[fd / 64], 1ull << fd % 64);
        if (LIKELY(atomic_load(&busy[fd % PLACES]) == 0)) return fd;
        int other = moves < MOVES ? (int)sys_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, fd + 1) : -EMFILE;
        files_release(fd);
        fd = other;
    }
    if (fd < 0) return fd;
    sys_close(fd);
    return -EMFILE;
}

/* The number is nobody's before it is closed: afterwards it may be another thread's own. */
void files_release(int fd)
{
    files_let_go(fd);
    sys_close(fd);
}

void files_let_go(int fd)
{
    if (fd < 0 || fd >= NUMBERS || !is_held((unsigned)fd)) return;
    atomic_fetch_and(&numbers[fd / 64], ~(1ull << fd % 64));
    atomic_fetch_sub(&held, 1);
}

bool files_touch(int fd, bool wait)
{
    if (fd < 0 || fd >= NUMBERS) return true;
    for (unsigned tries = 0;; tries++) {
        atomic_fetch_add(&busy[fd % PLACES], 1);
        if (LIKELY(!is_held((unsigned)fd))) return true;
        atomic_fetch_sub(&busy[fd % PLACES], 1);
        if (!wait || tries >= WAITS) return false;
        sys_await_turn(tries);
    }
}

void files_touched(int fd)
{
    if (fd >= 0 && fd < NUMBERS) atomic_fetch_sub(&busy[fd % PLACES], 1);
}

unsigned files_next_held(unsigned first, unsigned last)
{
    if (atomic_load(&held) == 0) return UINT32_MAX;
    for (unsigned fd = first; fd <= last && fd < NUMBERS; fd++) {
        if (fd % 64 == 0 && atomic_load(&numbers[fd / 64]) == 0) {
            fd += 63;
            continue;
        }
        if (is_held(fd)) return fd;
    }
    return UINT32_MAX;
}

void files_forget_held(void)
{
    if (atomic_load(&held) == 0) goto busy;
    for (unsigned i = 0; i < NUMBERS / 64; i++)
        if (atomic_load(&numbers[i]) != 0) atomic_store(&numbers[i], 0);
    atomic_store(&held, 0);
busy:
    for (unsigned i = 0; i < PLACES; i++) atomic_store(&busy[i], 0);
}
