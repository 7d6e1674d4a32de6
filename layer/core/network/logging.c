/* Doors of libc's syslog client. libc keeps an fd for its socket and writes to it internally, so a
 * file that another thread puts at that fd would get the line. Where something blocks, the door
 * sends from an fd table of its own (apart.h), and keeps no socket. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "guard/guard.h"
#include "network/names/apart.h"
#include "network/network.h"
#include "support/lock.h"
#include "support/sys.h"

enum { TAG_SIZE = 256 };

LOCK(logging);
/* As given to openlog. Use it under the lock: like libc, this keeps the caller's string, which the
 * caller may free after the next openlog or closelog. */
static const char *tag;
static int options, facility = -1;

struct line {
    int priority, flag, error, pid; /* `flag`: of the fortified function, or -1 */
    const char *format;
    va_list *list;
};

static void put(const struct line *line)
{
    va_list list;
    va_copy(list, *line->list);
    errno = line->error; /* for %m */
    if (line->flag < 0)
        real.vsyslog(line->priority, line->format, list);
    else
        real.__vsyslog_chk(line->priority, line->flag, line->format, list);
    va_end(list);
}

/* Writes the tag, with the pid if openlog asked for it. */
static void write_tag(char out[TAG_SIZE], int pid)
{
    const char *name = tag != NULL ? tag : program_invocation_short_name;
    if (options & LOG_PID)
        snprintf(out, TAG_SIZE, "%s[%d]", name, pid);
    else
        snprintf(out, TAG_SIZE, "%s", name);
}

/* In a process that has another pid, and no standard error. */
static void put_apart(void *context)
{
    const struct line *line = context;
    char own[TAG_SIZE];
    write_tag(own, line->pid);
    int left = options & ~(LOG_PID | LOG_PERROR | LOG_NDELAY);
    real.openlog(options & LOG_PID ? own : tag, left, facility);
    put(line);
    real.closelog();
    real.openlog(tag, options & ~LOG_NDELAY, facility);
}

/* For LOG_PERROR. `own`: the result of write_tag. */
static void print(const struct line *line, const char *own)
{
    va_list list;
    char *text = NULL;
    va_copy(list, *line->list);
    errno = line->error;
    int size = vasprintf(&text, line->format, list);
    va_end(list);
    if (size < 0) return;
    const char *end = size > 0 && text[size - 1] == '\n' ? "" : "\n";
    dprintf(STDERR_FILENO, "%s: %s%s", own, text, end);
    free(text);
}

static void say(int priority, int flag, const char *format, va_list *list)
{
    struct line line = {priority, flag, errno, sys_getpid(), format, list};
    if (!guard_ready() || !network_blocks()) {
        put(&line);
        return;
    }
    if (!lock_take(&logging)) return;
    bool prints = (options & LOG_PERROR) && setlogmask(0) & LOG_MASK(LOG_PRI(priority));
    if (prints) {
        /* Standard error may be slow. */
        char own[TAG_SIZE];
        write_tag(own, line.pid);
        lock_give(&logging);
        print(&line, own);
        if (!lock_take(&logging)) return;
    }
    if (apart_run(put_apart, &line, true) == APART_IMPOSSIBLE) put_apart(&line);
    lock_give(&logging);
}

DOOR void openlog(const char *name, int option, int where)
{
    bool blocks = guard_ready() && network_blocks(), locked = blocks && lock_take(&logging);
    if (name != NULL) tag = name;
    options = option;
    facility = where;
    real.openlog(name, blocks ? option & ~LOG_NDELAY : option, where);
    if (locked) lock_give(&logging);
}

DOOR void closelog(void)
{
    bool locked = guard_ready() && network_blocks() && lock_take(&logging);
    tag = NULL;
    real.closelog();
    if (locked) lock_give(&logging);
}

DOOR void vsyslog(int priority, const char *format, va_list list)
{
    va_list own;
    va_copy(own, list);
    say(priority, -1, format, &own);
    va_end(own);
}

DOOR void syslog(int priority, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(priority, -1, format, &list);
    va_end(list);
}

extern void __vsyslog_chk(int, int, const char *, va_list);
DOOR void __vsyslog_chk(int priority, int flag, const char *format, va_list list)
{
    va_list own;
    va_copy(own, list);
    say(priority, flag, format, &own);
    va_end(own);
}

extern void __syslog_chk(int, int, const char *, ...);
DOOR void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(priority, flag, format, &list);
    va_end(list);
}

#include "doors_logging.gen.h"
