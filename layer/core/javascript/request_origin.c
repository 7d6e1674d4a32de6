/* The code that made a request to libuv. See request_origin.h. */
#include "javascript/request_origin.h"

#include <stdlib.h>
#include <string.h>

#include "files/files.h"
#include "javascript/caller.h"
#include "libc/symbols.h"
#include "support/copied.h"
#include "v8/javascript.h"

/* NEAR: most callers are among the innermost frames. */
enum { REQUESTS = 64, LONGEST = 16384, NATIVE_STACK = 4096, STATX = 256, NEAR = 8 };
/* In the lowest bits of an address, which malloc leaves free. */
enum { WRITING = 1, ANSWERED = 2 };

/* The newest requests. If more wait than fit here, the oldest has no caller. */
static _Atomic uintptr_t keys[REQUESTS]; /* the address of its memory; 0: none */
static size_t sizes[REQUESTS];
static struct caller_frames callers[REQUESTS];
static atomic_uint count;
/* The lookup that ended last on this thread. */
static __thread uintptr_t answered __attribute__((tls_model("initial-exec")));

/* Decides whether to ask V8, which takes microseconds, because most requests are for files that
 * no rule watches. libuv is about to copy the path, which Node keeps in its own frame at a
 * multiple of 8. If no path of that length is near, it is a lookup or another request: ask. A
 * block of the size of struct statx belongs to a stat: do not ask. */
static bool matters(size_t size)
{
    const char *at = __builtin_frame_address(0);
    if (size < 2 || size > LONGEST || size == STATX) return false;
    /* A thread's own variables lie at the end of its stack, those of the main thread elsewhere. */
    uintptr_t room = (uintptr_t)&answered - (uintptr_t)at;
    if (room > NATIVE_STACK) room = NATIVE_STACK;
    for (size_t i = 0; i + size <= room; i += 8, at += 8)
        if (*at == '/' && strnlen(at, size) == size - 1)
            return files_is_under_tmp(at) || files_is_memory(at) || files_name_is_watched(at);
    return true;
}

static void *allocate(size_t size)
{
    void *at = malloc(size);
    if (!at || !javascript_is_here() || !matters(size)) return at;
    unsigned place = atomic_fetch_add(&count, 1) % REQUESTS;
    if (atomic_exchange(&keys[place], WRITING) == WRITING) return at;
    sizes[place] = size;
    atomic_store(&keys[place], caller_keep(&callers[place], NEAR) ? (uintptr_t)at : 0);
    return at;
}

__attribute__((noinline)) static void forget(void *memory)
{
    uintptr_t at = (uintptr_t)memory;
    if (!memory) return;
    answered = 0;
    for (unsigned i = 0; i < REQUESTS; i++) {
        uintptr_t key = at;
        if (atomic_load_explicit(&keys[i], memory_order_relaxed) == at &&
            atomic_compare_exchange_strong(&keys[i], &key, at | ANSWERED))
            answered = at | ANSWERED;
    }
}

static void *reallocate(void *memory, size_t size)
{
    forget(memory);
    return realloc(memory, size);
}

static void release(void *memory)
{
    forget(memory);
    free(memory);
}

static bool take(void *state, const struct javascript_frame *frame)
{
    *(bool *)state = strcmp(frame->file, "node:dns") == 0;
    return true;
}

/* libuv has just freed the memory of a name, and calls node:dns. No other code is on the stack. */
static bool passes_answer(void)
{
    bool outermost = false;
    return javascript_frames(JAVASCRIPT_FRAMES, take, &outermost) < JAVASCRIPT_FRAMES && outermost;
}

bool request_origin_read(struct guard_origin *origin, const struct guard_act *act)
{
    bool script = javascript_is_here();
    if (script != (act->ip != NULL) || (script && !passes_answer())) return false;
    /* The newest first: an earlier one that was answered may have had the same memory. */
    for (unsigned newest = atomic_load(&count), n = 1; n <= REQUESTS; n++) {
        unsigned i = (newest - n) % REQUESTS;
        uintptr_t key = atomic_load(&keys[i]);
        /* The path or name that this thread copied last lies in its request's memory, which
         * libuv frees only after the request. */
        bool other =
            script ? key != answered : key % 16 != 0 || (uintptr_t)copied_given - key >= sizes[i];
        if (key == 0 || other) continue;
        struct caller_frames copy = callers[i];
        atomic_thread_fence(memory_order_acquire);
        return atomic_load(&keys[i]) == key && caller_read(origin, &copy);
    }
    return false;
}

void request_origin_start(void)
{
    typedef int replace(void *(*)(size_t), void *(*)(void *, size_t), void *(*)(size_t, size_t),
                        void (*)(void *));
    replace *choose = (replace *)symbols_of_program("uv_replace_allocator");
    if (choose && guard.watches_any) choose(allocate, reallocate, calloc, release);
}
