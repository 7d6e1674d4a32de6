/* Events: the first of a kind in full, repeats counted. */
#include <string.h>

#include "events/lines.h"
#include "events/sentence.h"
#include "events/sink.h"
#include "guard/guard.h"
#include "events/events.h"
#include "libc/symbols.h"
#include "support/keyed_hash.h"
#include "support/sys.h"
#include "support/text.h"

enum { KINDS = 64, LINES_PER_INVOCATION = 512 };

/* A kind of act that was reported: enough to write its count at the invocation's end. */
struct kind {
    struct act act;
    struct fs_verdict verdict;
    struct origin origin;
    char texts[3232]; /* of the act */
};

/* Apart from each other, so that a process that reports nothing touches one page. */
static _Atomic uint64_t keys[KINDS]; /* 0: free */
static _Atomic uint32_t repeats[KINDS]; /* since the last line */
static atomic_bool filled[KINDS];
static struct kind kinds[KINDS];
static _Atomic uint32_t lines; /* in this invocation */
static _Atomic uint32_t told; /* a bit for each family that had one of them */
static _Atomic int owner; /* the pid that the table belongs to */

/* Called again before each event: a process that machine code forked got past the doors. */
void events_begin(void)
{
    int pid = sys_getpid();
    if (atomic_load(&owner) == pid) return;
    lines_begin();
    for (unsigned i = 0; i < KINDS; i++) {
        atomic_store(&keys[i], 0);
        atomic_store(&repeats[i], 0);
        atomic_store(&filled[i], false);
    }
    atomic_store(&lines, 0);
    atomic_store(&told, 0);
    atomic_store(&owner, pid);
}

/* Adds the caller without the line, so that all reads of one source by a traceback are one kind. */
static void add_caller(struct keyed_hash *hash, const struct act *act)
{
    struct symbols_object object;
    keyed_hash_text(hash, act->origin ? act->origin->package : NULL);
    if (act->origin)
        keyed_hash_text(hash, act->origin->file);
    else
        keyed_hash_text(hash, act->caller && symbols_object_of(act->caller, &object) ? object.path
                                                                                     : NULL);
}

/* Acts of one kind differ only in their time and in the caller's line. */
static uint64_t kind_key(const struct act *act, const struct fs_verdict *verdict)
{
    struct keyed_hash hash;
    keyed_hash_begin(&hash);
    keyed_hash_number(&hash, (uint64_t)act->family << 48 | (uint64_t)verdict->mode << 40 |
                                 (uint64_t)verdict->floor << 32 | verdict->rule);
    keyed_hash_number(&hash, act->port);
    for (unsigned i = 0; i < GUARD_TEXTS; i++) keyed_hash_text(&hash, act->texts[i]);
    if (UNLIKELY(verdict->outsider)) keyed_hash_text(&hash, verdict->outsider);
    add_caller(&hash, act);
    return keyed_hash_end(&hash);
}

static void fill(struct kind *kind, const struct act *act, const struct fs_verdict *verdict)
{
    static const uint16_t rooms[GUARD_TEXTS_KEPT] = {32, 1024, 1024, 256, 256,
                                                     64, 16,   32,   256, 256};
    char *to = kind->texts;
    kind->act = *act;
    kind->verdict = *verdict;
    if (act->origin) kind->origin = *act->origin;
    kind->act.origin = act->origin ? &kind->origin : NULL;
    kind->act.socket = NULL;
    for (unsigned i = 0; i < GUARD_TEXTS_KEPT; to += rooms[i++]) {
        if (!act->texts[i]) continue;
        text_copy(to, rooms[i], act->texts[i]);
        kind->act.texts[i] = to;
    }
    atomic_store_explicit(&filled[kind - kinds], true, memory_order_release);
}

/* The slot of `key`, or NULL if the table is full. `*first` if this call took the slot. */
static struct kind *claim(uint64_t key, bool *first)
{
    *first = false;
    for (unsigned i = 0; i < KINDS; i++) {
        unsigned slot = (unsigned)((key + i) % KINDS);
        uint64_t there = atomic_load(&keys[slot]);
        if (there == 0 && atomic_compare_exchange_strong(&keys[slot], &there, key)) {
            *first = true;
            return &kinds[slot];
        }
        if (there == key) return &kinds[slot];
    }
    return NULL;
}

/* The key of an `allowed` event: one for each rule. */
static uint64_t rule_key(uint32_t rule) { return 1 + (uint64_t)rule * 2; }

/* The table has the key; `full` where it has not, and no room either. */
static bool is_told(uint64_t key, bool full)
{
    for (unsigned i = 0; i < KINDS; i++) {
        uint64_t there =
            atomic_load_explicit(&keys[(unsigned)((key + i) % KINDS)], memory_order_relaxed);
        if (there == 0 || there == key) return there == key;
    }
    return full;
}

