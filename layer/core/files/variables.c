/* Doors of libc functions that open files named by variables: time zones (TZ, TZDIR), locales
 * (LOCPATH), converters (GCONV_PATH). libc opens them internally. The variables of lookups
 * (RESOLV_HOST_CONF, HOSTALIASES) are checked here too, for doors elsewhere. */
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files/files.h"
#include "files/steady.h"
#include "support/sys.h"
#include "events/events.h"

__attribute__((noinline)) static bool refused(const char *path, const void *caller)
{
    struct path own = copied_own(path);
    return files_refuses_path(AT_FDCWD, &own, O_RDONLY, "open", caller);
}

/* Removes a variable that names folders in which libc opens files, if the policy refuses one of
 * them, or if this process could change one: a link below it could lead anywhere by the time libc
 * follows it. */
void files_check_folders(const char *name, const char *verb, const void *caller)
{
    const char *value = getenv(name);
    if (LIKELY(!value) || !*value) return;
    for (const char *at = value; *at;) {
        at += *at == ':';
        char path[512];
        size_t size = strcspn(at, ":");
        if (size > 0 && size < sizeof path) {
            memcpy(path, at, size);
            path[size] = '\0';
        }
        if (size >= sizeof path ||
            (size > 0 && (refused(path, caller) ||
                          (!steady_folder(path) && integrity_refused(verb, path, caller))))) {
            unsetenv(name);
            return;
        }
        at += size;
    }
}

/* A path that this process can change may lead elsewhere by the time libc opens it. Remembers the
 * last path that it cannot change. */
static bool zone_moves(const char *path, const void *caller)
{
    static _Atomic uint64_t known;
    uint64_t hash = guard_object_hash(path);
    if (LIKELY(hash == atomic_load_explicit(&known, memory_order_relaxed))) return false;
    bool own = strncmp(path, "/etc/", 5) == 0 && !strstr(path, "/..") &&
               sys_call(SYS_geteuid) == 0; /* root can change any path */
    if (!own && !steady_path(path)) return integrity_refused("take a time zone from", path, caller);
    atomic_store_explicit(&known, hash, memory_order_relaxed);
    return false;
}

/* Judges the file that TZ names, as glibc finds it (relative names are below TZDIR). If it is
 * refused, TZ is removed. */
static void check_zone(const void *caller)
{
    static const char none[] = "Universal", usual[] = "/usr/share/zoneinfo";
    const char *zone = guard_ready() && !guard_ignores(FS_TMP) ? getenv("TZ") : NULL;
    if (LIKELY(!zone)) return;
    if (*zone == ':') zone++;
    if (!*zone) zone = none;
    const char *folder = getenv("TZDIR");
    bool own = folder && *folder;
    if (zone[0] != '/') {
        if (LIKELY(!own) && !strstr(zone, "..")) return;
        if (!own) folder = usual;
    } else {
        folder = "";
    }
    char path[PATH_MAX];
    const char *const names[] = {
        zone, "posixrules"}; /* the second is read only if TZ is a rule without dates */
    for (unsigned i = 0; i < (own ? 2 : 1); i++) {
        if (i == 1) folder = getenv("TZDIR");
        size_t size = strnlen(folder, sizeof path), more = strlen(names[i]);
        bool fits = size + more + 2 <= sizeof path;
        if (fits) {
            memcpy(path, folder, size);
            if (size > 0) path[size++] = '/';
            memcpy(path + size, names[i], more + 1);
            if (!refused(path, caller) && !zone_moves(path, caller)) continue;
        }
        unsetenv("TZ");
        if (own) unsetenv("TZDIR");
        return;
    }
}

void files_check_lookup_variables(const void *caller)
{
    static const char *const names[] = {"RESOLV_HOST_CONF", "HOSTALIASES"};
    if (files_idle()) return;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        char path[PATH_MAX];
        size_t size = value != NULL ? strnlen(value, sizeof path) : 0;
        if (LIKELY(size == 0)) continue;
        bool drops = size == sizeof path;
        if (!drops) {
            memcpy(path, value, size + 1);
            drops = refused(path, caller) ||
                    (!steady_path(path) &&
                     integrity_refused("take a resolver's settings from", path, caller));
        }
        if (drops) unsetenv(names[i]);
    }
}

/* A locale's name can be a path, whose files libc then opens. Names of several categories have
 * the form CATEGORY=NAME;… */
static bool refused_locale(const struct path *name, const void *caller)
{
    files_check_folders("LOCPATH", "take a locale from", caller);
    files_check_folders("GCONV_PATH", "take converters from", caller);
    for (const char *at = name->text; *at;) {
        char path[512];
        size_t size = strcspn(at, ";");
        const char *value = memchr(at, '=', size);
        size_t skip = value ? (size_t)(value - at) + 1 : 0;
        if (memchr(at + skip, '/', size - skip)) {
            if (size - skip >= sizeof path) return true;
            memcpy(path, at + skip, size - skip);
            path[size - skip] = '\0';
            if (refused(path, caller)) return true;
            if (!steady_folder(path) && integrity_refused("take a locale from", path, caller))
                return true;
        }
        at += size;
        at += *at == ';';
    }
    return false;
}

static void check_converters(const void *caller)
{
    if (files_ready()) files_check_folders("GCONV_PATH", "take converters from", caller);
}

#include "doors_variables.gen.h"
