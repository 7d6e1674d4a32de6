/* Names of files that are looked at before they are opened: the handler's sources, the file of events, the guard's own library.
 *
 * What is opened first and judged afterwards is open for as long as that takes, and another thread reads it by its number. A look
 * first costs three calls more, for which no open of another name has to pay: a path without links leads to such a file by one of
 * its names, and names are given by doors. */
#include <stdatomic.h>
#include <string.h>

#include "files.h"
#include "handler.h"
#include "sys.h"

enum { NAMES = 64 };

static _Atomic uint32_t names[NAMES];
static atomic_uint count; /* names before it are whole, and stay */
static atomic_bool everything;

static uint32_t hash_of_last(const char *path)
{
    uint32_t hash = 2166136261u;
    const char *last = strrchr(path, '/');
    /* A slash that follows the name is none of it; nobody opens a file so. */
    for (const char *at = last ? last + 1 : path; *at != '\0'; at++) hash = (hash ^ (unsigned char)*at) * 16777619u;
    return hash;
}

void files_watch_everything(void) { atomic_store(&everything, true); }

void files_watch_name(const char *path)
{
    unsigned at = atomic_fetch_add(&count, 1);
    if (at < NAMES)
        atomic_store(&names[at], hash_of_last(path));
    else
        files_watch_everything();
}

bool files_name_is_watched(const char *path)
{
    if (UNLIKELY(atomic_load_explicit(&everything, memory_order_acquire))) return true;
    uint32_t hash = hash_of_last(path);
    unsigned end = atomic_load_explicit(&count, memory_order_acquire);
    for (unsigned i = 0; i < end && i < NAMES; i++)
        if (atomic_load_explicit(&names[i], memory_order_relaxed) == hash) return true;
    return false;
}

static bool is_source(int dirfd, const char *path)
{
    struct stat status;
    return path != NULL && sys_fstatat(dirfd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && handler_is_source(&status);
}

void files_name_moves(int from_dir, const char *from, int to_dir, const char *to)
{
    if (LIKELY(!files_handler_sealed())) return;
    if (is_source(from_dir, from) || is_source(to_dir, to)) files_watch_everything();
}
