/* What the interpreter ring lets pass. See passes.h. */
#include "guard/passes.h"

#include "guard/guard.h"

static __thread uint64_t archive
    __attribute__((tls_model("initial-exec"))); /* guard_object_hash; 0: none */
static __thread bool worker __attribute__((tls_model("initial-exec")));

void passes_archive(const char *path) { archive = guard_object_hash(path); }

bool passes_take_archive(const char *path)
{
    if (LIKELY(archive == 0) || archive != guard_object_hash(path)) return false;
    archive = 0;
    return true;
}

void passes_fork(void) { worker = true; }

bool passes_take_fork(void)
{
    bool passes = worker;
    worker = false;
    return passes;
}

void passes_forget(void)
{
    archive = 0;
    worker = false;
}
