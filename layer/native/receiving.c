/* The doors of what is received: the Runtime API's client is followed, answers of name servers are learnt, descriptors that
 * another process hands over are kept in sight. */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "dns_socket.h"
#include "files.h"
#include "guard.h"
#include "inspect.h"
#include "runtime_api.h"
#include "sys.h"

static ssize_t missing(void)
{
    errno = ENOSYS;
    return -1;
}

static void follow(int fd, const void *bytes, ssize_t got, int flags)
{
    if (got > 0 && UNLIKELY(fd == atomic_load_explicit(&runtime_api_fd, memory_order_relaxed)) && !(flags & MSG_PEEK))
        runtime_api_received(fd, bytes, (size_t)got);
}

DOOR ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    bool ready = guard_ready();
    if (ready && dns_expects(fd) && dns_receives(fd, flags)) return -1;
    ssize_t got = real.recv(fd, bytes, size, flags);
    if (ready) follow(fd, bytes, got, flags);
    return got;
}

/* The fortified recv: `room` is the size of the buffer, and the real one aborts where that is too small. */
DOOR ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags)
{
    bool ready = guard_ready();
    if (ready && dns_expects(fd) && dns_receives(fd, flags)) return -1;
    ssize_t got = real.__recv_chk != NULL ? real.__recv_chk(fd, bytes, size, room, flags) : missing();
    if (ready) follow(fd, bytes, got, flags);
    return got;
}

DOOR ssize_t recvfrom(int fd, void *bytes, size_t size, int flags, struct sockaddr *from, socklen_t *from_size)
{
    bool ready = guard_ready();
    if (ready && dns_expects(fd) && dns_receives(fd, flags)) return -1;
    ssize_t got = real.recvfrom(fd, bytes, size, flags, from, from_size);
    if (ready) follow(fd, bytes, got, flags);
    return got;
}

DOOR ssize_t __recvfrom_chk(int fd, void *bytes, size_t size, size_t room, int flags, struct sockaddr *from, socklen_t *from_size)
{
    if (guard_ready() && dns_expects(fd) && dns_receives(fd, flags)) return -1;
    return real.__recvfrom_chk != NULL ? real.__recvfrom_chk(fd, bytes, size, room, flags, from, from_size) : missing();
}

/* Descriptors that came with a message. They may be UDP sockets; a connection that another process made was judged by nobody
 * here. Where one may not be used, all are closed, and the message comes without any, as where the kernel drops them. */
static void judge_received(struct msghdr *message, const void *caller)
{
    bool refused = false;
    if (message->msg_control == NULL) return;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
            int fd;
            memcpy(&fd, (const char *)header + at, sizeof fd);
            dns_mark(fd);
            if (files_refuse_copy(fd, caller) || inspect_refuses_received(fd, caller)) refused = true;
        }
    }
    if (LIKELY(!refused)) return;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
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
    ssize_t got = real.recvmsg(fd, message, flags);
    if (ready && got >= 0 && UNLIKELY(message->msg_controllen > 0)) judge_received(message, CALLER());
    return got;
}

/* Answers that are received so are not learnt: which of them lie in the queue is not known before. */
DOOR int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    int got = real.recvmmsg(fd, messages, count, flags, timeout);
    if (!guard_ready()) return got;
    for (int i = 0; i < got; i++) {
        if (UNLIKELY(messages[i].msg_hdr.msg_controllen > 0)) judge_received(&messages[i].msg_hdr, CALLER());
    }
    return got;
}

#include "aliases_receiving.gen.h"
