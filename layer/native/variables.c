/* Doors of libc functions that open what a variable names: time zones (TZ, TZDIR), locales (LOCPATH), converters
 * (GCONV_PATH). What they open, they open inside libc. */
#include <iconv.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files.h"
#include "launch.h"
#include "sys.h"

__attribute__((noinline)) static bool refused(const char *path, int flags, const void *caller)
{
    struct judged judged;
    int error = errno;
    judged.verdict = files_judge_path(AT_FDCWD, path, flags, judged.path, &judged.family);
    judged.verb = (flags & O_ACCMODE) == O_RDONLY ? "open" : "write";
    if (judged.verdict.mode != FS_ALLOW && files_refuse(&judged, caller)) return true;
    errno = error;
    return false;
}

/* A variable that names folders which libc opens things in: taken away where the policy refuses one of them, as if it were
 * not set. So is one whose folders can be changed in here: a link below them leads anywhere when libc follows it. */
static void hold(const char *name, const char *verb, const void *caller)
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
        if (size >= sizeof path || (size > 0 && (refused(path, O_RDONLY, caller) ||
                                                 (!files_folder_is_steady(path) && integrity_refused(verb, path, caller))))) {
            unsetenv(name);
            return;
        }
        at += size;
    }
}

/* What can be changed in here may lead elsewhere when libc opens it. The last one that could not is remembered. */
static bool zone_moves(const char *path, const void *caller)
{
    static _Atomic uint64_t known;
    uint64_t hash = guard_object_hash(path);
    if (LIKELY(hash == atomic_load_explicit(&known, memory_order_relaxed))) return false;
    bool own = strncmp(path, "/etc/", 5) == 0 && !strstr(path, "/..") && sys_call(SYS_geteuid) == 0; /* who is root anyway */
    if (!own && !launch_is_steady(path)) return integrity_refused("take a time zone from", path, caller);
    atomic_store_explicit(&known, hash, memory_order_relaxed);
    return false;
}

/* The file that TZ names, as glibc puts it together: relative names are TZDIR's. Taken away as if it were not set. */
static void hold_zone(const void *caller)
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
    const char *const names[] = {zone, "posixrules"}; /* the second where TZ is a rule without its dates */
    for (unsigned i = 0; i < (own ? 2 : 1); i++) {
        if (i == 1) folder = getenv("TZDIR");
        size_t size = strnlen(folder, sizeof path), more = strlen(names[i]);
        bool fits = size + more + 2 <= sizeof path;
        if (fits) {
            memcpy(path, folder, size);
            if (size > 0) path[size++] = '/';
            memcpy(path + size, names[i], more + 1);
            if (!refused(path, O_RDONLY, caller) && !zone_moves(path, caller)) continue;
        }
        unsetenv("TZ");
        if (own) unsetenv("TZDIR");
        return;
    }
}

DOOR void tzset(void)
{
    hold_zone(CALLER());
    real.tzset();
}

DOOR struct tm *localtime(const time_t *when)
{
    hold_zone(CALLER());
    return real.localtime(when);
}

DOOR struct tm *localtime_r(const time_t *restrict when, struct tm *restrict out)
{
    hold_zone(CALLER());
    return real.localtime_r(when, out);
}

DOOR char *ctime(const time_t *when)
{
    hold_zone(CALLER());
    return real.ctime(when);
}

DOOR char *ctime_r(const time_t *restrict when, char *restrict out)
{
    hold_zone(CALLER());
    return real.ctime_r(when, out);
}

DOOR time_t mktime(struct tm *time)
{
    hold_zone(CALLER());
    return real.mktime(time);
}

DOOR size_t strftime(char *restrict out, size_t size, const char *restrict format, const struct tm *restrict time)
{
    hold_zone(CALLER());
    return real.strftime(out, size, format, time);
}

DOOR size_t strftime_l(char *restrict out, size_t size, const char *restrict format, const struct tm *restrict time, locale_t locale)
{
    hold_zone(CALLER());
    return real.strftime_l(out, size, format, time, locale);
}

/* The first of these in a process reads the zone as well. */
DOOR struct tm *gmtime(const time_t *when)
{
    hold_zone(CALLER());
    return real.gmtime(when);
}

DOOR struct tm *gmtime_r(const time_t *restrict when, struct tm *restrict out)
{
    hold_zone(CALLER());
    return real.gmtime_r(when, out);
}

DOOR time_t timegm(struct tm *time)
{
    hold_zone(CALLER());
    return real.timegm(time);
}

DOOR char *strptime(const char *restrict text, const char *restrict format, struct tm *restrict out)
{
    hold_zone(CALLER());
    return real.strptime(text, format, out);
}

/* A locale by its path: libc opens what lies in that folder. The names of several categories have the form CATEGORY=NAME;… */
static bool refused_locale(const char *name, const void *caller)
{
    for (const char *at = name; *at;) {
        char path[512];
        size_t size = strcspn(at, ";");
        const char *value = memchr(at, '=', size);
        size_t skip = value ? (size_t)(value - at) + 1 : 0;
        if (memchr(at + skip, '/', size - skip)) {
            if (size - skip >= sizeof path) return true;
            memcpy(path, at + skip, size - skip);
            path[size - skip] = '\0';
            if (refused(path, O_RDONLY, caller)) return true;
            if (!files_folder_is_steady(path) && integrity_refused("take a locale from", path, caller)) return true;
        }
        at += size;
        at += *at == ';';
    }
    return false;
}

DOOR char *setlocale(int category, const char *name)
{
    if (name && guard_ready() && !files_idle()) {
        hold("LOCPATH", "take a locale from", CALLER());
        hold("GCONV_PATH", "take converters from", CALLER());
        if (strchr(name, '/') && refused_locale(name, CALLER())) return NULL;
    }
    return real.setlocale(category, name);
}

DOOR locale_t newlocale(int mask, const char *name, locale_t base)
{
    if (name && guard_ready() && !files_idle()) {
        hold("LOCPATH", "take a locale from", CALLER());
        hold("GCONV_PATH", "take converters from", CALLER());
        if (strchr(name, '/') && refused_locale(name, CALLER())) return (locale_t)0;
    }
    return real.newlocale(mask, name, base);
}

DOOR iconv_t iconv_open(const char *to, const char *from)
{
    if (guard_ready() && !files_idle()) hold("GCONV_PATH", "take converters from", CALLER());
    return real.iconv_open(to, from);
}

#include "aliases_variables.gen.h"
