/* Doors of what closes or replaces a descriptor: the event stream's is not the program's to touch. To the program it looks
 * like a number that is not open. */
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "crossing.h"
#include "dns_socket.h"
#include "files.h"
#include "guard.h"
#include "inspect.h"
#include "runtime_api.h"
#include "sys.h"

static bool is_ours(int fd) { return UNLIKELY(fd == guard.event_fd) && fd >= 0 && guard_ready(); }

static int not_open(void)
{
    errno = EBADF;
    return -1;
}

/* A second number for the runtime client's own connection would get around what is kept about the first. */
static bool copy_refused(int fd, const void *caller)
{
    return guard_ready() && (runtime_api_refuses_copy(fd, caller) || dns_refuses_copy(fd, caller));
}

/* A copy of what may be a UDP socket may be one. */
static int marked(int from, int to)
{
    if (UNLIKELY(dns_watches(from))) dns_mark(to);
    return to;
}

/* A second number for a connection whose first bytes are still to come, where a stream may be. */
static bool number_refused(int from, int to, const void *caller)
{
    return UNLIKELY(pending_any()) && guard_ready() && inspect_refuses_number(from, to, caller);
}

static int refused(void)
{
    errno = EACCES;
    return -1;
}

/* As the kernel says where the number is just being given to somebody else. */
static int taken(void)
{
    errno = EBUSY;
    return -1;
}

DOOR int close(int fd)
{
    if (is_ours(fd)) return not_open();
    if (UNLIKELY(!real.close)) guard_start();
    /* What the guard holds was opened by nobody here. */
    if (UNLIKELY(!files_touch(fd, false))) return not_open();
    uint64_t cookie = UNLIKELY(pending_any()) ? pending_cookie(fd) : 0;
    int result = real.close(fd), error = errno;
    files_touched(fd);
    if (UNLIKELY(cookie != 0) && result == 0) pending_closed(cookie);
    errno = error;
    return result;
}

/* `from` becomes `to`, which is at the place of its old one for whoever writes there. */
static int becomes(int from, int to, int flags, bool three, const void *caller)
{
    if (copy_refused(from, caller) || number_refused(from, to, caller)) return refused();
    bool claimed = false;
    if (UNLIKELY(pending_any()) && guard_ready() && inspect_refuses_crossing(from, to, &claimed, caller)) return refused();
    if (UNLIKELY(dns_watches(from))) dns_mark(to);
    bool free = LIKELY(files_touch(to, true));
    pending_move_begins();
    int result = !free ? taken() : three ? real.dup3(from, to, flags) : real.dup2(from, to), error = errno;
    pending_move_ends();
    if (free) files_touched(to);
    if (UNLIKELY(claimed)) crossing_releases();
    if (UNLIKELY(from != to && result >= 0 && guard_ready() && files_refuse_copy(to, caller))) {
        sys_close(to);
        return refused();
    }
    errno = error;
    return result;
}

DOOR int dup2(int from, int to)
{
    if (is_ours(to) || is_ours(from)) return not_open();
    if (UNLIKELY(!real.dup2)) guard_start();
    return CROSSING(from, becomes(from, to, 0, false, CALLER()));
}

DOOR int dup3(int from, int to, int flags)
{
    if (is_ours(to) || is_ours(from)) return not_open();
    if (UNLIKELY(!real.dup3)) guard_start();
    return CROSSING(from, becomes(from, to, flags, true, CALLER()));
}

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif
#define CLOSE_RANGE_KNOWN (CLOSE_RANGE_UNSHARE | 4 /* CLOSE_RANGE_CLOEXEC */)

static int range(unsigned first, unsigned last, int flags)
{
    for (unsigned held; guard.blocks_any && (held = files_next_held(first, last)) != UINT32_MAX; first = held + 1) {
        int result = held > first ? (int)SYS_RESULT(sys_call(436, first, held - 1, flags)) : 0;
        if (result != 0 || held == last) return result;
    }
    return (int)SYS_RESULT(sys_call(436 /* close_range */, first, last, flags));
}

DOOR int close_range(unsigned first, unsigned last, int flags)
{
    unsigned ours = (unsigned)guard.event_fd;
    /* What is known of descriptors is known of those of all threads. */
    bool unshares = first <= last && (flags & CLOSE_RANGE_UNSHARE) && !(flags & ~CLOSE_RANGE_KNOWN);
    if (UNLIKELY(unshares) && guard_ready() && integrity_refused("leave shared state with", "close_range", CALLER()))
        return -1;
    if (!guard_ready() || guard.event_fd < 0 || first > ours || last < ours) return range(first, last, flags);
    if (first > last) return range(first, last, flags);
    if (first < ours) {
        int result = range(first, ours - 1, flags);
        if (result != 0) return result;
    }
    return last > ours ? range(ours + 1, last, flags) : 0;
}

DOOR void closefrom(int low)
{
    unsigned first = low < 0 ? 0 : (unsigned)low;
    if (close_range(first, ~0u, 0) == 0) return;
    /* A kernel without close_range (before 5.9): one by one, as far as this process may have opened. */
    for (unsigned fd = first; fd < 65536; fd++)
        if ((int)fd != guard.event_fd) sys_close((int)fd);
}

static int copied(int fd, int command, void *argument, const void *caller)
{
    if (UNLIKELY(pending_any()) && guard_ready() && inspect_watches(fd))
        return inspect_copies(fd, (int)(intptr_t)argument, command == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0, caller);
    pending_move_begins();
    int copy = real.fcntl(fd, command, argument);
    pending_move_ends();
    return copy;
}

DOOR int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (is_ours(fd)) return not_open();
    bool copies = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    if (copies && copy_refused(fd, CALLER())) return refused();
    if (UNLIKELY(!real.fcntl)) guard_start();
    if (UNLIKELY(copies)) {
        int copy = marked(fd, CROSSING(fd, copied(fd, command, argument, CALLER())));
        bool unwanted = guard_ready() && (files_refuse_copy(copy, CALLER()) ||
                                          (UNLIKELY(pending_any()) && inspect_refuses_copy(copy, CALLER())));
        if (LIKELY(!unwanted)) return copy;
        sys_close(copy);
        return refused();
    }
    return real.fcntl(fd, command, argument);
}

DOOR FILE *fdopen(int fd, const char *mode)
{
    if (is_ours(fd)) {
        errno = EBADF;
        return NULL;
    }
    if (copy_refused(fd, CALLER()) || (guard_ready() && (dns_refuses_stream(fd, CALLER()) || inspect_refuses_stream(fd, CALLER())))) {
        errno = EACCES;
        return NULL;
    }
    if (UNLIKELY(!real.fdopen)) guard_start();
    return real.fdopen(fd, mode);
}

#include "aliases_descriptors.gen.h"
