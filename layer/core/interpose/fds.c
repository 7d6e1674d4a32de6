/* Doors that close, duplicate or replace an fd. The event stream's fd looks closed to the program.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network/first_bytes/fd_use.h"
#include "network/dns/dns_socket.h"
#include "files/files.h"
#include "guard/guard.h"
#include "events/events.h"
#include "network/first_bytes/inspect.h"
#include "network/names/lookup_fds.h"
#include "network/runtime_api/runtime_api.h"
#include "events/sink.h"
#include "support/sys.h"

static bool is_ours(int fd) { return UNLIKELY(fd == guard.event_fd) && fd >= 0 && guard_ready(); }

static int not_open(void) { return errno = EBADF, -1; }

/* The runtime client's connection is known by its fd, so it may not be duplicated. */
static bool copy_refused(int fd, const void *caller)
{
    return guard_ready() && (runtime_api_refuses_copy(fd, caller) || dns_refuses_copy(fd, caller));
}

/* The copy of an fd that is marked as a possible UDP socket gets the mark too. */
static int marked(int from, int to)
{
    if (UNLIKELY(dns_watches(from)) && to >= 0) dns_mark_copy(from, to);
    return to;
}

/* A connection whose first bytes are still to come must not get an fd that a stream writes to. */
static bool fd_refused(int from, int to, const void *caller)
{
    return UNLIKELY(guard_has_pending()) && guard_ready() && inspect_refuses_fd(from, to, caller);
}

static int refused(void) { return errno = EACCES, -1; }

/* Fails with the kernel's error for an fd that another thread is just opening. */
static int taken(void) { return errno = EBUSY, -1; }

DOOR int close(int fd)
{
    if (is_ours(fd)) return not_open();
    if (UNLIKELY(!real.close)) guard_start();
    if (guard_has_lookups() && lookup_fds_refuses(fd, "close", CALLER())) return refused();
    /* A reserved fd looks closed to the program. */
    if (UNLIKELY(!files_touch(fd, false))) return not_open();
    uint64_t cookie = UNLIKELY(guard_has_pending()) ? pending_cookie(fd) : 0;
    int cancellation;
    bool keeps = guard.blocks_any; /* close might not return before files_touched */
    if (keeps) pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
    int result = real.close(fd), error = errno;
    files_touched(fd);
    if (keeps) pthread_setcancelstate(cancellation, NULL);
    struct pending unsent;
    if (UNLIKELY(cookie != 0) && result == 0 && UNLIKELY(pending_closed(cookie, &unsent)))
        inspect_closed(&unsent, CALLER());
    errno = error;
    return result;
}

/* `to` becomes a copy of `from`: from here on, writes to `to` go to the new file. */
static int becomes(int from, int to, int flags, bool three, const void *caller)
{
    if (copy_refused(from, caller) || fd_refused(from, to, caller)) return refused();
    if (from != to && guard_has_lookups() && lookup_fds_refuses(to, "replace", caller))
        return refused();
    bool claimed = false;
    if (UNLIKELY(guard_has_pending()) && guard_ready() &&
        inspect_refuses_move(from, to, &claimed, caller))
        return refused();
    /* Mark it before the copy exists, because another thread may write to it at once. */
    if (UNLIKELY(dns_watches(from)) && (dns_is_marked(from) || dns_may_ask(from))) dns_mark(to);
    bool free = LIKELY(files_touch(to, true));
    unsigned begun = inspect_making_begins();
    pending_move_begins();
    int result = !free   ? taken()
                 : three ? real.dup3(from, to, flags)
                         : real.dup2(from, to),
        error = errno;
    pending_move_ends(result);
    if (free) files_touched(to);
    if (result >= 0 && UNLIKELY((result = inspect_making_ends(begun, result)) < 0)) error = ENOBUFS;
    if (UNLIKELY(claimed)) fd_use_releases();
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
    return USING_FD(from, becomes(from, to, 0, false, CALLER()));
}

DOOR int dup3(int from, int to, int flags)
{
    if (is_ours(to) || is_ours(from)) return not_open();
    if (UNLIKELY(!real.dup3)) guard_start();
    return USING_FD(from, becomes(from, to, flags, true, CALLER()));
}

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif
#define CLOSE_RANGE_KNOWN (CLOSE_RANGE_UNSHARE | 4 /* CLOSE_RANGE_CLOEXEC */)

