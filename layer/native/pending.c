/* The table of connections whose bytes are still looked at. See pending.h. */
#include "pending.h"

#include <string.h>
#include <sys/socket.h>

#include "sys.h"
#include "turn.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

enum { SLOTS = 1024, WINDOW = 32 };

_Atomic uint32_t pending_count;
_Atomic uint32_t pending_moves_begun, pending_moves_ended;

static _Atomic uint64_t cookies[SLOTS]; /* apart, so that a search touches little */
static struct pending entries[SLOTS];   /* in the lock's care */
static uint32_t serial;                 /* in the lock's care */
static struct turn table;
static __thread bool at_table __attribute__((tls_model("initial-exec")));
static _Atomic int owner;               /* the process whose table it is; 0: not yet said */

uint64_t pending_cookie(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    return sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

static bool lock(void) { return turn_take(&table, &at_table); }

static void unlock(void) { turn_give(&table, &at_table); }

static unsigned start_of(uint64_t cookie) { return (unsigned)(cookie * 0x9e3779b97f4a7c15u >> 54) % SLOTS; }

/* The slot of `cookie`, SLOTS where it has none. */
static unsigned slot_of(uint64_t cookie)
{
    unsigned start = start_of(cookie);
    for (unsigned i = 0; i < WINDOW; i++) {
        unsigned slot = (start + i) % SLOTS;
        if (atomic_load_explicit(&cookies[slot], memory_order_acquire) == cookie) return slot;
    }
    return SLOTS;
}

static void empty(unsigned slot)
{
    memset(&entries[slot], 0, sizeof entries[slot]);
    atomic_store_explicit(&cookies[slot], 0, memory_order_release);
    atomic_fetch_sub(&pending_count, 1);
}

bool pending_find(uint64_t cookie, struct pending *out)
{
    if (cookie == 0 || slot_of(cookie) == SLOTS) return false;
    if (!lock()) {
        /* Somebody is stuck at the table: what is known is that it is in there. */
        memset(out, 0, sizeof *out);
        out->kind = PENDING_STRANGER;
        return true;
    }
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS) *out = entries[slot];
    unlock();
    return slot < SLOTS;
}

/* ---- room ---- */

bool pending_each_descriptor(void (*visit)(void *context, int fd), void *context)
{
    struct entry {
        uint64_t ino, off;
        unsigned short size;
        unsigned char type;
        char name[];
    };
    char bytes[2048] __attribute__((aligned(8)));
    int folder = sys_openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder < 0) return false;
    long got;
    while ((got = sys_call(SYS_getdents64, folder, bytes, sizeof bytes)) > 0) {
        for (long at = 0; at < got;) {
            const struct entry *entry = (const struct entry *)(const void *)(bytes + at);
            int fd = 0;
            const char *digit = entry->name;
            while (*digit >= '0' && *digit <= '9' && fd < 1 << 26) fd = fd * 10 + (*digit++ - '0');
            if (digit > entry->name && *digit == '\0' && fd != folder) visit(context, fd);
            at += entry->size;
        }
    }
    sys_close(folder);
    return got == 0;
}

struct alive {
    uint64_t cookies[WINDOW];
    bool found[WINDOW];
};

static void mark_alive(void *context, int fd)
{
    struct alive *alive = context;
    uint64_t cookie = pending_cookie(fd);
    for (unsigned i = 0; cookie != 0 && i < WINDOW; i++)
        if (alive->cookies[i] == cookie) alive->found[i] = true;
}

/* Looks for them. False where that cannot be told: a descriptor that is moved while the folder is read can be missed, at the
 * number that it had and at the one that it gets. */
static bool look_for(struct alive *alive)
{
    enum { WALKS = 4 };
    for (unsigned walks = 0; walks < WALKS; walks++) {
        uint32_t ended = atomic_load(&pending_moves_ended), begun = atomic_load(&pending_moves_begun);
        if (!pending_each_descriptor(mark_alive, alive)) return false;
        if (begun == ended && begun == atomic_load(&pending_moves_begun)) return true;
    }
    return false;
}

/* Takes out of a full window what no descriptor of this process leads to any more. */
static void make_room(unsigned start)
{
    struct alive alive = {0};
    if (atomic_load(&owner) != sys_getpid()) return;
    for (unsigned i = 0; i < WINDOW; i++) alive.cookies[i] = atomic_load(&cookies[(start + i) % SLOTS]);
    if (!look_for(&alive)) return;
    for (unsigned i = 0; i < WINDOW; i++) {
        unsigned slot = (start + i) % SLOTS;
        if (alive.cookies[i] == 0 || alive.found[i]) continue;
        if (atomic_load(&cookies[slot]) == alive.cookies[i] && !entries[slot].busy && !entries[slot].passed)
            empty(slot);
    }
}

