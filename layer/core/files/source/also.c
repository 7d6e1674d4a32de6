/* The function's source beyond its handler's. See also.h. */
#include "files/source/also.h"

#include <stdatomic.h>
#include <string.h>

#include "files/files.h"
#include "guard/guard.h"
#include "support/sys.h"
#include "v8/javascript.h"

enum { SLOTS = 8192, PROBES = 64 };

bool also_is_on;

static _Atomic uint32_t read_once[SLOTS]; /* hashes; 0: free */

void also_start(void)
{
    also_is_on =
        (guard.policy->flags | (guard.floor ? guard.floor->flags : 0)) & FS_FLAG_HANDLER_ALSO;
    if (also_is_on) files_watch_everything();
}

/* A pattern that ends in a star means code, and not the data beside it. */
static bool is_code(const char *path)
{
    static const char endings[] = ".py.pyc.pyw.js.mjs.cjs.jsx.ts.mts.cts.tsx.map.";
    const char *name = strrchr(path, '/'), *dot = name ? strrchr(name, '.') : NULL,
               *found = endings;
    size_t size = dot ? strlen(dot) : 0;
    while (size > 1 && (found = strstr(found, dot)) != NULL) {
        if (found[size] == '.') return true;
        found += size;
    }
    return false;
}

static bool listed(const struct fs_policy *policy, const char *path)
{
    return policy && (fs_policy_lists(policy, FS_LIST_FILES, path) ||
                      (is_code(path) && fs_policy_lists(policy, FS_LIST_CODE, path)));
}

bool also_lists(const char *path)
{
    return listed(guard.policy, path) || listed(guard.floor, path);
}

/* Returns true if the hash was there, or if the table has no room to add it. */
static bool find(uint32_t hash, bool add)
{
    for (unsigned i = 0; i < PROBES; i++) {
        _Atomic uint32_t *slot = &read_once[(hash + i) % SLOTS];
        uint32_t there = atomic_load(slot);
        if (there == 0 && !add) return false;
        if (there == 0 && atomic_compare_exchange_strong(slot, &there, hash)) return false;
        if (there == hash) return true;
    }
    return true;
}

/* One hash for a module's source and its compiled forms: FOLDER/STEM of FOLDER/STEM.py and of
 * FOLDER/__pycache__/STEM.cpython-313.pyc. */
static uint32_t module_hash(const char *path)
{
    static const char cache[] = "/__pycache__";
    const char *slash = strrchr(path, '/');
    if (!slash) return 1;
    size_t folder = (size_t)(slash - path), size = sizeof cache - 1;
    if (folder >= size && memcmp(slash - size, cache, size) == 0) folder -= size;
    return (fs_hash(path, folder) ^ fs_hash(slash, strcspn(slash, "."))) | 1;
}

void also_executed(const char *source)
{
    if (also_lists(source)) (void)find(module_hash(source), true);
}

void also_read(const char *path)
{
    static const char suffix[] = ".pyc";
    size_t size = strlen(path), end = sizeof suffix - 1;
    bool compiled = size > end && strcmp(path + size - end, suffix) == 0;
    if (compiled && strstr(path, "/__pycache__/") == NULL) (void)find(module_hash(path), true);
}

bool also_was_executed(const char *path) { return find(module_hash(path), false); }

bool also_loader_reads(const char *path)
{
    enum javascript_reader reader = javascript_reader();
    if (reader < JAVASCRIPT_POOL || reader > JAVASCRIPT_TRANSLATOR) return false;
    /* One entry for each reader: several read a CommonJS module that is imported. */
    uint32_t hash = (fs_hash(path, strlen(path)) ^ (uint32_t)reader * 0x9e3779b1u) | 1;
    if (reader == JAVASCRIPT_POOL) return !find(hash, true);
    return !find(hash, true) || sys_call(SYS_gettid) != sys_getpid();
}