static int range(unsigned first, unsigned last, int flags)
{
    for (unsigned reserved;
         guard.blocks_any && (reserved = files_next_reserved(first, last)) != UINT32_MAX;
         first = reserved + 1) {
        int result =
            reserved > first ? (int)SYS_RESULT(sys_call(436, first, reserved - 1, flags)) : 0;
        if (result != 0 || reserved == last) return result;
    }
    return (int)SYS_RESULT(sys_call(436 /* close_range */, first, last, flags));
}

static bool closes_a_lookup(unsigned first, unsigned last, const void *caller)
{
    enum { MOST = 1024 };
    for (unsigned fd = first, checked = 0; fd <= last && checked < MOST; fd++, checked++)
        if (guard_has_lookups() && lookup_fds_refuses((int)fd, "close", caller)) return true;
    return false;
}

DOOR int close_range(unsigned first, unsigned last, int flags)
{
    unsigned ours = (unsigned)guard.event_fd;
    /* The guard's state of fds holds for all threads, so no thread may have an fd table of its own.
     */
    bool unshares = first <= last && (flags & CLOSE_RANGE_UNSHARE) && !(flags & ~CLOSE_RANGE_KNOWN);
    if (UNLIKELY(unshares) && guard_ready() &&
        integrity_refused("leave shared state with", "close_range", CALLER()))
        return -1;
    if (guard_has_lookups() && closes_a_lookup(first, last, CALLER())) return refused();
    if (!guard_ready() || guard.event_fd < 0 || first > ours || last < ours)
        return range(first, last, flags);
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
    /* The kernel lacks close_range (before 5.9): close one by one, up to the highest fd that this
     * process may have. */
    for (unsigned fd = first; fd < 65536; fd++)
        if ((int)fd != guard.event_fd) sys_close((int)fd);
}

static int copied(int fd, int command, void *argument, const void *caller)
{
    if (copy_refused(fd, caller)) return refused();
    if (UNLIKELY(guard_has_pending()) && guard_ready() && inspect_watches(fd))
        return inspect_copies(fd, (int)(intptr_t)argument,
                              command == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0, caller);
    unsigned begun = inspect_making_begins();
    pending_move_begins();
    int copy = real.fcntl(fd, command, argument);
    pending_move_ends(copy);
    return inspect_making_ends(begun, copy);
}

DOOR int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (is_ours(fd)) return not_open();
    bool copies = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    if (UNLIKELY(!real.fcntl)) guard_start();
    if (UNLIKELY(command == F_SETPIPE_SZ) && guard_ready() &&
        sink_would_shrink(fd, (int)(intptr_t)argument) &&
        integrity_refused("shrink", "what events go to", CALLER()))
        return -1;
    if (UNLIKELY(copies)) {
        int copy = marked(fd, USING_FD(fd, copied(fd, command, argument, CALLER())));
        bool unwanted = guard_ready() &&
                        (files_refuse_copy(copy, CALLER()) ||
                         (UNLIKELY(guard_has_pending()) && inspect_refuses_copy(copy, CALLER())));
        if (LIKELY(!unwanted)) return copy;
        sys_close(copy);
        return refused();
    }
    return real.fcntl(fd, command, argument);
}

/* The event sink may be shared with the program's output. Shut down or truncated, it would be lost
 * to both. */
static bool sink_refused(int fd, mode_t type, const char *verb, const void *caller)
{
    return guard_ready() && UNLIKELY((guard.event_mode & S_IFMT) == type) && sink_leads(fd) &&
           integrity_refused(verb, "what events go to", caller);
}

DOOR int shutdown(int fd, int how)
{
    if (is_ours(fd)) return not_open();
    if (how != SHUT_RD && sink_refused(fd, S_IFSOCK, "shut down", CALLER())) return -1;
    return real.shutdown(fd, how);
}

/* The fd of a new stream, or of a stream that has none (_IO_file_attach). */
static bool stream_refused(int fd, const void *caller)
{
    if (is_ours(fd)) return not_open() != 0;
    return (copy_refused(fd, caller) || (guard_ready() && (dns_refuses_stream(fd, caller) ||
                                                           inspect_refuses_stream(fd, caller)))) &&
           refused() != 0;
}

/* Writes the lines that are kept in memory before the process ends. */
DOOR void _exit(int status)
{
    sink_flush_last();
    sys_exit(status);
}

#include "doors_fds.gen.h"
