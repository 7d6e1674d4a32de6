/* The guard below a thread's stack.
 *
 * glibc keeps one page there, and what a program maps next may lie right below it. A function with
 * a larger frame (select's in CPython has 50 KB), called near the end of a stack, has that frame in
 * the program's memory. With threading.stack_size or deep recursion, plain Python would rewrite its
 * return addresses. Below the main thread the kernel keeps 1 MB: so does this door, where
 * native_code blocks. Nothing is refused. */
#include <pthread.h>
#include <string.h>

#include "cpython/python.h"
#include "guard/callers.h"
#include "guard/guard.h"
#include "libc/symbols.h"
#include "memory/native.h"

enum { GUARD = 1 << 20 };

/* glibc's pthread_attr_t, the same since 2.3. Its functions are in a library that may be absent. */
struct attributes {
    int priority, policy, flags;
    size_t guard;
    void *stack;
    size_t size; /* 0: the default. Before glibc 2.27 it includes the guard. */
};
enum { STACK_IS_GIVEN = 8 };
_Static_assert(sizeof(struct attributes) <= sizeof(pthread_attr_t), "glibc's layout");

static bool is_guarded(void)
{
    return python.PySys_AddAuditHook && guard_ready() && !guard_ignores(FS_NATIVE) &&
           native_decide(NULL, NULL).mode == FS_BLOCK;
}

extern int pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
DOOR int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                        void *argument)
{
    pthread_attr_t own;
    if (UNLIKELY(!real.pthread_create)) guard_start();
    (void)SYMBOLS_HAVE(pthread_create); /* before glibc 2.34 in libpthread */
    if (is_guarded()) {
        struct attributes wider;
        memset(&own, 0, sizeof own);
        if (attributes) own = *attributes;
        memcpy(&wider, &own, sizeof wider);
        if (!(wider.flags & STACK_IS_GIVEN) && wider.guard < GUARD) {
            wider.guard = GUARD;
            if (wider.size != 0) wider.size += GUARD;
            memcpy(&own, &wider, sizeof wider);
            attributes = &own;
        }
    }
    const void *given = argument;
    if (UNLIKELY(callers_matter)) callers_wrap_thread(&run, &argument);
    int error = real.pthread_create(thread, attributes, run, argument);
    if (UNLIKELY(error != 0 && argument != given)) callers_unwrap_thread(argument);
    return error;
}

#include "doors_stacks.gen.h"
