/* The table of connections whose bytes are still inspected. See pending.h. */
#include "network/first_bytes/pending.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "guard/guard.h"
#include "support/lock.h"
#include "support/folder.h"
#include "support/hints.h"
#include "support/sys.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

enum { SLOTS = 1024, WINDOW = 32 };

_Atomic uint32_t pending_hearing;
_Atomic uint32_t pending_moves_begun, pending_moves_ended;
static _Atomic uint32_t walks_now; /* threads that list this process's fds */
static _Atomic uint32_t moves_seen; /* moves of sockets in the table that ended during a walk */

static _Atomic uint64_t cookies[SLOTS]; /* apart, so that a search touches little memory */
static struct pending entries[SLOTS]; /* guarded by the lock */
static uint32_t serial; /* guarded by the lock */
LOCK(table);
static _Atomic int owner; /* the process that the table belongs to; 0: not set yet */

uint64_t pending_cookie(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    return sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

static bool lock(void) { return lock_take(&table); }

static void unlock(void) { lock_give(&table); }

static unsigned start_of(uint64_t cookie)
{
    return (unsigned)(cookie * 0x9e3779b97f4a7c15u >> 54) % SLOTS;
}

/* The slot of `cookie`, SLOTS if it has none. */
static unsigned slot_of(uint64_t cookie)
{
    unsigned start = start_of(cookie);
    for (unsigned i = 0; i < WINDOW; i++) {
        unsigned slot = (start + i) % SLOTS;
        if (atomic_load_explicit(&cookies[slot], memory_order_acquire) == cookie) return slot;
    }
    return SLOTS;
}

/* ---- bytes that have not left ---- */

static _Atomic uint32_t rests;

uint8_t *pending_rest_new(void)
{
    uint8_t *rest =
        atomic_fetch_add(&rests, 1) < PENDING_RESTS ? sys_scratch(PENDING_REST_MAX) : NULL;
    if (rest == NULL) atomic_fetch_sub(&rests, 1);
    return rest;
}

void pending_rest_free(struct pending *entry)
{
    if (entry->rest != NULL) {
        sys_scratch_free(entry->rest, PENDING_REST_MAX);
        atomic_fetch_sub(&rests, 1);
    }
    entry->rest = NULL;
    entry->rest_size = entry->rest_out = 0;
}

/* ---- the table: hold the lock ---- */

/* Replaces the entry. Keeps the fields that belong to the socket, not to the connection. */
static void replace(unsigned slot, const struct pending *entry, bool busy)
{
    struct pending *kept = &entries[slot];
    bool passed = kept->passed, heard = pending_hears(kept);
    if (kept->rest != entry->rest) pending_rest_free(kept);
    *kept = *entry;
    kept->busy = busy;
    kept->passed = passed;
    if (pending_hears(kept) != heard) atomic_fetch_add(&pending_hearing, heard ? -1u : 1u);
}

static void empty(unsigned slot)
{
    if (pending_hears(&entries[slot])) atomic_fetch_sub(&pending_hearing, 1);
    pending_rest_free(&entries[slot]);
    memset(&entries[slot], 0, sizeof entries[slot]);
    atomic_store_explicit(&cookies[slot], 0, memory_order_release);
    atomic_fetch_sub(&guard_fd_watches, GUARD_PENDING);
}

bool pending_find(uint64_t cookie, struct pending *out)
{
    if (cookie == 0 || slot_of(cookie) == SLOTS) return false;
    if (!lock()) {
        /* The lock timed out. All that is known is that the table has the cookie. */
        memset(out, 0, sizeof *out);
        out->kind = PENDING_UNKNOWN;
        return true;
    }
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS) *out = entries[slot];
    unlock();
    return slot < SLOTS;
}

/* ---- room ---- */

bool pending_each_fd(void (*visit)(void *context, int fd), void *context)
{
    char bytes[2048] __attribute__((aligned(8)));
    struct folder folder = FOLDER_AT("/proc/self/fd", bytes);
    if (folder.fd < 0) return false;
    for (const char *name; (name = folder_next(&folder)) != NULL;) {
        int fd = folder_id(name);
        if (fd >= 0 && fd != folder.fd) visit(context, fd);
    }
    sys_close(folder.fd);
    return folder.size == 0;
}

