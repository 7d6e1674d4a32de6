/* The code that made a socket in Node. See socket_origin.h. */
#include "javascript/socket_origin.h"

#include <string.h>

#include "guard/guard.h"
#include "javascript/js_caller.h"
#include "libc/symbols.h"
#include "v8/javascript.h"

/* The newest sockets. MAKER: the function that makes one is no longer than this, and no other call
 * from that range makes a socket. */
enum { HANDLES = 64, MAKER = 1024, WRITING = 1, UV_TCP = 12, UV_UDP = 15 };

static _Atomic uintptr_t keys[HANDLES]; /* the object's address; 0: none */
static struct js_caller_frames callers[HANDLES];
static atomic_uint count;

static uintptr_t makers[2];
static void *(*allocate)(size_t size);

/* As uv.h has it. Node's objects lead to their handles and back. */
struct handle {
    void *data, *loop;
    int type;
};
static struct {
    void *(*loop)(void *isolate);
    void (*walk)(void *loop, void (*visit)(struct handle *handle, void *state), void *state);
    int (*fd)(const struct handle *handle, int *fd);
    void *(*isolate)(void);
} node;

/* An earlier object may have had the same address. */
static void note(uintptr_t at)
{
    for (unsigned i = 0; i < HANDLES; i++) {
        uintptr_t key = at;
        atomic_compare_exchange_strong(&keys[i], &key, 0);
    }
    if (!javascript_is_here()) return;
    unsigned place = atomic_fetch_add(&count, 1) % HANDLES;
    if (atomic_exchange(&keys[place], WRITING) == WRITING) return;
    atomic_store(&keys[place], js_caller_keep(&callers[place], JAVASCRIPT_FRAMES) ? at : 0);
}

/* `operator new`, for each object that Node's own code makes. */
static void *make(size_t size)
{
    uintptr_t from = (uintptr_t)CALLER();
    if (LIKELY(from - makers[0] >= MAKER && from - makers[1] >= MAKER)) __attribute__
        ((musttail)) return allocate(size);
    void *at = allocate(size);
    note((uintptr_t)at);
    return at;
}

struct search {
    int fd;
    uintptr_t key;
};

static void visit(struct handle *handle, void *state)
{
    struct search *search = state;
    int fd;
    if ((handle->type == UV_TCP || handle->type == UV_UDP) && node.fd(handle, &fd) == 0 &&
        fd == search->fd)
        search->key = (uintptr_t)handle->data;
}

bool socket_origin_read(struct origin *origin, const struct act *act)
{
    if (!act->socket || !allocate || !javascript_is_here()) return false;
    struct search search = {.fd = *act->socket};
    void *loop = node.loop(node.isolate());
    if (loop) node.walk(loop, visit, &search);
    for (unsigned i = 0; i < HANDLES && search.key; i++) {
        if (atomic_load(&keys[i]) != search.key) continue;
        struct js_caller_frames copy = callers[i];
        atomic_thread_fence(memory_order_acquire);
        return atomic_load(&keys[i]) == search.key && js_caller_read(origin, &copy);
    }
    return false;
}

void socket_origin_start(void)
{
    static const char *const names[] = {
        "_ZN4node19GetCurrentEventLoopEPN2v87IsolateE",
        "uv_walk",
        "uv_fileno",
        JAVASCRIPT_MARK,
    };
    static const char *const made[] = {
        "_ZN4node7TCPWrap3NewERKN2v820FunctionCallbackInfoINS1_5ValueEEE",
        "_ZN4node7UDPWrap3NewERKN2v820FunctionCallbackInfoINS1_5ValueEEE",
    };
    void *found[4];
    _Static_assert(sizeof found == sizeof node, "one name for each function");
    if (guard_ignores(FS_OUTBOUND)) return;
    for (unsigned i = 0; i < 4; i++)
        if ((found[i] = symbols_of_program(names[i])) == NULL) return;
    memcpy(&node, found, sizeof node);
    for (unsigned i = 0; i < 2; i++) makers[i] = (uintptr_t)symbols_of_program(made[i]);
    symbols_rebind("_Znwm", (void *)make, (void **)(void *)&allocate);
}
