/* Addresses learnt from lookups. */
#include "network/names/learnt.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "support/lock.h"
#include "support/sys.h"

struct entry {
    _Atomic uint64_t announced; /* see learnt_announcement */
    _Atomic uint32_t sequence; /* odd while the entry is written */
    uint8_t version; /* 0: free */
    uint8_t length;
    uint32_t seconds; /* CLOCK_BOOTTIME */
    uint8_t ip[16];
    char name[LEARNT_NAME_MAX + 1];
};

enum { RENEWED = 30 }; /* seconds */

static struct entry table[LEARNT_ENTRIES];
LOCK(writing);

enum {
    TRIES = 2000
}; /* 0.1 to 0.2 s: a signal handler may have interrupted the writer on the same thread */

static uint32_t now(void)
{
    struct timespec time = {0};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (uint32_t)time.tv_sec;
}

static unsigned slot_of(const uint8_t ip[16], uint8_t version)
{
    uint32_t hash = 2166136261u ^ version;
    for (unsigned i = 0; i < (version == 4 ? 4u : 16u); i++) hash = (hash ^ ip[i]) * 16777619u;
    return (hash ^ hash >> 16) % LEARNT_ENTRIES;
}

static bool is_about(const struct entry *entry, const uint8_t ip[16], uint8_t version)
{
    return entry->version == version && memcmp(entry->ip, ip, 16) == 0;
}

/* Voids entries that another writer left half-written. */
static void clear_halves(void)
{
    for (unsigned i = 0; i < LEARNT_ENTRIES; i++) {
        uint32_t sequence = atomic_load_explicit(&table[i].sequence, memory_order_relaxed);
        if (sequence % 2 == 0) continue;
        table[i].version = 0;
        atomic_store_explicit(&table[i].sequence, sequence + 1, memory_order_release);
    }
}

void learnt_forked(void)
{
    if (atomic_load(&writing.holder) != 0)
        clear_halves(); /* the writing thread exists in the parent only */
}

void learnt_forget(void)
{
    if (!lock_take(&writing)) return;
    for (unsigned i = 0; i < LEARNT_ENTRIES; i++) {
        if (table[i].version == 0) continue;
        atomic_fetch_add(&table[i].sequence, 1);
        table[i].version = 0;
        atomic_fetch_add(&table[i].sequence, 1);
    }
    lock_give(&writing);
}

/* Copies the name of `entry` if the entry is for this address. Returns false if it is not, is too
 * old, or is being written. */
static bool read_entry(const struct entry *entry, const uint8_t ip[16], uint8_t version,
                       uint32_t time, char *name)
{
    for (unsigned tries = 0; tries < TRIES; tries++) {
        uint32_t sequence = atomic_load_explicit(&entry->sequence, memory_order_acquire);
        if (sequence == 0) return false;
        if (sequence % 2 != 0) {
            lock_pause(tries);
            continue;
        }
        bool match = is_about(entry, ip, version) && time - entry->seconds < LEARNT_SECONDS;
        unsigned length = entry->length;
        if (match && length <= LEARNT_NAME_MAX) {
            memcpy(name, entry->name, length);
            name[length] = '\0';
        }
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&entry->sequence, memory_order_relaxed) == sequence) return match;
    }
    return false;
}

static void find(const uint8_t ip[16], uint8_t version, uint32_t time, struct learnt_names *names)
{
    names->count = 0;
    names->announced = false;
    unsigned start = slot_of(ip, version);
    for (unsigned i = 0; i < LEARNT_WINDOW; i++) {
        const struct entry *entry = &table[(start + i) % LEARNT_ENTRIES];
        if (!read_entry(entry, ip, version, time, names->bytes[names->count])) continue;
        names->names[names->count] = names->bytes[names->count];
        names->announcements[names->count] =
            atomic_load_explicit(&entry->announced, memory_order_relaxed);
        if (names->announcements[names->count] != 0) names->announced = true;
        names->count++;
    }
}

void learnt_find(const uint8_t ip[16], uint8_t version, struct learnt_names *names)
{
    find(ip, version, now(), names);
}

/* Programs look the same name up again and again: what was learnt a moment ago needs no lock. */
static bool is_new(const uint8_t ip[16], uint8_t version, const char *name, uint64_t announcement,
                   uint32_t time)
{
    struct learnt_names known;
    find(ip, version, time + LEARNT_SECONDS - RENEWED, &known);
    for (unsigned i = 0; i < known.count; i++)
        if (strcmp(known.names[i], name) == 0 && known.announcements[i] == announcement)
            return false;
    return true;
}

void learnt_add(const uint8_t ip[16], uint8_t version, const char *name, uint64_t announcement)
{
    size_t length = strnlen(name, LEARNT_NAME_MAX + 1);
    if (length == 0 || length > LEARNT_NAME_MAX || (version != 4 && version != 6)) return;
    uint32_t time = now();
    if (!is_new(ip, version, name, announcement, time) || !lock_take(&writing)) return;
    unsigned start = slot_of(ip, version);
    struct entry *chosen = NULL;
    for (unsigned i = 0; i < LEARNT_WINDOW; i++) {
        struct entry *entry = &table[(start + i) % LEARNT_ENTRIES];
        if (is_about(entry, ip, version) && entry->length == length &&
            memcmp(entry->name, name, length) == 0) {
            chosen = entry;
            break;
        }
        if (chosen == NULL ||
            (chosen->version != 0 && (entry->version == 0 || entry->seconds < chosen->seconds)))
            chosen = entry;
    }
    uint32_t sequence = atomic_load_explicit(&chosen->sequence, memory_order_relaxed);
    atomic_store_explicit(&chosen->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    memcpy(chosen->ip, ip, 16);
    memcpy(chosen->name, name, length);
    chosen->name[length] = '\0';
    chosen->length = (uint8_t)length;
    chosen->version = version;
    chosen->seconds = time;
    atomic_store_explicit(&chosen->announced, announcement, memory_order_relaxed);
    atomic_store_explicit(&chosen->sequence, sequence + 2, memory_order_release);
    lock_give(&writing);
}

uint64_t learnt_announcement(uint16_t port, uint32_t package)
{
    return (uint64_t)package << 32 | ((uint32_t)port + 1);
}

static bool covers(uint64_t announcement, uint16_t port, uint32_t package)
{
    uint32_t whose = (uint32_t)(announcement >> 32);
    return (uint32_t)announcement == (uint32_t)port + 1 &&
           (package == 0 || whose == 0 || whose == package);
}

bool learnt_is_announced(const struct learnt_names *names, uint16_t port, uint32_t package)
{
    for (unsigned i = 0; i < names->count; i++)
        if (covers(names->announcements[i], port, package)) return true;
    return false;
}

bool learnt_take_announced(const uint8_t ip[16], uint8_t version, uint16_t port, uint32_t package)
{
    char name[LEARNT_NAME_MAX + 1];
    bool taken = false;
    uint32_t time = now();
    unsigned start = slot_of(ip, version);
    for (unsigned i = 0; i < LEARNT_WINDOW; i++) {
        struct entry *entry = &table[(start + i) % LEARNT_ENTRIES];
        uint64_t wanted = atomic_load_explicit(&entry->announced, memory_order_relaxed);
        if (covers(wanted, port, package) && read_entry(entry, ip, version, time, name) &&
            atomic_compare_exchange_strong_explicit(&entry->announced, &wanted, 0,
                                                    memory_order_relaxed, memory_order_relaxed))
            taken = true;
    }
    return taken;
}
