/* A proxy's answer to CONNECT, as far as it has been received. See inspect.h.
 *
 * The door peeks at the bytes in the kernel's queue, and then receives no more than it has seen. If
 * bytes were received in another way, the connection never becomes a tunnel. */
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>

#include "files/files.h"
#include "guard/guard.h"
#include "network/first_bytes/inspect_parts.h"
#include "support/lock.h"
#include "support/sys.h"

enum { COPY_MAX = 16384, PARTS = 16, TAKES = SYS_SPINS + 200 };

/* Returns true if the kernel has received as many bytes as we have seen, or does not say. */
static bool saw_all(int fd, const struct proxy_answer *answer)
{
    struct {
        uint8_t before[128];
        uint64_t bytes_received; /* in struct tcp_info since Linux 4.1 */
    } info = {0};
    socklen_t size = sizeof info;
    int waiting = 0;
    if (sys_call(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < sizeof info)
        return true;
    if (sys_call(SYS_ioctl, fd, SIOCINQ, &waiting) != 0) return true;
    return info.bytes_received - (uint64_t)waiting == answer->seen;
}

static void hear(int fd, struct pending *entry, const char *bytes, size_t size)
{
    switch (proxy_answer_feed(&entry->answer, bytes, size, entry->kind == PENDING_ASKED)) {
    case PROXY_SAID_NO:
        if (entry->kind == PENDING_ASKED) entry->kind = PENDING_PROXY;
        return;
    case PROXY_SAID_YES:
        if (entry->kind != PENDING_ASKED || entry->deaf || !saw_all(fd, &entry->answer)) {
            entry->deaf = true;
            return;
        }
        entry->kind = entry->behind;
        memset(&entry->flow, 0, sizeof entry->flow);
        return;
    default: return;
    }
}

/* Receives at most `most` bytes: those that were seen. */
static ssize_t take(int fd, const struct msghdr *message, size_t most, int flags)
{
    struct msghdr limited = *message;
    struct iovec parts[PARTS];
    size_t count = 0;
    for (size_t i = 0; i < message->msg_iovlen && count < PARTS && most > 0; i++) {
        parts[count] = message->msg_iov[i];
        if (parts[count].iov_len > most) parts[count].iov_len = most;
        most -= parts[count++].iov_len;
    }
    limited.msg_iov = parts;
    limited.msg_iovlen = count;
    return real.recvmsg(fd, &limited, flags | MSG_DONTWAIT);
}

enum outcome { TAKEN, AGAIN, NOT_OURS };

/* Call it when bytes can be received, or the connection has ended. */
static enum outcome receive_seen(int fd, uint64_t cookie, const struct msghdr *message, size_t size,
                                 int flags, char *copy, ssize_t *result)
{
    struct pending entry;
    for (unsigned tries = 0; !pending_take(cookie, &entry); tries++) {
        if (!entry.busy || tries == TAKES) return NOT_OURS;
        lock_pause(tries);
    }
    enum outcome outcome = NOT_OURS;
    if (pending_hears(&entry)) {
        long seen = sys_call(SYS_recvfrom, fd, copy, size < COPY_MAX ? size : COPY_MAX,
                             MSG_PEEK | MSG_DONTWAIT, NULL, NULL);
        outcome = seen == -EAGAIN ? AGAIN : NOT_OURS;
        if (seen > 0) {
            *result = take(fd, message, (size_t)seen, flags);
            if (*result > 0) hear(fd, &entry, copy, (size_t)*result);
            outcome = TAKEN;
        }
    }
    pending_give(cookie, &entry);
    return outcome;
}

bool inspect_peeks_elsewhere(int fd) { return sys_socket_option(fd, SOL_SOCKET, SO_PEEK_OFF) >= 0; }

static size_t size_of(const struct msghdr *message)
{
    size_t size = 0;
    for (size_t i = 0; i < message->msg_iovlen && i < PARTS && size < COPY_MAX; i++)
        size += message->msg_iov[i].iov_len;
    return size;
}

static bool receives(int fd, uint64_t cookie, const struct msghdr *message, int flags,
                     ssize_t *result)
{
    enum { WAITS = 64 };
    size_t size = size_of(message);
    char *copy = sys_scratch(COPY_MAX);
    bool done = false;
    for (unsigned waits = 0; copy != NULL && size > 0 && waits < WAITS && !done; waits++) {
        char byte;
        /* Waits as the caller's own call would. */
        long first =
            sys_call(SYS_recvfrom, fd, &byte, 1, (flags & MSG_DONTWAIT) | MSG_PEEK, NULL, NULL);
        if (first < 0) {
            errno = (int)-first;
            *result = -1;
            done = true;
            break;
        }
        enum outcome outcome =
            first == 0 ? NOT_OURS : receive_seen(fd, cookie, message, size, flags, copy, result);
        if (outcome == NOT_OURS) break;
        done = outcome == TAKEN;
    }
    sys_scratch_free(copy, COPY_MAX);
    return done;
}

bool inspect_receives(int fd, const struct msghdr *message, int flags, ssize_t *result)
{
    struct pending entry;
    int error = errno;
    /* These flags take nothing from the stream. On bad pointers the kernel returns EFAULT. */
    if (flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE) || !sys_readable(message, sizeof *message))
        return false;
    size_t parts = message->msg_iovlen < PARTS ? message->msg_iovlen : PARTS;
    if (parts == 0 || !sys_readable(message->msg_iov, parts * sizeof *message->msg_iov))
        return false;
    int cancellation, own = sys_own_fd(fd);
    if (own < 0) {
        inspect_received_unseen(fd);
        errno = error;
        return false;
    }
    /* A cancelled thread would never give the entry back. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
    own = files_reserve(own);
    uint64_t cookie = pending_cookie(own);
    bool done = false;
    if (pending_find(cookie, &entry) && pending_hears(&entry)) {
        /* Not for callers that wait for all bytes, or discard them. */
        if (!(flags & (MSG_WAITALL | MSG_TRUNC)) && !inspect_peeks_elsewhere(own))
            done = receives(own, cookie, message, flags, result);
        if (!done) pending_deafen(cookie);
    }
    if (done) error = errno;
    files_release(own);
    pthread_setcancelstate(cancellation, NULL);
    errno = error;
    return done;
}

bool inspect_reads(int fd, void *bytes, size_t size, int flags, ssize_t *result)
{
    struct iovec vector = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return inspect_receives(fd, &message, flags, result);
}

void inspect_received_unseen(int fd)
{
    int error = errno;
    struct pending entry;
    uint64_t cookie = pending_cookie(fd);
    if (pending_find(cookie, &entry) && pending_hears(&entry)) pending_deafen(cookie);
    errno = error;
}

void inspect_closed(const struct pending *entry, const void *caller)
{
    (void)inspect_violates_by(entry, judging_hello_words[HELLO_SPLIT], caller);
}
