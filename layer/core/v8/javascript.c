/* JavaScript's frames. See javascript.h. A Local is one pointer, which travels in a register. */
#include "v8/javascript.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "guard/facts.h"
#include "guard/guard.h"
#include "libc/symbols.h"
#include "v8/scopes.h"
#include "support/text.h"

enum { DETAILED = 0x7f, NAME = 512, NO_TERMINATION = 2 };
enum { ENTER = 3, LEAVE, WRITE }; /* of `v8`: V8 14 has others in their place */

typedef void local;

/* As v8-unwinder.h has it. */
struct sample {
    void *unread[4];
    uint16_t state, embedder;
};

static struct {
    local *(*isolate)(void);
    bool (*in_context)(local *isolate);
    void (*sample)(local *isolate, void *const registers[5], void **frames, size_t most,
                   struct sample *out);
    void (*enter)(void *scope, local *isolate);
    void (*leave)(void *scope);
    int (*utf8)(const local *string, local *isolate, char *out, int size, int *used, int options);
    local *(*stack)(local *isolate, int frames, int options);
    int (*count)(const local *stack);
    local *(*frame)(const local *stack, local *isolate, unsigned index);
    local *(*script)(const local *frame);
    int (*id)(const local *frame);
    local *(*function)(const local *frame);
    struct location {
        int line, column;
    } (*location)(const local *frame); /* counted from 0 */
} v8;

static size_t (*write_newer)(const local *string, local *isolate, char *out, size_t size, int flags,
                             size_t *used);

static int write_utf8(const local *string, local *isolate, char *out, int size, int *used,
                      int options)
{
    (void)used, (void)options;
    return (int)write_newer(string, isolate, out, (size_t)size, 0, NULL);
}

static bool ready(void)
{
    static const char *const names[] = {
        JAVASCRIPT_MARK,
        "_ZN2v87Isolate9InContextEv",
        "_ZN2v87Isolate14GetStackSampleERKNS_13RegisterStateEPPvmPNS_10SampleInfoE",
        "_ZN2v811HandleScopeC1EPNS_7IsolateE",
        "_ZN2v811HandleScopeD1Ev",
        "_ZNK2v86String9WriteUtf8EPNS_7IsolateEPciPii",
        "_ZN2v810StackTrace17CurrentStackTraceEPNS_7IsolateEiNS0_17StackTraceOptionsE",
        "_ZNK2v810StackTrace13GetFrameCountEv",
        "_ZNK2v810StackTrace8GetFrameEPNS_7IsolateEj",
        "_ZNK2v810StackFrame13GetScriptNameEv",
        "_ZNK2v810StackFrame11GetScriptIdEv",
        "_ZNK2v810StackFrame15GetFunctionNameEv",
        "_ZNK2v810StackFrame11GetLocationEv",
    };
    static atomic_bool known;
    if (LIKELY(atomic_load_explicit(&known, memory_order_acquire))) return true;
    void *found[sizeof names / sizeof *names];
    _Static_assert(sizeof found == sizeof v8, "one name for each function");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if ((found[i] = symbols_of_program(names[i])) == NULL && (i < ENTER || i > WRITE))
            return false;
    if (!found[ENTER] || !found[LEAVE] || !found[WRITE]) {
        void *newer = symbols_of_program("_ZNK2v86String11WriteUtf8V2EPNS_7IsolateEPcmiPm");
        if (!newer) return false;
        memcpy(&write_newer, &newer, sizeof newer);
        found[ENTER] = (void *)scopes_enter;
        found[LEAVE] = (void *)scopes_leave;
        found[WRITE] = (void *)write_utf8;
    }
    memcpy(&v8, found, sizeof v8); /* another thread may write it too, with the same value */
    atomic_store_explicit(&known, true, memory_order_release);
    return true;
}

static bool forked;
/* V8 allocates memory to answer, and may write a report when none is left. */
static __thread bool asking __attribute__((tls_model("initial-exec")));

/* Whether V8's heap may be used: not while V8 starts, and not in the middle of its own work. During
 * a garbage collection Node closes unreferenced objects (a database, whose files SQLite then
 * removes), which the JavaScript on the stack did not ask for. States 1 to 4 are the collector, the
 * parser and the compilers, 9 or 10 the log. The sampler walks no frame, because it expects the
 * registers of an interrupted thread. */
static bool may_ask(local *isolate)
{
    struct sample sample = {.state = 1};
    void *const registers[5] = {NULL, (void *)UINTPTR_MAX}; /* the stack begins above all frames */
    void *frames[1];
    if (!v8.in_context(isolate)) return false;
    v8.sample(isolate, registers, frames, 0, &sample);
    if (sample.state != 0 && (sample.state <= 4 || sample.state >= 9)) return false;
    return !write_newer || scopes_found(isolate);
}

static void text_of(char *out, int size, const local *string, local *isolate)
{
    out[0] = '\0';
    int written = string ? v8.utf8(string, isolate, out, size - 1, NULL, NO_TERMINATION) : 0;
    out[written > 0 ? written : 0] = '\0';
}

