/* Doors of libc functions that read or write a file that the caller names: mount tables, message
 * catalogues, login records, profiles. libc opens it internally, where no other door sees it. */
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files/files.h"
#include "files/steady.h"
#include "guard/guard.h"
#include "events/attempts.h"

/* Judges a name that libc will open later. Refuses it if it could lead elsewhere by then. */
bool files_refuses_name(const struct path *path, int flags, const char *verb, const void *caller)
{
    return files_refuses_path(AT_FDCWD, path, flags, verb, caller) ||
           (!steady_path(path->text) && integrity_refused(verb, path->text, caller));
}

/* As libc does, through the door of fopen. */
static FILE *open_table(const char *path, const char *mode)
{
    char with[32];
    size_t size = strnlen(mode, sizeof with - 2);
    memcpy(with, mode, size);
    memcpy(with + size, "e", 2);
    FILE *stream = fopen(path, with);
    if (stream) (void)__fsetlocking(stream, FSETLOCKING_BYCALLER);
    return stream;
}

static FILE *judged_setmntent(const struct path *path, const struct path *mode, const void *caller)
{
    (void)caller;
    return open_table(path->text, mode->text);
}

static FILE *judged___nss_files_fopen(const struct path *path, const void *caller)
{
    (void)caller;
    FILE *stream = open_table(path->text, "rc");
    if (stream) (void)fseeko(stream, 0, SEEK_SET); /* so that the stream knows where it is */
    return stream;
}

static int judged___open_catalog(const struct path *name, const struct path *search,
                                 const char *variable, void *catalog, const void *caller)
{
    if (files_refuses_name(name, O_RDONLY, "open", caller)) return -1;
    if (search && integrity_refused("open by a search path", search->text, caller)) return -1;
    return real.__open_catalog(name->text, search ? search->text : NULL, variable, catalog);
}

/* libc uses these files anyway, so a program that names one changes nothing. */
static bool records_refused(const struct path *path, const void *caller)
{
    return strcmp(path->text, _PATH_UTMP) != 0 && strcmp(path->text, _PATH_WTMP) != 0 &&
           files_refuses_name(path, O_RDWR, "keep login records in", caller);
}

static int judged_utmpname(const struct path *path, const void *caller)
{
    return records_refused(path, caller) ? -1 : real.utmpname(path->text);
}

static void judged_updwtmp(const struct path *path, const void *record, const void *caller)
{
    if (!records_refused(path, caller)) real.updwtmp(path->text, record);
}

static void judged_updwtmpx(const struct path *path, const void *record, const void *caller)
{
    if (!records_refused(path, caller)) real.updwtmpx(path->text, record);
}

/* The profile is written to the working folder, or to the path in a variable, with the pid added.
 */
extern void _mcleanup(void);
DOOR void _mcleanup(void)
{
    const char *prefix = getenv("GMON_OUT_PREFIX");
    struct path path = copied_own(prefix ? prefix : "gmon.out");
    if (guard_ready() && !files_idle() &&
        files_refuses_name(&path, O_WRONLY | O_CREAT, "write a profile to", CALLER()))
        return;
    real._mcleanup();
}

/* ---- files that a variable names ---- */

static bool variable_refused(const char *variable, const char *below, int flags, const void *caller)
{
    char path[PATH_MAX];
    const char *value = getenv(variable);
    if (!value) return false;
    size_t size = strnlen(value, sizeof path), more = strlen(below) + 1;
    if (size + more > sizeof path) return false; /* too long for the kernel too */
    memcpy(path, value, size);
    memcpy(path + size, below, more);
    struct path own = copied_own(path);
    return !files_idle() && files_refuses_name(&own, flags, "open", caller);
}

#define VARIABLE_REFUSED(variable, below, flags)                                                   \
    (guard_ready() && variable_refused(variable, below, flags, CALLER()))

/* Before glibc 2.34. Later versions have it in a library that calls the door of fopen. */
extern void mtrace(void);
DOOR void mtrace(void)
{
    if (!VARIABLE_REFUSED("MALLOC_TRACE", "", O_WRONLY | O_CREAT)) real.mtrace();
}

extern struct tm *getdate(const char *);
DOOR struct tm *getdate(const char *text)
{
    if (VARIABLE_REFUSED("DATEMSK", "", O_RDONLY)) return NULL;
    return real.getdate(text);
}

enum { TEMPLATE_NOT_OPENED = 2 };

extern int getdate_r(const char *, struct tm *);
DOOR int getdate_r(const char *text, struct tm *time)
{
    if (VARIABLE_REFUSED("DATEMSK", "", O_RDONLY)) return TEMPLATE_NOT_OPENED;
    return real.getdate_r(text, time);
}

extern int ruserpass(const char *, const char **, const char **);
DOOR int ruserpass(const char *host, const char **name, const char **password)
{
    if (VARIABLE_REFUSED("HOME", "/.netrc", O_RDONLY)) return -1;
    return real.ruserpass(host, name, password);
}

extern const char *__res_context_hostalias(void *, const char *, char *, size_t);
DOOR const char *__res_context_hostalias(void *context, const char *name, char *buffer, size_t room)
{
    if (VARIABLE_REFUSED("HOSTALIASES", "", O_RDONLY)) return NULL;
    return real.__res_context_hostalias(context, name, buffer, room);
}

/* Makes a socket file at this path, and listens there. */
static void *judged_svcunix_create(int fd, unsigned sending, unsigned receiving,
                                   const struct path *path, const void *caller)
{
    if (files_refuses_name(path, O_RDWR | O_CREAT, "create a socket", caller)) return NULL;
    return real.svcunix_create(fd, sending, receiving, (char *)(uintptr_t)path->text);
}

#include "doors_databases.gen.h"