void pending_every_fd(void (*visit)(void *context, int fd), void *context)
{
    enum { FDS = 1 << 20 };
    if (pending_each_fd(visit, context)) return;
    /* No fd is left to read the folder with. */
    for (int fd = 0; fd < FDS; fd++) visit(context, fd);
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

void pending_move_ends(int copy)
{
    /* A walk that begins after this load finds the copy at its fd. */
    if (UNLIKELY(atomic_load(&walks_now) > 0) && copy >= 0) {
        uint64_t cookie = 0;
        socklen_t size = sizeof cookie;
        long error = sys_call(SYS_getsockopt, copy, SOL_SOCKET, SO_COOKIE, &cookie, &size);
        /* It was closed or replaced already, and may have been any file. */
        if (error == 0 ? slot_of(cookie) < SLOTS : error != -ENOTSOCK)
            atomic_fetch_add(&moves_seen, 1);
    }
    atomic_fetch_add(&pending_moves_ended, 1);
}

void pending_moves_unseen(void)
{
    atomic_fetch_add(&moves_seen, 1);
    atomic_fetch_add(&pending_moves_ended, 1);
}

/* Waits for a moment at which no fd is being moved: at most 20 ms, or a few tries. A thread may
 * have been preempted in the middle of a move. */
static bool moves_rest(bool patient)
{
    enum { TRIES = 200, HASTY_TRIES = 8 };
    for (unsigned tries = 0; tries < (patient ? TRIES : HASTY_TRIES); tries++) {
        uint32_t ended = atomic_load(&pending_moves_ended);
        if (ended == atomic_load(&pending_moves_begun)) return true;
        if (patient)
            lock_pause(SYS_SPINS);
        else
            sys_call(SYS_sched_yield);
    }
    return false;
}

/* Searches the fds of this process for the cookies. Returns false if the result is not certain: an
 * fd that is moved while the folder is read can be missed at both places. Moves of other files do
 * not matter: each move that ends during the walk tells which file it was. */
static bool look_for(struct alive *alive, bool patient)
{
    enum { WALKS = 4 };
    bool told = false;
    atomic_fetch_add(&walks_now, 1);
    for (unsigned walks = 0; walks < WALKS && !told; walks++) {
        uint32_t seen = atomic_load(&moves_seen);
        if (!pending_each_fd(mark_alive, alive)) break;
        if (!moves_rest(patient)) break;
        told = seen == atomic_load(&moves_seen);
    }
    atomic_fetch_sub(&walks_now, 1);
    return told;
}

/* Removes from a full window the entries whose sockets have no fd in this process any more. */
static void make_room(unsigned start)
{
    struct alive alive = {0};
    if (atomic_load(&owner) != sys_getpid()) return;
    for (unsigned i = 0; i < WINDOW; i++)
        alive.cookies[i] = atomic_load(&cookies[(start + i) % SLOTS]);
    if (!look_for(&alive, true)) return;
    for (unsigned i = 0; i < WINDOW; i++) {
        unsigned slot = (start + i) % SLOTS;
        if (alive.cookies[i] == 0 || alive.found[i]) continue;
        if (atomic_load(&cookies[slot]) == alive.cookies[i] && !entries[slot].busy) empty(slot);
    }
}

/* Hold the lock. A slot for `cookie`, SLOTS if there is no room. */
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

/* Hold the lock. 0 is not a serial. */
static uint32_t next_serial(void)
{
    if (++serial == 0) serial = 1;
    return serial;
}

static void fill(unsigned slot, uint64_t cookie, const struct pending *entry)
{
    replace(slot, entry, false);
    entries[slot].passed = entry->passed;
    entries[slot].serial = next_serial();
    atomic_fetch_add(&guard_fd_watches, GUARD_PENDING);
    atomic_store_explicit(&cookies[slot], cookie, memory_order_release);
}

bool pending_put(uint64_t cookie, const struct pending *entry)
{
    if (cookie == 0 || !lock()) return false;
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS) {
        replace(slot, entry, entries[slot].busy);
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

/* ---- one sender at a time ---- */

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
    if (taken) {
        entries[slot].busy = true;
        entries[slot].rest = NULL; /* the taker owns it */
    }
    unlock();
    return taken;
}

void pending_give(uint64_t cookie, const struct pending *entry)
{
    struct pending given = *entry;
    /* The lock timed out: the entry stays busy, and other senders are refused. */
    if (!lock()) {
        pending_rest_free(&given);
        return;
    }
    unsigned slot = slot_of(cookie);
    if (given.rest_size == 0 || slot == SLOTS || entries[slot].serial != given.serial ||
        given.kind == PENDING_FREE)
        pending_rest_free(&given);
    if (slot < SLOTS && entries[slot].serial != given.serial) {
        entries[slot].busy =
            false; /* it was connected again in between: what was sent is not about it */
    } else if (slot < SLOTS && given.kind == PENDING_FREE) {
        empty(slot);
    } else if (slot < SLOTS) {
        given.deaf = given.deaf || entries[slot].deaf;
        replace(slot, &given, false);
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
    /* The child does not have the threads that were moving and walking. */
    atomic_store(&pending_moves_ended, atomic_load(&pending_moves_begun));
    atomic_store(&walks_now, 0);
    for (unsigned slot = 0; guard_has_pending() && slot < SLOTS; slot++) {
        if (atomic_load(&cookies[slot]) == 0) continue;
        struct pending *entry = &entries[slot];
        struct pending now = *entry;
        switch (now.kind) {
        case PENDING_HTTP:
        case PENDING_PROXY:
        case PENDING_ASKED:
        case PENDING_TUNNEL_HTTP: now.kind = PENDING_UNKNOWN; break;
        case PENDING_PERMITTED: now.permits = 0; break;
        default:
            /* Half a greeting was sent. The rest is in the table, or with a thread that the
             * child does not have. */
            if (now.rest_size > 0 || now.busy) now.kind = PENDING_UNKNOWN;
        }
        now.rest = NULL;
        now.rest_size = now.rest_out = 0;
        replace(slot, &now, false);
    }
    atomic_store(&rests, 0); /* includes those of threads that the child does not have */
}

void pending_deafen(uint64_t cookie)
{
    if (cookie == 0 || !lock()) return;
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS) entries[slot].deaf = true;
    unlock();
}

bool pending_closed(uint64_t cookie, struct pending *out)
{
    unsigned slot = cookie != 0 ? slot_of(cookie) : SLOTS;
    if (slot == SLOTS || atomic_load(&owner) != sys_getpid()) return false;
    /* The socket may have other fds here. For fds in other processes, their own tables count. */
    struct alive alive = {.cookies = {cookie}};
    if (!look_for(&alive, false) || alive.found[0] || !lock()) return false;
    slot = slot_of(cookie);
    bool unsent = false;
    if (slot < SLOTS && !entries[slot].busy) {
        *out = entries[slot];
        unsent = out->rest_size > 0;
        empty(slot);
        out->rest = NULL;
    }
    unlock();
    return unsent;
}

void pending_passed(uint64_t cookie)
{
    if (cookie == 0 || !lock()) return;
    unsigned slot = slot_of(cookie);
    if (slot < SLOTS) entries[slot].passed = true;
    unlock();
}