/* A file of Lambda's own runtime, which imports the handler. */
static bool is_runtime(const char *name)
{
    size_t size = strlen(guard.runtime_dir);
    return size > 0 && text_begins(name, "file://") && text_begins(name + 7, guard.runtime_dir) &&
           name[7 + size] == '/';
}

static void read_name(local *isolate, const local *frame, char name[NAME])
{
    text_of(name, NAME, v8.script(frame), isolate);
}

enum loader { OTHERS, LOADER, TRANSLATOR };

/* Whether Node's loader reads, and whether other code on the stack may have called it. `*newest` is
 * the script on the stack that was compiled last. */
static enum loader loader_of(local *isolate, bool called, int *newest)
{
    enum loader found = OTHERS;
    local *stack = v8.stack(isolate, JAVASCRIPT_FRAMES, DETAILED);
    int count = stack ? v8.count(stack) : JAVASCRIPT_FRAMES;
    if (count >= JAVASCRIPT_FRAMES) return OTHERS;
    for (int i = 0; i < count; i++) {
        char name[NAME];
        const local *frame = v8.frame(stack, isolate, (unsigned)i);
        read_name(isolate, frame, name);
        int id = v8.id(frame);
        if (id > *newest) *newest = id;
        if (found != OTHERS && (called || is_runtime(name))) continue;
        if (!text_begins(name, "node:")) return OTHERS;
        if (found != OTHERS || strcmp(name, "node:fs") == 0) continue;
        if (!text_begins(name, "node:internal/modules/")) return OTHERS;
        found = strcmp(name, "node:internal/modules/esm/translators") == 0 ? TRANSLATOR : LOADER;
    }
    return found;
}

static enum javascript_reader reader_of(local *isolate)
{
    char name[NAME];
    local *stack = v8.stack(isolate, JAVASCRIPT_FRAMES, DETAILED);
    int count = stack ? v8.count(stack) : 0;
    if (count == 0) return JAVASCRIPT_POOL;
    for (int i = 0; i < count; i++) {
        read_name(isolate, v8.frame(stack, isolate, (unsigned)i), name);
        if (text_begins(name, "node:fs") || text_begins(name, "node:internal/fs/")) continue;
        if (text_begins(name, "node:internal/modules/esm/translators"))
            return JAVASCRIPT_TRANSLATOR;
        if (text_begins(name, "node:internal/modules/esm/")) return JAVASCRIPT_ESM_LOADER;
        if (text_begins(name, "node:internal/modules/")) return JAVASCRIPT_LOADER;
        return text_begins(name, "node:internal/source_map/") ? JAVASCRIPT_MAPS : JAVASCRIPT_OTHERS;
    }
    return JAVASCRIPT_OTHERS;
}

enum javascript_reader javascript_reader(void)
{
    uint64_t scope[8];
    int error = errno;
    if (forked || asking || !ready()) return JAVASCRIPT_NONE;
    local *isolate = v8.isolate();
    if (!isolate) return JAVASCRIPT_POOL;
    if (!may_ask(isolate)) return JAVASCRIPT_OTHERS;
    asking = true;
    v8.enter(scope, isolate);
    enum javascript_reader reader = reader_of(isolate);
    v8.leave(scope);
    asking = false;
    errno = error;
    return reader;
}

bool javascript_loader_reads(unsigned handler)
{
    /* Of this thread: 0, or the newest script at the first read; -1: no more may be read. */
    static __thread int states[FACTS_HANDLERS] __attribute__((tls_model("initial-exec")));
    int *state = &states[handler];
    uint64_t scope[8];
    int error = errno, newest = 0, before = *state;
    local *isolate = before >= 0 && ready() ? v8.isolate() : NULL;
    if (!isolate || !may_ask(isolate)) return false;
    v8.enter(scope, isolate);
    /* A tool in the handler's place imports it in each worker of a Managed Instance. */
    bool called = handler > 0 && facts_value("AWS_LAMBDA_MAX_CONCURRENCY");
    enum loader loader = loader_of(isolate, called, &newest);
    v8.leave(scope);
    errno = error;
    *state = before == 0 && loader == LOADER ? newest : -1;
    return loader != OTHERS && (before == 0 || (loader == TRANSLATOR && newest <= before));
}

void javascript_forked(void) { forked = true; }

bool javascript_is_forked(void) { return forked; }

bool javascript_is_here(void) { return !forked && !asking && ready() && v8.isolate() != NULL; }

int javascript_frames(int most, bool (*take)(void *state, const struct javascript_frame *frame),
                      void *state)
{
    uint64_t scope[8];
    int error = errno;
    if (!javascript_is_here()) return 0;
    local *isolate = v8.isolate();
    if (!may_ask(isolate)) return 0;
    asking = true;
    v8.enter(scope, isolate);
    local *stack = v8.stack(isolate, most, DETAILED);
    int count = stack ? v8.count(stack) : 0;
    for (int i = 0; i < count; i++) {
        char file[NAME], function[128];
        const local *one = v8.frame(stack, isolate, (unsigned)i);
        read_name(isolate, one, file);
        text_of(function, sizeof function, v8.function(one), isolate);
        struct javascript_frame frame = {file, function, v8.location(one).line + 1};
        if (!take(state, &frame)) break;
    }
    v8.leave(scope);
    asking = false;
    errno = error;
    return count;
}
