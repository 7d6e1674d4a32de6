/* The code that made a request to libuv. See request_origin.h. */
#include "javascript/request_origin.h"

#include <stdlib.h>
#include <string.h>

#include "files/files.h"
#include "javascript/js_caller.h"
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
static struct js_caller_frames callers[REQUESTS];
static atomic_uint count;
/* The lookup that ended last on this thread. */
static __thread uintptr_t answered __attribute__((tls_model("initial-exec")));

/* Reads the registers that a function must keep for its caller. */
#ifdef __x86_64__
enum { KEPT = 6 };
#define READ_REGISTERS(to)                                                                         \
    __asm__ volatile("movq %%rbx, (%0)\n\tmovq %%rbp, 8(%0)\n\tmovq %%r12, 16(%0)\n\t"             \
                     "movq %%r13, 24(%0)\n\tmovq %%r14, 32(%0)\n\tmovq %%r15, 40(%0)"              \
                     :                                                                             \
                     : "r"(to)                                                                     \
                     : "memory")
#else
enum { KEPT = 10 };
#define READ_REGISTERS(to)                                                                         \
    __asm__ volatile("stp x19, x20, [%0]\n\tstp x21, x22, [%0, 16]\n\tstp x23, x24, [%0, 32]\n\t"  \
                     "stp x25, x26, [%0, 48]\n\tstp x27, x28, [%0, 64]"                            \
                     :                                                                             \
                     : "r"(to)                                                                     \
                     : "memory")
#endif

/* Decides whether to ask V8, which takes microseconds, because most requests are for files that
 * no rule watches. libuv is about to copy the path from Node's frame, so one of its registers
 * leads there. (The frames hold paths of earlier calls too.) If none leads to a path of that
 * length, it is a lookup or another request: ask, but not for a block of the size of struct statx,
 * which belongs to a stat. */
static bool matters(size_t size, const uintptr_t registers[KEPT])
{
    if (size < 2 || size > LONGEST) return false;
    /* A thread's own variables lie at the end of its stack, those of the main thread elsewhere. */
    uintptr_t room = (uintptr_t)&answered - (uintptr_t)registers;
    if (room > NATIVE_STACK) room = NATIVE_STACK;
    for (unsigned i = 0; i < KEPT && size <= room; i++) {
        const char *at = (const char *)registers[i];
        if (registers[i] - (uintptr_t)registers <= room - size && *at == '/' &&
            strnlen(at, size) == size - 1)
            return files_is_under_tmp(at) || files_is_memory(at) || files_name_is_watched(at);
    }
    return size != STATX;
}

static __attribute__((noinline)) void *noted(size_t size, const uintptr_t registers[KEPT])
{
    void *at = malloc(size);
    if (!at || !javascript_is_here() || !matters(size, registers)) return at;
    unsigned place = atomic_fetch_add(&count, 1) % REQUESTS;
    if (atomic_exchange(&keys[place], WRITING) == WRITING) return at;
    sizes[place] = size;
    atomic_store(&keys[place], js_caller_keep(&callers[place], NEAR) ? (uintptr_t)at : 0);
    return at;
}

/* Keeps nothing in a register of its caller's. */
static void *allocate(size_t size)
{
    uintptr_t registers[KEPT];
    READ_REGISTERS(registers);
    return noted(size, registers);
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

bool request_origin_read(struct origin *origin, const struct act *act)
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
        struct js_caller_frames copy = callers[i];
        atomic_thread_fence(memory_order_acquire);
        return atomic_load(&keys[i]) == key && js_caller_read(origin, &copy);
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
