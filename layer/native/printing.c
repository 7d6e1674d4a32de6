/* printf and eventfd_write to a descriptor, which write from within libc: a watched connection is written to by the door of
 * write. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crossing.h"
#include "dns_socket.h"
#include "guard.h"
#include "pending.h"
#include "runtime_api.h"

static int print(int fd, const char *format, va_list list)
{
    char *text = NULL;
    int size = vasprintf(&text, format, list);
    if (size < 0) return size;
    for (int done = 0; done < size;) {
        ssize_t wrote = write(fd, text + done, (size_t)(size - done));
        if (wrote <= 0) {
            int error = errno;
            free(text);
            errno = error;
            return -1;
        }
        done += (int)wrote;
    }
    free(text);
    return size;
}

/* What libc writes inside is written by number. */
static bool watched(int fd) { return guard_ready() && UNLIKELY(runtime_api_watches(fd) || dns_watches(fd) || pending_any()); }

DOOR int vdprintf(int fd, const char *format, va_list list)
{
    return CROSSING(fd, watched(fd) ? print(fd, format, list) : real.vdprintf(fd, format, list));
}

/* Eight bytes of the caller's choice, to whatever descriptor. */
DOOR int eventfd_write(int fd, uint64_t value)
{
    return CROSSING(fd, !watched(fd)                                                        ? real.eventfd_write(fd, value)
                        : write(fd, &value, sizeof value) == (ssize_t)sizeof value ? 0
                                                                                    : -1);
}

DOOR int dprintf(int fd, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = CROSSING(fd, watched(fd) ? print(fd, format, list) : real.vdprintf(fd, format, list));
    va_end(list);
    return result;
}

extern int __vdprintf_chk(int, int, const char *, va_list);
DOOR int __vdprintf_chk(int fd, int flag, const char *format, va_list list)
{
    return CROSSING(fd, watched(fd) ? print(fd, format, list) : real.__vdprintf_chk(fd, flag, format, list));
}

extern int __dprintf_chk(int, int, const char *, ...);
DOOR int __dprintf_chk(int fd, int flag, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = CROSSING(fd, watched(fd) ? print(fd, format, list) : real.__vdprintf_chk(fd, flag, format, list));
    va_end(list);
    return result;
}

#include "aliases_printing.gen.h"
