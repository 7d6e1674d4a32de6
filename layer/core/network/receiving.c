/* Doors that receive. They follow the Runtime API's client, learn from answers of name servers, and
 * judge fds that another process passes. */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "network/dns/dns_socket.h"
#include "files/files.h"
#include "guard/guard.h"
#include "network/first_bytes/inspect.h"
#include "network/first_bytes/pending.h"
#include "network/runtime_api/runtime_api.h"
#include "support/sys.h"

static void follow(int fd, const void *bytes, ssize_t got, int flags)
{
    if (got > 0 && UNLIKELY(runtime_api_watches(fd)) && !(flags & MSG_PEEK))
        runtime_api_received(fd, bytes, (size_t)got);
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

DOOR ssize_t read(int fd, void *bytes, size_t size)
{
    ssize_t got;
    if (UNLIKELY(pending_hears_any()) && guard_ready() && inspect_reads(fd, bytes, size, 0, &got))
        return got;
    if (UNLIKELY(!real.read)) guard_start();
    return real.read(fd, bytes, size);
}

DOOR ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    ssize_t got;
    if (UNLIKELY(pending_hears_any()) && guard_ready() && size <= room &&
        inspect_reads(fd, bytes, size, 0, &got))
        return got;
    if (UNLIKELY(!real.__read_chk)) guard_start();
    return real.__read_chk(fd, bytes, size, room);
}

DOOR ssize_t readv(int fd, const struct iovec *vector, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector,
                             .msg_iovlen = count > 0 ? (size_t)count : 0};
    ssize_t got;
    if (UNLIKELY(pending_hears_any()) && guard_ready() && inspect_receives(fd, &message, 0, &got))
        return got;
    if (UNLIKELY(!real.readv)) guard_start();
    return real.readv(fd, vector, count);
}

DOOR ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    bool ready = guard_ready();
    if (ready && dns_expects(fd) && dns_receives(fd, flags)) return -1;
    ssize_t got;
    if (LIKELY(!hears(ready)) || !inspect_reads(fd, bytes, size, flags, &got))
        got = real.recv(fd, bytes, size, flags);
    if (ready) follow(fd, bytes, got, flags);
    return got;
}

/* The fortified recv: `room` is the size of the buffer. libc's function aborts if it is too small.
 */
DOOR ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags)
{
    bool ready = guard_ready();
    if (ready && dns_expects(fd) && dns_receives(fd, flags)) return -1;
    ssize_t got;
    if (LIKELY(!hears(ready)) || size > room || !inspect_reads(fd, bytes, size, flags, &got))
        got = real.__recv_chk(fd, bytes, size, room, flags);
    if (ready) follow(fd, bytes, got, flags);
    return got;
}

DOOR ssize_t recvfrom(int fd, void *bytes, size_t size, int flags, struct sockaddr *from,
                      socklen_t *from_size)
{
    bool ready = guard_ready();
    if (ready && dns_expects(fd) && dns_receives(fd, flags)) return -1;
    ssize_t got;
    if (LIKELY(!hears(ready)) || !reads_from(fd, bytes, size, flags, from, from_size, &got))
        got = real.recvfrom(fd, bytes, size, flags, from, from_size);
    if (ready) follow(fd, bytes, got, flags);
    return got;
}

DOOR ssize_t __recvfrom_chk(int fd, void *bytes, size_t size, size_t room, int flags,
                            struct sockaddr *from, socklen_t *from_size)
{
    bool ready = guard_ready();
    ssize_t got;
    if (ready && dns_expects(fd) && dns_receives(fd, flags)) return -1;
    if (UNLIKELY(hears(ready)) && size <= room &&
        reads_from(fd, bytes, size, flags, from, from_size, &got))
        return got;
    return real.__recvfrom_chk(fd, bytes, size, room, flags, from, from_size);
}

/* Judges the fds that came with a message. They may be UDP sockets, or connections that another
 * process made and that no door here judged. If one may not be used, all are closed, and the
 * message arrives without them, as if the kernel had dropped them. */
static void judge_received(struct msghdr *message, const void *caller)
{
    bool refused = false;
    if (message->msg_control == NULL) return;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
            int fd;
            memcpy(&fd, (const char *)header + at, sizeof fd);
            dns_mark(fd);
            if (files_refuse_copy(fd, caller) || inspect_refuses_received(fd, caller))
                refused = true;
        }
    }
    if (LIKELY(!refused)) return;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
            int fd;
            memcpy(&fd, (const char *)header + at, sizeof fd);
            sys_close(fd);
        }
    }
    message->msg_controllen = 0;
    message->msg_flags |= MSG_CTRUNC;
}

DOOR ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    bool ready = guard_ready();
    if (ready && dns_expects(fd) && dns_receives(fd, flags)) return -1;
    ssize_t got;
    if (UNLIKELY(hears(ready)) && inspect_receives(fd, message, flags, &got)) {
        /* A TCP connection gives no address and no control messages. */
        if (got >= 0) message->msg_namelen = 0, message->msg_controllen = 0, message->msg_flags = 0;
        return got;
    }
    got = real.recvmsg(fd, message, flags);
    if (ready && got >= 0 && UNLIKELY(message->msg_controllen > 0))
        judge_received(message, CALLER());
    return got;
}

/* Answers of name servers are not learnt here: the door cannot know in advance which of them are in
 * the queue. */
DOOR int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct timespec *timeout)
{
    int got = real.recvmmsg(fd, messages, count, flags, timeout);
    if (!guard_ready()) return got;
    if (UNLIKELY(pending_hears_any())) inspect_received_unseen(fd);
    for (int i = 0; i < got; i++) {
        if (UNLIKELY(messages[i].msg_hdr.msg_controllen > 0))
            judge_received(&messages[i].msg_hdr, CALLER());
    }
    return got;
}

#include "doors_receiving.gen.h"
