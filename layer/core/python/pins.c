#include "python/pins.h"

#include <string.h>

#include "python/hooks/hook.h"

enum { INTERPRETERS = 1024 };

/* Ids are never used again. The search for a slot starts at the id's own, and an interpreter that
 * has ended makes room for a new one. Ids are stored with 2 added. */
enum { FREE = 0, TAKEN = 1, IDS = 2 };
static struct pins pins[INTERPRETERS];
static _Atomic int64_t forgotten = -1; /* the highest id whose slot was reused */

int64_t pins_interpreter(void)
{
    return python.PyInterpreterState_GetID(python.PyInterpreterState_Get());
}

static struct pins *pins_of(int64_t id)
{
    for (unsigned i = 0; id >= 0 && i < INTERPRETERS; i++) {
        struct pins *at = &pins[(uint64_t)(id + i) % INTERPRETERS];
        int64_t there = atomic_load_explicit(&at->id, memory_order_acquire);
        if (there == id + IDS) return at;
        if (there == FREE) return NULL; /* no place is given back */
    }
    return NULL;
}

struct pins *pins_own(void)
{
    struct pins *own = pins_of(pins_interpreter());
    return own && !atomic_load_explicit(&own->ended, memory_order_relaxed) ? own : NULL;
}

bool pins_beginning(void)
{
    int64_t id = pins_interpreter();
    return id > atomic_load(&forgotten) && !pins_of(id);
}

/* Notes that interpreters up to this id have begun, whether they still have a slot or not. */
static void forget_up_to(int64_t id)
{
    for (int64_t old = atomic_load(&forgotten); old < id;)
        if (atomic_compare_exchange_weak(&forgotten, &old, id)) break;
}

struct pins *pins_take(int64_t id)
{
    if (id <= atomic_load(&forgotten) || pins_of(id)) return NULL;
    for (unsigned i = 0; id >= 0 && i < INTERPRETERS; i++) {
        struct pins *at = &pins[(uint64_t)(id + i) % INTERPRETERS];
        int64_t there = atomic_load(&at->id);
        if (there == TAKEN || (there != FREE && !atomic_load(&at->ended))) continue;
        /* Do this before the slot is reused: an interpreter that is not found must not count as one
         * that is beginning. */
        if (there != FREE) forget_up_to(there - IDS);
        if (atomic_compare_exchange_strong(&at->id, &there, TAKEN)) return at;
    }
    forget_up_to(id); /* no slot is free: it can load no compiled code, so creating it fails */
    return NULL;
}

void pins_done(struct pins *own, int64_t id)
{
    atomic_store(&own->ended, false);
    atomic_store_explicit(&own->id, id + IDS, memory_order_release);
}

static void drop(PyObject **reference)
{
    if (*reference) python.Py_DecRef(*reference);
    *reference = NULL;
}

static void unpin(struct pins *own)
{
    PyObject **references[] = {&own->find_frozen,
                               &own->coroutine,
                               &own->importlib.module,
                               &own->importlib.compile,
                               &own->importlib.get_code,
                               &own->importlib.get_data,
                               &own->importlib.reads,
                               &own->importlib.io,
                               &own->importlib.open_code,
                               &own->frozen.module,
                               &own->frozen.imp,
                               &own->frozen.thaw,
                               &own->frozen.call,
                               &own->frozen.get_code,
                               &own->marshal,
                               &own->loads,
                               &own->dumped};
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) drop(references[i]);
    own->compared = false;
}

void hook_interpreter(const char *event)
{
    if (strcmp(event, "cpython.PyInterpreterState_Clear") != 0) return;
    struct pins *own = pins_interpreter() > 0 ? pins_own() : NULL;
    if (!own) return;
    unpin(own); /* release them while this interpreter still exists */
    atomic_store(&own->ended, true);
}
