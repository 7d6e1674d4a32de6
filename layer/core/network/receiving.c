/* Doors that receive. They follow the Runtime API's client, learn from answers of name servers, and
 * judge fds that another process passes. */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "network/dns/dns_socket.h"
#include "files/files.h"
#include "guard/guard.h"
#include "network/first_bytes/inspect.h"
#include "network/first_bytes/pending.h"
#include "network/runtime_api/runtime_api.h"
#include "support/copied.h"
#include "support/sys.h"

static void follow(int fd, const void *bytes, ssize_t got, int flags)
{
    if (got > 0 && UNLIKELY(runtime_api_watches(fd)) && !(flags & MSG_PEEK))
        runtime_api_received(fd, bytes, (size_t)got);
}

/* Before bytes are received; for every fd but that of the Runtime API's client, one load. Returns
 * true if the call fails: errno is set. */
static inline bool refused(int fd, const void *caller)
{
    return UNLIKELY(runtime_api_watches(fd)) && guard_ready() &&
           runtime_api_refuses_receiving(fd, caller);
}

/* A connection waits for a proxy's answer. */
static inline bool hears(bool ready) { return ready && pending_hears_any(); }

static bool reads_from(int fd, void *bytes, size_t size, int flags, struct sockaddr *from,
                       socklen_t *from_size, ssize_t *got)
{
    if (!inspect_reads(fd, bytes, size, flags, got)) return false;
    if (from != NULL && from_size != NULL && *got >= 0)
        *from_size = 0; /* as for any TCP connection */
    return true;
}

static inline ssize_t read_judged(int fd, void *bytes, size_t size, const void *caller)
{
    ssize_t got;
    if (refused(fd, caller)) return -1;
    if (UNLIKELY(pending_hears_any()) && guard_ready() && inspect_reads(fd, bytes, size, 0, &got))
        return got;
    if (UNLIKELY(!real.read)) guard_start();
    return real.read(fd, bytes, size);
}

DOOR ssize_t read(int fd, void *bytes, size_t size)
{
    return read_judged(fd, bytes, size, CALLER());
}

/* The fortified doors: `room` is the size of the buffer. libc's function aborts if it is too small,
 * and else does what its namesake does. */
DOOR ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    if (UNLIKELY(size > room)) return real.__read_chk(fd, bytes, size, room);
    return read_judged(fd, bytes, size, CALLER());
}

DOOR ssize_t readv(int fd, const struct iovec *vector, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector,
                             .msg_iovlen = count > 0 ? (size_t)count : 0};
    ssize_t got;
    if (refused(fd, CALLER())) return -1;
    if (UNLIKELY(pending_hears_any()) && guard_ready() && inspect_receives(fd, &message, 0, &got))
        return got;
    if (UNLIKELY(!real.readv)) guard_start();
    return real.readv(fd, vector, count);
}

/* At offset -1 it is readv, of sockets too. */
DOOR ssize_t preadv2(int fd, const struct iovec *vector, int count, off_t offset, int flags)
{
    if (refused(fd, CALLER())) return -1;
    ssize_t got = real.preadv2(fd, vector, count, offset, flags);
    if (UNLIKELY(pending_hears_any()) && guard_ready()) inspect_received_unseen(fd);
    return got;
}

/* `from` and `from_size` may be NULL: recvfrom is recv then. */
__attribute__((noinline)) static ssize_t recvfrom_judged(int fd, void *bytes, size_t size,
                                                         int flags, struct sockaddr *from,
                                                         socklen_t *from_size, const void *caller)
{
    bool ready = guard_ready();
    if (refused(fd, caller) || (ready && dns_expects(fd) && dns_receives(fd, flags))) return -1;
    ssize_t got;
    if (LIKELY(!hears(ready)) || !reads_from(fd, bytes, size, flags, from, from_size, &got))
        got = real.recvfrom(fd, bytes, size, flags, from, from_size);
    if (ready) follow(fd, bytes, got, flags);
    return got;
}

DOOR ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    return recvfrom_judged(fd, bytes, size, flags, NULL, NULL, CALLER());
}

DOOR ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags)
{
    if (UNLIKELY(size > room)) return real.__recv_chk(fd, bytes, size, room, flags);
    return recvfrom_judged(fd, bytes, size, flags, NULL, NULL, CALLER());
}

DOOR ssize_t recvfrom(int fd, void *bytes, size_t size, int flags, struct sockaddr *from,
                      socklen_t *from_size)
{
    return recvfrom_judged(fd, bytes, size, flags, from, from_size, CALLER());
}

DOOR ssize_t __recvfrom_chk(int fd, void *bytes, size_t size, size_t room, int flags,
                            struct sockaddr *from, socklen_t *from_size)
{
    if (UNLIKELY(size > room))
        return real.__recvfrom_chk(fd, bytes, size, room, flags, from, from_size);
    return recvfrom_judged(fd, bytes, size, flags, from, from_size, CALLER());
}