/* In the lock's care: a slot for `cookie`, SLOTS where there is no room. */
static unsigned slot_for(uint64_t cookie)
{
    int unsaid = 0;
    atomic_compare_exchange_strong(&owner, &unsaid, sys_getpid());
    unsigned start = start_of(cookie);
    for (unsigned tries = 0; tries < 2; tries++) {
        for (unsigned i = 0; i < WINDOW; i++)
            if (atomic_load(&cookies[(start + i) % SLOTS]) == 0) return (start + i) % SLOTS;
        if (tries == 0) make_room(start);
    }
    return SLOTS;
}

/* In the lock's care: 0 is no serial. */
static uint32_t next_serial(void)
{
    if (++serial == 0) serial = 1;
    return serial;
}

static void fill(unsigned slot, uint64_t cookie, const struct pending *entry)
{
    entries[slot] = *entry;
    entries[slot].busy = false;
    entries[slot].serial = next_serial();
    atomic_fetch_add(&pending_count, 1);
    atomic_store_explicit(&cookies[slot], cookie, memory_order_release);
}

bool pending_put(uint64_t cookie, const struct pending *entry)
{
    if (cookie == 0 || !lock()) return false;
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS) {
        bool busy = entries[slot].busy, passed = entries[slot].passed;
        entries[slot] = *entry;
        entries[slot].busy = busy;
        entries[slot].passed = passed;
        entries[slot].serial = next_serial();
    } else if ((slot = slot_for(cookie)) < SLOTS) {
        fill(slot, cookie, entry);
    }
    unlock();
    return slot < SLOTS;
}

bool pending_put_new(uint64_t cookie, const struct pending *entry, uint32_t *put)
{
    *put = 0;
    if (cookie == 0 || !lock()) return false;
    unsigned slot = slot_of(cookie);
    if (slot == SLOTS && (slot = slot_for(cookie)) < SLOTS) {
        fill(slot, cookie, entry);
        *put = serial;
    }
    unlock();
    return slot < SLOTS;
}

void pending_take_back(uint64_t cookie, uint32_t put)
{
    if (put == 0 || !lock()) return;
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS && entries[slot].serial == put && !entries[slot].busy) empty(slot);
    unlock();
}

/* ---- one at a time ---- */

bool pending_take(uint64_t cookie, struct pending *out)
{
    memset(out, 0, sizeof *out);
    if (!lock()) {
        out->busy = true;
        return false;
    }
    unsigned slot = slot_of(cookie);
    bool taken = slot < SLOTS && !entries[slot].busy;
    if (slot < SLOTS) *out = entries[slot];
    if (taken) entries[slot].busy = true;
    unlock();
    return taken;
}

void pending_give(uint64_t cookie, const struct pending *entry)
{
    /* Somebody is stuck at the table: it stays busy, and others are refused. */
    if (!lock()) return;
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS && entries[slot].serial != entry->serial) {
        entries[slot].busy = false; /* connected anew meanwhile: what was sent says nothing of that */
    } else if (slot < SLOTS && entry->kind == PENDING_FREE) {
        empty(slot);
    } else if (slot < SLOTS) {
        bool passed = entries[slot].passed;
        entries[slot] = *entry;
        entries[slot].busy = false;
        entries[slot].passed = passed;
    }
    unlock();
}

void pending_remove(uint64_t cookie)
{
    if (cookie == 0 || !lock()) return;
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS) empty(slot);
    unlock();
}

/* ---- the life of a socket ---- */

void pending_forked(void)
{
    atomic_store(&owner, sys_getpid());
    turn_reset(&table, &at_table);
    atomic_store(&pending_moves_ended, atomic_load(&pending_moves_begun)); /* by threads that are not here */
    for (unsigned slot = 0; pending_any() && slot < SLOTS; slot++) {
        if (atomic_load(&cookies[slot]) == 0) continue;
        struct pending *entry = &entries[slot];
        entry->busy = false;
        if (entry->kind == PENDING_HTTP || entry->kind == PENDING_PROXY) entry->kind = PENDING_STRANGER;
    }
}

void pending_closed(uint64_t cookie)
{
    unsigned slot = cookie != 0 ? slot_of(cookie) : SLOTS;
    if (slot == SLOTS || atomic_load(&owner) != sys_getpid()) return;
    /* It may have other numbers; in other processes, their tables have it. */
    struct alive alive = {.cookies = {cookie}};
    if (!look_for(&alive) || alive.found[0] || !lock()) return;
    slot = slot_of(cookie);
    if (slot < SLOTS && !entries[slot].busy && !entries[slot].passed) empty(slot);
    unlock();
}

void pending_passed(uint64_t cookie)
{
    if (cookie == 0 || !lock()) return;
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS) entries[slot].passed = true;
    unlock();
}
