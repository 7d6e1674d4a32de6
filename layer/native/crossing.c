/* Threads that look, and then act. See crossing.h. */
#include "crossing.h"

#include <string.h>

#include "pending.h"
#include "sys.h"

enum { TRIES = SYS_SPINS + 20000 };

_Atomic uint64_t crossing_places[CROSSING_PLACES];
_Atomic uint32_t crossing_claims;
__thread uint32_t crossing_thread __attribute__((tls_model("initial-exec")));

static _Atomic uint32_t crowd; /* who found no place */
static __thread uint8_t claiming __attribute__((tls_model("initial-exec"))); /* a handler that interrupts who waits does not wait for him */

/* `*nested`: this thread is at work already, in a door that calls this one or that a handler interrupted. */
static unsigned take_place(uint64_t word, bool *nested)
{
    unsigned start = crossing_place();
    for (unsigned i = 0; i < CROSSING_PLACES; i++) {
        uint64_t unused = 0;
        unsigned place = (start + i) % CROSSING_PLACES;
        if (atomic_compare_exchange_strong(&crossing_places[place], &unused, word)) return place;
        if ((uint32_t)(unused >> 32) == crossing_thread) *nested = true;
    }
    /* A thread that was cancelled at work gives nothing back. */
    for (unsigned place = 0; place < CROSSING_PLACES; place++) {
        uint64_t left = atomic_load(&crossing_places[place]);
        if (sys_call(SYS_tkill, (uint32_t)(left >> 32), 0) == -ESRCH && atomic_compare_exchange_strong(&crossing_places[place], &left, word))
            return place;
    }
    atomic_fetch_add(&crowd, 1);
    return CROSSING_CROWD;
}

unsigned crossing_begins_slowly(int fd)
{
    if (crossing_thread == 0) crossing_thread = (uint32_t)sys_call(SYS_gettid);
    uint64_t word = (uint64_t)crossing_thread << 32 | ((uint32_t)fd + 1);
    for (unsigned tries = 0;; tries++) {
        bool nested = false;
        unsigned place = take_place(word, &nested);
        /* Who claims may be waiting for what was begun before, and that goes on only after this. */
        if (atomic_load(&crossing_claims) == 0 || claiming > 0 || nested) return place;
        /* Longer than who claims waits for anybody: he was interrupted, and never came back. */
        if (tries >= 3 * TRIES) {
            atomic_store(&crossing_claims, 0);
            return place;
        }
        crossing_ends(place);
        sys_await_turn(tries);
    }
}

void crossing_ends_slowly(void) { atomic_fetch_sub(&crowd, 1); }

/* The thread has ended, or sleeps in the kernel: there it has the file that its number led to. One who was interrupted before
 * he got there, by a handler that sleeps, is taken for that: a listed limit of machine code. */
static bool is_beyond(uint32_t thread)
{
    char path[48] = "/proc/self/task/", text[128];
    if (sys_call(SYS_tkill, thread, 0) == -ESRCH) return true;
    size_t at = strlen(path), digits = 1;
    for (uint32_t rest = thread; rest >= 10; rest /= 10) digits++;
    for (size_t i = digits; i-- > 0; thread /= 10) path[at + i] = (char)('0' + thread % 10);
    memcpy(path + at + digits, "/stat", sizeof "/stat");
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return false;
    long size = sys_read(fd, text, sizeof text);
    sys_close(fd);
    while (size > 0 && text[size - 1] != ')') size--; /* a name may have brackets too */
    return size > 0 && (size_t)size + 1 < sizeof text && text[size] == ' ' && text[size + 1] == 'S';
}

/* False where whoever is at this place stays there. */
static bool await(unsigned place, uint64_t word)
{
    enum { LOOKS = 20 };
    for (unsigned tries = 0; tries < TRIES; tries++) {
        if (atomic_load(&crossing_places[place]) != word) return true;
        if (tries >= SYS_SPINS && tries % LOOKS == 0 && is_beyond((uint32_t)(word >> 32))) return true;
        sys_await_turn(tries);
    }
    return false;
}

static bool await_crowd(void)
{
    for (unsigned tries = 0; tries < TRIES; tries++) {
        if (atomic_load(&crowd) == 0) return true;
        sys_await_turn(tries);
    }
    return false;
}

/* `cookie` 0: whoever is at `number`; else whoever is at a number of that socket. */
static bool await_all(int number, uint64_t cookie)
{
    if (!await_crowd()) return false;
    for (unsigned place = 0; place < CROSSING_PLACES; place++) {
        uint64_t word = atomic_load(&crossing_places[place]);
        if (word == 0 || (uint32_t)(word >> 32) == crossing_thread) continue;
        int at = (int)((uint32_t)word - 1);
        if (cookie != 0 ? pending_cookie(at) != cookie : at != number) continue;
        if (!await(place, word)) return false;
    }
    return true;
}

static void claim(void)
{
    if (crossing_thread == 0) crossing_thread = (uint32_t)sys_call(SYS_gettid);
    claiming++;
    atomic_fetch_add(&crossing_claims, 1);
}

void crossing_releases(void)
{
    uint32_t claims = atomic_load(&crossing_claims);
    while (claims > 0 && !atomic_compare_exchange_strong(&crossing_claims, &claims, claims - 1)) {
    }
    claiming--;
}

bool crossing_claims_number(int number)
{
    claim();
    if (await_all(number, 0)) return true;
    crossing_releases();
    return false;
}

bool crossing_awaits_socket(uint64_t cookie)
{
    claim();
    bool alone = await_all(-1, cookie);
    crossing_releases();
    return alone;
}

void crossing_forked(void)
{
    for (unsigned place = 0; place < CROSSING_PLACES; place++) atomic_store(&crossing_places[place], 0);
    atomic_store(&crowd, 0);
    atomic_store(&crossing_claims, 0);
    crossing_thread = 0;
    claiming = 0;
}
