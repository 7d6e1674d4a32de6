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
#include "events/events.h"
#include "support/text.h"

enum { WRITES = O_WRONLY | O_CREAT };

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

static bool catalog_refused(const struct path *name, const struct path *search, const void *caller)
{
    return files_refuses_name(name, O_RDONLY, "open", caller) ||
           (search && integrity_refused("open by a search path", search->text, caller));
}

/* libc uses these files anyway, so a program that names one changes nothing. */
static bool records_refused(const struct path *path, const void *caller)
{
    return strcmp(path->text, _PATH_UTMP) != 0 && strcmp(path->text, _PATH_WTMP) != 0 &&
           files_refuses_name(path, O_RDWR, "keep login records in", caller);
}

/* The profile is written to the working folder, or to the path in a variable, with the pid added.
 */
static bool profile_refused(const void *caller)
{
    const char *prefix = getenv("GMON_OUT_PREFIX");
    struct path path = copied_own(prefix ? prefix : "gmon.out");
    return !files_idle() && files_refuses_name(&path, WRITES, "write a profile to", caller);
}

/* A file that a variable names. */
static bool variable_refused(const char *variable, const char *below, int flags, const void *caller)
{
    char path[PATH_MAX];
    const char *value = getenv(variable);
    if (!value || !TEXT_JOIN(path, sizeof path, value, below))
        return false; /* not set, or too long for the kernel too */
    struct path own = copied_own(path);
    return !files_idle() && files_refuses_name(&own, flags, "open", caller);
}

/* Makes a socket file at this path, and listens there. */
static void *judged_svcunix_create(int fd, unsigned sending, unsigned receiving,
                                   const struct path *path, const void *caller)
{
    if (files_refuses_name(path, O_RDWR | O_CREAT, "create a socket", caller)) return NULL;
    return real.svcunix_create(fd, sending, receiving, (char *)(uintptr_t)path->text);
}

#include "doors_databases.gen.h"
