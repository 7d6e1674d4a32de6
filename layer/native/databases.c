/* libc's readers of files that the caller names: mount tables, message catalogues, login records, profiles. They open within
 * libc, where no other door sees it. */
#include <fcntl.h>
#include <limits.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files.h"
#include "guard.h"

/* Judged before: what libc opens later is this object, since whoever could change it under /tmp is refused there. */
static bool refused(const char *path, int flags, const char *verb, const void *caller)
{
    struct judged judged;
    if (!path || files_idle()) return false;
    judged.verdict = files_judge_path(AT_FDCWD, path, flags, judged.path, &judged.family);
    judged.verb = verb;
    return judged.verdict.mode != FS_ALLOW && files_refuse(&judged, caller);
}

#define REFUSED(path, flags, verb) (guard_ready() && refused(path, flags, verb, CALLER()))
#define ABSENT(symbol) UNLIKELY(!real.symbol)

static int missing(void)
{
    errno = ENOSYS;
    return -1;
}

/* What libc does, by the door of fopen. */
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

extern FILE *setmntent(const char *, const char *);
DOOR FILE *setmntent(const char *path, const char *mode)
{
    if (!guard_ready() || files_idle() || !path || !mode) return real.setmntent(path, mode);
    return open_table(path, mode);
}

extern FILE *__nss_files_fopen(const char *);
DOOR FILE *__nss_files_fopen(const char *path)
{
    if (ABSENT(__nss_files_fopen) || REFUSED(path, O_RDONLY, "open")) return NULL;
    return real.__nss_files_fopen(path);
}

/* A name with a slash is a path; the others are looked for where the environment of the start says. */
extern void *catopen(const char *, int);
DOOR void *catopen(const char *name, int flag)
{
    if (name && strchr(name, '/') && REFUSED(name, O_RDONLY, "open")) return (void *)-1;
    return real.catopen(name, flag);
}

extern int __open_catalog(const char *, const char *, const char *, void *);
DOOR int __open_catalog(const char *name, const char *search, const char *variable, void *catalog)
{
    if (ABSENT(__open_catalog)) return missing();
    if (REFUSED(name, O_RDONLY, "open")) return -1;
    if (search && guard_ready() && !files_idle() && integrity_refused("open by a search path", search, CALLER())) return -1;
    return real.__open_catalog(name, search, variable, catalog);
}

extern int utmpname(const char *);
DOOR int utmpname(const char *path)
{
    if (REFUSED(path, O_RDWR, "keep login records in")) return -1;
    return real.utmpname(path);
}

extern void updwtmp(const char *, const void *);
DOOR void updwtmp(const char *path, const void *record)
{
    if (REFUSED(path, O_RDWR, "keep login records in")) return;
    real.updwtmp(path, record);
}

extern void updwtmpx(const char *, const void *);
DOOR void updwtmpx(const char *path, const void *record)
{
    if (REFUSED(path, O_RDWR, "keep login records in")) return;
    real.updwtmpx(path, record);
}

/* The profile goes to the working folder, or to where a variable says, with the pid behind it. */
extern void _mcleanup(void);
DOOR void _mcleanup(void)
{
    const char *prefix = getenv("GMON_OUT_PREFIX");
    if (REFUSED("gmon.out", O_WRONLY | O_CREAT, "write a profile to")) return;
    if (prefix && REFUSED(prefix, O_WRONLY | O_CREAT, "write a profile to")) return;
    real._mcleanup();
}

/* ---- files that a variable names ---- */

static bool variable_refused(const char *variable, const char *below, int flags, const void *caller)
{
    char path[PATH_MAX];
    const char *value = getenv(variable);
    if (!value) return false;
    size_t size = strnlen(value, sizeof path), more = strlen(below) + 1;
    if (size + more > sizeof path) return false; /* too long for the kernel as well */
    memcpy(path, value, size);
    memcpy(path + size, below, more);
    return refused(path, flags, "open", caller);
}

#define VARIABLE_REFUSED(variable, below, flags) (guard_ready() && variable_refused(variable, below, flags, CALLER()))

/* Before glibc 2.34; later it is in a library that comes to the door of fopen. */
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
    if (ABSENT(ruserpass)) return missing();
    if (VARIABLE_REFUSED("HOME", "/.netrc", O_RDONLY)) return -1;
    return real.ruserpass(host, name, password);
}

extern const char *__res_context_hostalias(void *, const char *, char *, size_t);
DOOR const char *__res_context_hostalias(void *context, const char *name, char *buffer, size_t room)
{
    if (ABSENT(__res_context_hostalias) || VARIABLE_REFUSED("HOSTALIASES", "", O_RDONLY)) return NULL;
    return real.__res_context_hostalias(context, name, buffer, room);
}

/* Listens at a name in the file system that it makes itself. */
extern void *svcunix_create(int, unsigned, unsigned, char *);
DOOR void *svcunix_create(int fd, unsigned sending, unsigned receiving, char *path)
{
    if (ABSENT(svcunix_create) || REFUSED(path, O_RDWR | O_CREAT, "create a socket")) return NULL;
    return real.svcunix_create(fd, sending, receiving, path);
}

#include "aliases_databases.gen.h"
