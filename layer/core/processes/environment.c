#include "processes/environment.h"

#include <string.h>

#include "guard/guard.h"
#include "processes/launch.h"
#include "guard/handed_on.h"
#include "files/steady.h"
#include "support/sys.h"
#include "support/text.h"

#define MAX_VARIABLES    (1u << 20)
#define MAX_BYTES        (64u << 20)
#define MAX_LIBRARY_PATH 4096

extern char **environ;

/* LD_LIBRARY_PATH as this process was started with: its folders are those that its own libraries
 * came from. */
static char library_path[MAX_LIBRARY_PATH];

__attribute__((constructor)) static void remember_library_path(void)
{
    static const char name[] = "LD_LIBRARY_PATH=";
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        if (strncmp(*at, name, sizeof name - 1) != 0) continue;
        size_t size = strnlen(*at + sizeof name - 1, sizeof library_path);
        if (size == sizeof library_path) return;
        memcpy(library_path, *at + sizeof name - 1, size + 1);
        return;
    }
}

/* Variables that the loader obeys and that could keep the guard out or run code before it. Not all
 * that begin with LD_, because services use that prefix as well. LD_LIBRARY_PATH is judged
 * separately. */
static bool is_loader_variable(const char *name, size_t size)
{
    static const char *const names[] = {
        "LD_PRELOAD",
        "LD_AUDIT",
        "LD_ORIGIN_PATH",
        "LD_DYNAMIC_WEAK",
        "LD_BIND_NOT",
        "LD_USE_LOAD_BIAS",
        "LD_TRACE_LOADED_OBJECTS",
        "LD_TRACE_PRELINKING",
        "LD_VERBOSE",
        "LD_SHOW_AUXV",
        "LD_ASSUME_KERNEL",
        "LD_HWCAP_MASK",
        "LD_PREFER_MAP_32BIT_EXEC",
        "LD_POINTER_GUARD",
        "LD_WARN",
        "GLIBC_TUNABLES",
    };
    static const char *const families[] = {"LD_DEBUG", "LD_PROFILE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0) return true;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (size >= strlen(families[i]) && memcmp(families[i], name, strlen(families[i])) == 0)
            return true;
    return false;
}

static bool is_name(const char *variable, size_t size, const char *name)
{
    return strlen(name) == size && memcmp(variable, name, size) == 0;
}

/* The list `path`, whose entries ':' and ';' separate, has `entry`. */
static bool has_entry(const char *path, const char *entry, size_t size)
{
    while (*path != '\0') {
        size_t length = strcspn(path, ":;");
        if (length == size && memcmp(path, entry, size) == 0) return true;
        path += length;
        if (*path != '\0') path++;
    }
    return false;
}

/* A folder of libraries passes if this process was started with it, or if this user cannot put a
 * library there. Otherwise a libc planted in a writable folder would run behind the guard's doors.
 */
__attribute__((noinline)) static bool is_trusted_folder(const char *entry, size_t size)
{
    if (size == 0)
        return library_path[0] != '\0' &&
               (library_path[0] == ':' || strstr(library_path, "::") != NULL);
    if (has_entry(library_path, entry, size)) return true;
    char path[MAX_LIBRARY_PATH + 4];
    if (entry[0] != '/' || size > MAX_LIBRARY_PATH || memchr(entry, '$', size) != NULL)
        return false;
    memcpy(path, entry, size);
    memcpy(path + size, "/.", 3);
    return steady_path(path);
}

/* Removes the untrusted entries from the value, in place. Returns true if there were any. */
static bool filter_library_path(char *value)
{
    if (strnlen(value, MAX_LIBRARY_PATH) == MAX_LIBRARY_PATH) {
        *value = '\0';
        return true;
    }
    if (strcmp(value, library_path) == 0) return false;
    bool dropped = false;
    char *to = value;
    const char *from = value;
    for (;;) {
        size_t length = strcspn(from, ":;");
        char after = from[length];
        if (is_trusted_folder(from, length)) {
            if (to != value) *to++ = ':';
            memmove(to, from, length);
            to += length;
        } else {
            dropped = true;
        }
        if (after == '\0') break;
        from += length + 1;
    }
    *to = '\0';
    return dropped;
}

size_t environment_size(char *const *list)
{
    size_t bytes = 0, count = 0;
    for (; list != NULL && list[count] != NULL; count++) {
        if (count == MAX_VARIABLES) return 0;
        size_t size = strnlen(list[count], MAX_BYTES);
        bytes += size + 1;
        if (bytes > MAX_BYTES) return 0;
    }
    /* Ours: two variables, of which the first may have the caller's value behind it; and two
     * pointers and the end. */
    return bytes + (count + 3) * sizeof(char *) + 2 * sizeof guard.layer + STATE_MAX +
           sizeof(char *);
}

static void note_dropped(struct environment *out, const char *name, size_t size)
{
    if (out->dropped[0] != '\0') return;
    text_take(out->dropped, sizeof out->dropped, name, size);
}

bool environment_build(struct environment *out, char *const *list, bool enforce, bool covered,
                       char *arena, size_t size)
{
    char *at = arena, *end = arena + size;
    size_t count = 0;
    while (list != NULL && count < MAX_VARIABLES && list[count] != NULL) count++;
    out->dropped[0] = '\0';
    if ((count + 3) * sizeof(char *) > size) return false;
    out->list = (char **)(void *)arena;
    at += (count + 3) * sizeof(char *);
    size_t kept = 2;
    const char *theirs = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t length = strnlen(list[i], (size_t)(end - at));
        if (length >= (size_t)(end - at)) return false;
        memcpy(at, list[i], length);
        at[length] = '\0';
        char *variable = at;
        size_t name = strcspn(variable, "=");
        bool assigned = variable[name] == '=';
        if (assigned && is_name(variable, name, STATE_VARIABLE)) continue;
        if (assigned && is_name(variable, name, "LD_PRELOAD")) {
            if (strcmp(variable, guard_preload_variable) == 0) continue;
            if (enforce)
                note_dropped(out, variable, name);
            else if (variable[name + 1] != '\0')
                theirs = variable + name + 1; /* the last one wins, as in the loader */
            else
                continue;
            if (!enforce) at += strlen(variable) + 1;
            continue;
        }
        if (assigned && enforce && is_loader_variable(variable, name)) {
            note_dropped(out, variable, name);
            continue;
        }
        if (assigned && enforce && is_name(variable, name, "LD_LIBRARY_PATH") &&
            filter_library_path(variable + name + 1)) {
            note_dropped(out, variable, name);
            if (variable[name + 1] == '\0')
                continue; /* empty would mean the current folder to old loaders */
        }
        out->list[kept++] = variable;
        at += strlen(variable) + 1;
    }
    size_t ours = strlen(guard_preload_variable), more = theirs != NULL ? strlen(theirs) + 1 : 0;
    if (ours + more + 1 > (size_t)(end - at)) return false;
    out->list[0] = at;
    memcpy(at, guard_preload_variable, ours);
    at += ours;
    if (more > 0) {
        *at++ = ':';
        memcpy(at, theirs, more - 1);
        at += more - 1;
    }
    *at++ = '\0';
    out->list[1] = at;
    if (!guard_child_variable(at, (size_t)(end - at), covered)) return false;
    out->list[kept] = NULL;
    return true;
}
