#include "interpreter.h"

#include "hook.h"
#include "origin.h"

static __thread uint64_t archive __attribute__((tls_model("initial-exec"))); /* guard_object_hash; 0: none */
static __thread bool worker __attribute__((tls_model("initial-exec")));

void hook_forget(void)
{
    archive = 0;
    worker = false;
    origin_forget();
}

void hook_pass_archive(const char *path) { archive = guard_object_hash(path); }

void hook_pass_fork(void) { worker = true; }

bool interpreter_passes_archive(const char *path)
{
    if (LIKELY(archive == 0) || archive != guard_object_hash(path)) return false;
    archive = 0;
    return true;
}

bool interpreter_passes_fork(void)
{
    bool passes = worker;
    worker = false;
    return passes;
}

struct guard_origin *interpreter_origin(void) { return origin_kept(); }
