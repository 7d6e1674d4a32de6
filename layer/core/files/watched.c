/* Names of files that are inspected before they are opened: the handler's sources, the event file,
 * the guard's own library.
 *
 * If a file were opened first and judged second, another thread could read it through the fd in
 * between. Inspecting first costs three more calls. Only opens of these names pay for it: a path
 * without links leads to such a file by one of its names, and only doors can give it another. */
#include <stdatomic.h>
#include <string.h>

#include "files/files.h"
#include "support/sys.h"
#include "support/text.h"

enum { NAMES = 64 };

static _Atomic uint32_t names[NAMES];
static atomic_uint count; /* of names that are set, and stay */
static atomic_bool everything;

static uint32_t hash_of_last(const char *path)
{
    uint32_t hash = 2166136261u;
    const char *last = strrchr(path, '/');
    /* Empty if the path ends in a slash: such a path opens no file. */
    for (const char *at = last ? last + 1 : path; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
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

void files_watch_events(void)
{
    char path[PATH_MAX];
    if (guard.event_fd < 0 || !(S_ISFIFO(guard.event_mode) || S_ISREG(guard.event_mode))) return;
    (void)text_object_path(guard.event_fd, path);
    if (path[0] == '/')
        files_watch_name(path);
    else if (S_ISREG(guard.event_mode))
        files_watch_everything();
    guard.event_is_named = path[0] == '/' || S_ISREG(guard.event_mode);
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