bool events_rule_is_new(uint32_t rule) { return !is_told(rule_key(rule), true); }

/* `read_handler: {quiet: [...]}`: the policy that decided lists the caller. */
static bool is_quiet(const struct act *act, const struct fs_verdict *verdict)
{
    const char *const names[] = {act->origin->distribution, act->origin->package};
    for (unsigned i = 0; i < 2; i++) {
        char name[sizeof act->origin->distribution];
        size_t size = 0;
        for (const char *at = names[i]; *at && size < sizeof name - 1; at++) {
            char c = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
            name[size++] = c == '_' || c == '.' ? '-' : c;
        }
        name[size] = '\0';
        if (fs_policy_lists(verdict->floor ? guard.floor : guard.policy, FS_LIST_QUIET, name))
            return true;
    }
    return false;
}

/* Files that X-Ray's SDK and Java create in /tmp at every start, and can do without. An alarm that
 * every function raises is ignored. */
static bool is_start_mark(const char *path)
{
    static const char xray[] = "/tmp/.aws-xray", java[] = "/tmp/hsperfdata_";
    if (strncmp(path, java, sizeof java - 1) == 0) {
        path += sizeof java - 1;
        path += strcspn(path, "/");
        return path[0] == '\0' || path[1 + strspn(path + 1, "0123456789")] == '\0';
    }
    if (strncmp(path, xray, sizeof xray - 1) != 0) return false;
    path += sizeof xray - 1;
    return path[0] == '\0' || strcmp(path, "/") == 0 || strcmp(path, "/initialized") == 0;
}

void events_report(const struct act *asked, const struct fs_verdict *verdict, char *message,
                   size_t size)
{
    /* An allowed act's caller is looked up only once for each rule, and only if the policy wants
     * it. */
    if (!guard_tells(verdict)) return;
    int error = errno;
    events_begin();
    if (verdict->mode == FS_ALLOW && is_told(rule_key(verdict->rule), false)) return;
    struct act copy = *asked, *act = &copy;
    if (!act->origin && guard.interpreted) act->origin = interpreter_origin(act);
    if (act->origin && verdict->mode != FS_ALLOW) origin_resolve(act->origin);
    if (message && size > 0) {
        struct sentence sentence;
        sentence_compose(&sentence, act, verdict, act->origin);
        text_take(message, size, sentence.bytes, sentence.size);
    }
    if ((act->family == FS_HANDLER && act->origin && is_quiet(act, verdict)) ||
        (act->family == FS_TMP && act->path && !act->to && is_start_mark(act->path))) {
        errno = error;
        return;
    }
    bool first;
    uint64_t key = kind_key(act, verdict);
    if (verdict->mode == FS_ALLOW) key = rule_key(verdict->rule);
    struct kind *kind = claim(key, &first);
    if (kind && !first) {
        if (verdict->mode != FS_ALLOW) atomic_fetch_add(&repeats[kind - kinds], 1);
    } else if (!kind && atomic_load(&lines) >= LINES_PER_INVOCATION &&
               atomic_load(&told) >> act->family & 1) {
        sink_count_lost(1);
    } else {
        atomic_fetch_add(&lines, 1);
        atomic_fetch_or(&told, 1u << act->family);
        if (act->origin) origin_resolve(act->origin);
        if (kind) fill(kind, act, verdict);
        lines_write(act, verdict, act->origin, 1, false);
    }
    errno = error;
}

bool events_report_path(enum fs_family family, const struct fs_verdict *verdict, const char *verb,
                        const char *path, const void *caller)
{
    struct act act = {
        .ring = RING_LIBC, .family = family, .verb = verb, .path = path, .caller = caller};
    events_report(&act, verdict, NULL, 0);
    if (verdict->mode == FS_BLOCK) errno = EACCES;
    return verdict->mode == FS_BLOCK;
}

bool integrity_refused(const char *verb, const char *object, const void *caller)
{
    struct fs_verdict verdict = guard_integrity();
    return verdict.mode != FS_ALLOW &&
           events_report_path(FS_INTEGRITY, &verdict, verb, object, caller);
}

/* ---- invocations ---- */

void events_invocation_ends(void)
{
    int error = errno;
    if (atomic_load(&owner) == sys_getpid()) {
        for (unsigned i = 0; i < KINDS; i++) {
            if (!atomic_load_explicit(&filled[i], memory_order_acquire)) continue;
            uint32_t count = atomic_exchange(&repeats[i], 0);
            if (count > 0)
                lines_write(&kinds[i].act, &kinds[i].verdict, kinds[i].act.origin, count, true);
        }
        atomic_store(&lines, 0);
        atomic_store(&told, 0);
    }
    sink_flush_last();
    errno = error;
}
