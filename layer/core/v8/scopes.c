/* What v8-local-handle.h and v8-internal.h have in line. See scopes.h. */
#include "v8/scopes.h"

#include <stdatomic.h>
#include <string.h>

#include "guard/guard.h"
#include "libc/symbols.h"

enum { PLACES = 2048 }; /* bytes of an isolate that are searched */

/* HandleScopeData. */
struct newest {
    void *next, *limit;
    int level, sealed;
};

/* HandleScope. */
struct scope {
    void *isolate, *next, *limit;
};

/* SealHandleScope. */
struct seal {
    void *isolate, *limit;
    int sealed;
};

static struct {
    void (*seal)(struct seal *seal, void *isolate);
    void (*unseal)(struct seal *seal);
    void (*extensions)(struct scope *scope, void *isolate);
} v8;

static atomic_int place; /* in an isolate; 0: not known */

static struct newest *newest_of(void *isolate, int at)
{
    return (struct newest *)(void *)((char *)isolate + at);
}

/* A seal moves the limit to the next handle, and notes the level. Its end puts back both. */
static bool is_place(void *isolate, int at)
{
    struct newest *newest = newest_of(isolate, at);
    struct seal seal;
    v8.seal(&seal, isolate);
    bool sealed = newest->level > 0 && newest->sealed == newest->level && newest->next &&
                  newest->limit == newest->next;
    v8.unseal(&seal);
    return sealed && newest->limit == seal.limit && newest->sealed == seal.sealed;
}

bool scopes_found(void *isolate)
{
    static const char *const names[] = {
        "_ZN2v815SealHandleScopeC1EPNS_7IsolateE",
        "_ZN2v815SealHandleScopeD1Ev",
        "_ZN2v811HandleScope16DeleteExtensionsEPNS_7IsolateE",
    };
    void *found[3];
    _Static_assert(sizeof found == sizeof v8, "one name for each function");
    if (LIKELY(atomic_load_explicit(&place, memory_order_acquire) != 0)) return true;
    for (unsigned i = 0; i < 3; i++)
        if ((found[i] = symbols_of_program(names[i])) == NULL) return false;
    memcpy(&v8, found, sizeof v8);
    for (int at = 8; at < PLACES; at += 8) {
        if (!is_place(isolate, at)) continue;
        atomic_store_explicit(&place, at, memory_order_release);
        return true;
    }
    return false;
}

void scopes_enter(void *scope, void *isolate)
{
    struct newest *newest = newest_of(isolate, atomic_load(&place));
    *(struct scope *)scope = (struct scope){isolate, newest->next, newest->limit};
    newest->level++;
}

void scopes_leave(void *scope)
{
    struct scope *ended = scope;
    struct newest *newest = newest_of(ended->isolate, atomic_load(&place));
    newest->next = ended->next;
    newest->level--;
    if (newest->limit == ended->limit) return;
    newest->limit = ended->limit;
    v8.extensions(ended, ended->isolate);
}
