/* printf and eventfd_write to an fd. They write inside libc, so for a watched connection these
 * doors call the door of write instead. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "network/first_bytes/fd_use.h"
#include "network/dns/dns_socket.h"
#include "guard/guard.h"
#include "network/first_bytes/pending.h"
#include "network/runtime_api/runtime_api.h"

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

/* Writes to this fd must go through a door. */
static bool watched(int fd)
{
    return guard_ready() &&
           UNLIKELY(runtime_api_watches(fd) || dns_watches(fd) || guard_has_pending());
}

static int judged_vdprintf(int fd, const char *format, va_list list, const void *caller)
{
    (void)caller;
    return watched(fd) ? print(fd, format, list) : real.vdprintf(fd, format, list);
}

static int judged___vdprintf_chk(int fd, int flag, const char *format, va_list list,
                                 const void *caller)
{
    (void)caller;
    return watched(fd) ? print(fd, format, list) : real.__vdprintf_chk(fd, flag, format, list);
}

/* Writes eight bytes of the caller's choice, to any fd. */
static int judged_eventfd_write(int fd, uint64_t value, const void *caller)
{
    (void)caller;
    if (!watched(fd)) return real.eventfd_write(fd, value);
    return write(fd, &value, sizeof value) == (ssize_t)sizeof value ? 0 : -1;
}

DOOR int dprintf(int fd, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = USING_FD(fd, judged_vdprintf(fd, format, list, NULL));
    va_end(list);
    return result;
}

extern int __dprintf_chk(int, int, const char *, ...);
DOOR int __dprintf_chk(int fd, int flag, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = USING_FD(fd, judged___vdprintf_chk(fd, flag, format, list, NULL));
    va_end(list);
    return result;
}

#include "doors_printing.gen.h"
