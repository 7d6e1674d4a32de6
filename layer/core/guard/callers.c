/* Whose code is on the stack of an act. See callers.h. */
#include "guard/callers.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "guard/guard.h"
#include "policy/only_for.h"
#include "support/keyed_hash.h"

bool callers_matter;

void callers_start(void)
{
    const struct fs_policy *policies[] = {guard.policy, guard.floor};
    for (unsigned i = 0; i < 2; i++)
        if (policies[i] && policies[i]->features & FS_FEATURE_ONLY_FOR) callers_matter = true;
}

/* ---- names ---- */

static char names[CALLERS_MAX][CALLERS_NAME];
enum { FREE, TAKEN, WRITTEN };
static _Atomic uint8_t states[CALLERS_MAX];

uint64_t callers_bit(const char *name)
{
    size_t size = strnlen(name, CALLERS_NAME);
    if (size == 0 || size == CALLERS_NAME) return CALLERS_UNKNOWN;
    for (unsigned i = CALLERS_FIRST; i < CALLERS_MAX; i++) {
        uint8_t state = FREE;
        if (atomic_compare_exchange_strong(&states[i], &state, TAKEN)) {
            memcpy(names[i], name, size + 1);
            atomic_store_explicit(&states[i], WRITTEN, memory_order_release);
            return UINT64_C(1) << i;
        }
        /* If two threads add the same name at once, it gets two bits. */
        if (atomic_load_explicit(&states[i], memory_order_acquire) == WRITTEN &&
            strcmp(names[i], name) == 0)
            return UINT64_C(1) << i;
    }
    return CALLERS_UNKNOWN;
}

struct fs_callers callers_list(uint64_t set, const char *out[CALLERS_MAX])
{
    struct fs_callers callers = {.names = out, .requires = distribution_requires};
    for (unsigned i = CALLERS_FIRST; i < CALLERS_MAX; i++)
        if (set & UINT64_C(1) << i) out[callers.count++] = names[i];
    if (set & CALLERS_FUNCTION) out[callers.count++] = ONLY_FOR_FUNCTION;
    if (set & CALLERS_UNKNOWN) out[callers.count++] = ONLY_FOR_UNKNOWN;
    return callers;
}

/* ---- the act that this thread is in the middle of ---- */

static __thread struct {
    uint64_t object, set; /* of the event, and of the act's door, where `lasts` */
    uint64_t forks, child; /* at the fork; in its child until Python runs there. 0: none */
    bool lasts, used; /* `used`: by the door that runs */
} noted __attribute__((tls_model("initial-exec")));

static uint64_t object_of(const struct fs_request *request)
{
    struct keyed_hash hash;
    keyed_hash_begin(&hash);
    keyed_hash_number(&hash, (uint64_t)request->family << 32 | (uint64_t)request->ip_version << 16 |
                                 request->port);
    if (request->ip_version != 0)
        keyed_hash_bytes(&hash, request->ip, sizeof request->ip);
    else
        keyed_hash_text(&hash, request->path             ? request->path
                               : request->name_count > 0 ? request->names[0]
                                                         : NULL);
    return keyed_hash_end(&hash);
}

uint64_t callers_of(const struct fs_request *request)
{
    int error = errno;
    uint64_t object = object_of(request), set;
    if (interpreter_callers(&set)) {
        noted.object = object;
        noted.set = set;
        noted.lasts = false;
        noted.child = 0;
    } else if (noted.child != 0) {
        set = noted.child;
    } else {
        set = interpreter_callers_of(request->caller);
        if (set & CALLERS_UNKNOWN && noted.lasts && noted.object == object) {
            set = noted.set;
            noted.used = true;
        }
    }
    errno = error;
    return set | CALLERS_KNOWN;
}

void callers_keep(void)
{
    noted.lasts = true;
    noted.used = false;
}

void callers_opened(void)
{
    if (noted.used) noted.lasts = noted.used = false;
}

void callers_forget(void)
{
    noted.lasts = false;
    noted.child = 0;
}

void callers_fork(const void *caller)
{
    uint64_t set;
    noted.forks = interpreter_callers(&set) ? 0 : interpreter_callers_of(caller) | CALLERS_KNOWN;
}

/* ---- threads ---- */

__thread uint64_t callers_of_starter __attribute__((tls_model("initial-exec")));

enum { STARTS = 64 };
static struct start {
    void *(*run)(void *);
    void *argument;
    uint64_t set;
    _Atomic uint8_t taken;
} starts[STARTS];

static void *begin(void *argument)
{
    struct start *start = argument;
    struct start own = {.run = start->run, .argument = start->argument, .set = start->set};
    atomic_store(&start->taken, FREE);
    callers_of_starter = own.set;
    return own.run(own.argument);
}

void callers_wrap_thread(void *(**run)(void *), void **argument)
{
    uint64_t set;
    if (!interpreter_callers(&set)) return;
    for (unsigned i = 0; i < STARTS; i++) {
        uint8_t state = FREE;
        if (!atomic_compare_exchange_strong(&starts[i].taken, &state, TAKEN)) continue;
        starts[i].run = *run;
        starts[i].argument = *argument;
        starts[i].set = set | CALLERS_KNOWN;
        *run = begin;
        *argument = &starts[i];
        return;
    }
}

void callers_unwrap_thread(const void *argument)
{
    for (unsigned i = 0; i < STARTS; i++)
        if (argument == &starts[i]) atomic_store(&starts[i].taken, FREE);
}

void callers_forked(void)
{
    noted.child = noted.forks;
    for (unsigned i = 0; i < STARTS; i++) atomic_store(&starts[i].taken, FREE);
}
