/* Adds a name while the end of an invocation lowers the count. For each step of the one, the
 * other runs as a whole at that point. Prints how many such runs there were, and how many lost
 * the name. */
#include <stdatomic.h>
#include <stdio.h>

static void step(void);
#define STEP(act) __extension__({ step(), act; })
#undef atomic_load
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak
#define ORDER                                   __ATOMIC_SEQ_CST
#define atomic_load(at)                         STEP(__c11_atomic_load(at, ORDER))
#define atomic_store(at, value)                 STEP(__c11_atomic_store(at, value, ORDER))
#define atomic_store_explicit(at, value, order) STEP(__c11_atomic_store(at, value, order))
#define atomic_compare_exchange_strong(at, expected, value)                                        \
    STEP(__c11_atomic_compare_exchange_strong(at, expected, value, ORDER, ORDER))
#define atomic_compare_exchange_weak(at, expected, value)                                          \
    STEP(__c11_atomic_compare_exchange_strong(at, expected, value, ORDER, ORDER))

#include "files/made.c"

enum { FREED = 3 };

struct guard guard;
char guard_program_name[64];
void files_protect_memory(const void *start, size_t size) { (void)start, (void)size; }
const char *facts_value(const char *name) { return (void)name, NULL; }
void facts_state(const char *name, const char *value) { (void)name, (void)value; }
struct fs_verdict guard_decide(const struct fs_request *request)
{
    return (void)request, (struct fs_verdict){.mode = FS_BLOCK};
}

static void (*other)(void);
static unsigned steps_left;

/* The other thread runs before this step. */
static void step(void)
{
    void (*act)(void) = other;
    if (!act || steps_left-- > 0) return;
    other = NULL;
    act();
}

static void adds(void) { (void)add("name", 4, MADE); }

static void run(const char *what, void (*one)(void), void (*two)(void))
{
    unsigned runs = 0, lost = 0, left = 0;
    for (bool more = true; more; runs++) {
        memset(table, 0, sizeof *table);
        table->count = FREED; /* all names have just been removed */
        other = two;
        steps_left = runs;
        one();
        more = other == NULL;
        other = NULL;
        if (!more) break;
        lost += !find("name", 4, MADE);
        for (unsigned i = 0; i < ENTRIES; i++) table->states[i] = FREE;
        lower();
        left += table->count != 0;
    }
    printf("%s: %s, %u lost, %u left\n", what, runs > 2 ? "many" : "few", lost, left);
}

int main(void)
{
    table = map();
    run("added while lowered", lower, adds);
    run("lowered while added", adds, lower);
    return 0;
}