/* Judges the fds that came with a message. They may be UDP sockets, or connections that another
 * process made and that no door here judged. If one may not be used, or they cannot be handed out,
 * all are closed, and the message arrives without them, as if the kernel had dropped them. */
static void judge_received(struct msghdr *message, bool refused, const void *caller)
{
    for (unsigned closes = 0; closes < 2; closes++) {
        for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
             header = CMSG_NXTHDR(message, header)) {
            if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
            for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
                int fd;
                memcpy(&fd, (const char *)header + at, sizeof fd);
                if (closes != 0) {
                    sys_close(fd);
                    continue;
                }
                dns_mark(fd);
                if (files_refuse_copy(fd, caller) || inspect_refuses_received(fd, caller))
                    refused = true;
            }
        }
        if (LIKELY(!refused)) return;
    }
    message->msg_controllen = 0;
    message->msg_flags |= MSG_CTRUNC;
}

/* More than the kernel gives to a socket of AF_UNIX. Others get IPv6 headers. */
enum { CONTROL_SHORT = 1280, CONTROL_MAX = 1 << 16 };

/* Control messages are received into memory of our own, judged there, and then handed out: in the
 * caller's memory another thread could hide an fd from us. */
static ssize_t receive_controlled(int fd, struct msghdr *own, int flags, const void *caller)
{
    char room[CONTROL_SHORT] __attribute__((aligned(8)));
    void *given = own->msg_control;
    size_t size = own->msg_controllen < CONTROL_MAX ? own->msg_controllen : CONTROL_MAX;
    char *control = size > sizeof room ? sys_scratch(size) : room;
    if (control == NULL) control = room, size = sizeof room;
    own->msg_control = COPIED_BY_HAND(control, given);
    own->msg_controllen = size;
    ssize_t got = real.recvmsg(fd, own, flags);
    if (got >= 0 && own->msg_controllen > 0) {
        judge_received(own, !sys_readable(given, own->msg_controllen), caller);
        if (own->msg_controllen > 0) memcpy(given, own->msg_control, own->msg_controllen);
    }
    if (control != room) sys_scratch_free(control, size);
    return got;
}

/* The guard is ready. */
static ssize_t receive(int fd, struct msghdr *message, int flags, const void *caller)
{
    struct msghdr own;
    if (UNLIKELY(!copied_bytes(&own, message, sizeof own))) return real.recvmsg(fd, message, flags);
    ssize_t got = own.msg_control != NULL && own.msg_controllen > 0
                      ? receive_controlled(fd, &own, flags, caller)
                      : real.recvmsg(fd, &own, flags);
    if (got < 0) return got;
    message->msg_namelen = own.msg_namelen;
    message->msg_controllen = own.msg_controllen;
    message->msg_flags = own.msg_flags;
    return got;
}

DOOR ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    bool ready = guard_ready();
    if (refused(fd, CALLER()) || (ready && dns_expects(fd) && dns_receives(fd, flags))) return -1;
    ssize_t got;
    if (UNLIKELY(hears(ready)) && inspect_receives(fd, message, flags, &got)) {
        /* A TCP connection gives no address and no control messages. */
        if (got >= 0) message->msg_namelen = 0, message->msg_controllen = 0, message->msg_flags = 0;
        return got;
    }
    return ready ? receive(fd, message, flags, CALLER()) : real.recvmsg(fd, message, flags);
}

/* Answers of name servers are not learnt here: the door cannot know in advance which of them are in
 * the queue. Fds come by AF_UNIX only, and one message after another. */
DOOR int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct timespec *timeout)
{
    int domain = 0;
    socklen_t size = sizeof domain;
    if (refused(fd, CALLER())) return -1;
    if (!guard_ready() ||
        sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 ||
        domain != AF_UNIX) {
        int got = real.recvmmsg(fd, messages, count, flags, timeout);
        if (UNLIKELY(pending_hears_any()) && guard_ready()) inspect_received_unseen(fd);
        return got;
    }
    struct timespec now, end = {0};
    if (timeout != NULL) clock_gettime(CLOCK_MONOTONIC, &end);
    for (unsigned i = 0; i < count; i++) {
        ssize_t got = receive(fd, &messages[i].msg_hdr, flags & ~MSG_WAITFORONE, CALLER());
        if (got < 0) return i > 0 ? (int)i : -1;
        messages[i].msg_len = (unsigned)got;
        if (flags & MSG_WAITFORONE) flags |= MSG_DONTWAIT;
        if (timeout == NULL) continue;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - end.tv_sec - timeout->tv_sec) * 1000000000 + now.tv_nsec - end.tv_nsec >=
            timeout->tv_nsec)
            return (int)i + 1;
    }
    return (int)count;
}

#include "doors_receiving.gen.h"
