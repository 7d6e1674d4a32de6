/* Sends on inspected connections. See inspect.h. * The bytes are read as one stream, however the
 * caller splits them. Complete greetings, heads and bodies are sent. An unfinished rest is kept
 * in a copy until more is written, but the caller is told that it was written. If nothing
 * blocks, everything is sent at once, and the copy is only read. */
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "guard/guard.h"
#include "network/first_bytes/inspect_parts.h"
#include "network/network.h"
#include "network/runtime_api/runtime_api.h"
#include "support/copied.h"
#include "support/sys.h"

enum { COPY_MAX = PENDING_REST_MAX };

/* Appends the bytes of `message`, without the first `skip`, to the `*size` bytes in `copy`, as
 * many as fit. Returns false if they cannot be read. */
static bool gather(const struct msghdr *message, size_t skip, uint8_t *copy, size_t *size)
{
    size_t count = message->msg_iovlen < IOV_MAX ? message->msg_iovlen : IOV_MAX;
    if (count > 0 && !sys_readable(message->msg_iov, count * sizeof *message->msg_iov))
        return false;
    for (size_t i = 0; i < count && *size < COPY_MAX; i++) {
        struct iovec part = message->msg_iov[i];
        size_t passed = skip < part.iov_len ? skip : part.iov_len;
        skip -= passed;
        part.iov_base = (char *)part.iov_base + passed;
        part.iov_len -= passed;
        if (part.iov_len > COPY_MAX - *size) part.iov_len = COPY_MAX - *size;
        if (part.iov_len == 0) continue;
        /* Check every page, because one in the middle could be unmapped. */
        for (size_t at = 0; at < part.iov_len; at += 4096)
            if (!sys_readable((const char *)part.iov_base + at,
                              part.iov_len - at < 4096 ? part.iov_len - at : 4096))
                return false;
        memcpy(copy + *size, part.iov_base, part.iov_len);
        *size += part.iov_len;
    }
    return true;
}

static ssize_t fails(int error) { return errno = error, -1; }

static void cut(int fd) { sys_call(SYS_shutdown, fd, SHUT_RDWR); }

/* The word for a rest that is still unfinished when the copy is full. */
static const char unfinished[] = "unfinished";

struct outgoing {
    int fd, flags;
    const void *caller;
    struct pending *entry;
    struct msghdr piece; /* its name and control, for the first call */
    char *given; /* the caller's first bytes */
    uint8_t *copy; /* the rest, and then the caller's bytes */
    size_t size; /* of it */
};

/* Keeps the bytes of the copy between `from` and `to`, which the caller is told were written. `out`
 * of them have left. */
static bool keep(struct outgoing *sending, size_t from, size_t to, size_t out)
{
    struct pending *entry = sending->entry;
    if (from == to) {
        pending_rest_free(entry);
        return true;
    }
    if (entry->rest == NULL && (entry->rest = pending_rest_new()) == NULL) return false;
    memcpy(entry->rest, sending->copy + from, to - from);
    entry->rest_size = (uint32_t)(to - from);
    entry->rest_out = (uint32_t)(out > from ? out - from : 0);
    return true;
}

/* A greeting was sent in part, and another process with the socket could complete it
 * differently. */
static bool is_shared_greeting(const struct pending *entry)
{
    return (entry->passed || atomic_load(&inspect_shared)) && entry->kind != PENDING_HTTP &&
           entry->kind != PENDING_PROXY && entry->kind != PENDING_TUNNEL_HTTP &&
           entry->kind != PENDING_PERMITTED;
}

static ssize_t hand_over(struct outgoing *sending, size_t from, size_t to)
{
    struct iovec vector = {.iov_base = COPIED_BY_HAND(sending->copy, sending->given) + from,
                           .iov_len = to - from};
    sending->piece.msg_iov = &vector;
    sending->piece.msg_iovlen = 1;
    return real.sendmsg(sending->fd, &sending->piece, sending->flags);
}

enum sent { SENT_ALL, SENT_PART, SENT_NOT, SENT_BY_OTHERS };

static enum sent refuse(struct outgoing *sending, const struct finding *finding, ssize_t *result)
{
    if (!inspect_violates(sending->entry, finding, sending->caller)) {
        /* The bytes may be anything. Send them after those written before. */
        if (sending->entry->rest_out < sending->entry->rest_size)
            (void)hand_over(sending, sending->entry->rest_out, sending->entry->rest_size);
        pending_rest_free(sending->entry);
        sending->entry->kind = PENDING_FREE;
        return SENT_BY_OTHERS;
    }
    pending_rest_free(sending->entry);
    cut(sending->fd);
    *result = fails(EACCES);
    return SENT_NOT;
}

/* Judges the copy, of which the first `before` bytes are the rest of earlier calls, and sends what
 * may leave. SENT_BY_OTHERS: reported and let through, nothing was sent. `*result`: how many of the
 * caller's bytes were taken, or the call's failure. */
static enum sent send_judged(struct outgoing *sending, ssize_t *result)
{
    struct pending *entry = sending->entry, after = *entry;
    struct finding finding = {0};
    size_t before = entry->rest_size, gone = entry->rest_out, size = sending->size, used = size;
    if (sending->flags & MSG_OOB && entry->kind != PENDING_FREE)
        finding.word = "out_of_band"; /* out-of-band: the peer does not read it in this place */
    else if (size > 0)
        used = judging_bytes(sending->copy, size, &after, &finding);
    bool waits = finding.word == NULL && used < size;
    if (waits && used == 0 && size == COPY_MAX) finding.word = unfinished;
    /* If nothing may be sent, do not make the call that would connect. */
    if (waits && (sending->flags & MSG_FASTOPEN || sending->piece.msg_namelen > 0))
        finding.word = judging_hello_words[HELLO_SPLIT];
    if (finding.word != NULL) return refuse(sending, &finding, result);
    size_t limit = waits && inspect_blocks(entry) ? used : size, from = gone < limit ? gone : limit;
    ssize_t sent = hand_over(sending, from, limit);
    if (sent < 0) {
        *result = sent;
        return SENT_NOT;
    }
    size_t out = from + (size_t)sent, taken = size;
    if (UNLIKELY(out < limit)) {
        /* Update the entry for the bytes that were sent, at least those of earlier calls. */
        struct finding none = {0};
        after = *entry;
        used = judging_bytes(sending->copy, out, &after, &none);
        taken = out > before ? out : before;
    }
    if (out < gone) out = gone;
    bool shared = out > used && is_shared_greeting(&after) && inspect_blocks(entry);
    *entry = after;
    if (shared || !keep(sending, used, taken, out)) {
        finding.word = shared ? judging_hello_words[HELLO_SPLIT] : "too_many";
        if (inspect_violates(entry, &finding, sending->caller))
            cut(sending->fd);
        else
            entry->kind = PENDING_FREE;
    }
    *result = (ssize_t)(taken - before);
    if (taken == size) return SENT_ALL;
    if (*result == 0) *result = fails(EAGAIN);
    return SENT_PART;
}

/* Call it with `cookie` taken. Sends piece by piece, until everything is sent or nothing needs
 * to be inspected any more. Returns true if the call is done. */
static bool sends_copy(int fd, uint64_t cookie, struct pending *entry, const struct msghdr *message,
                       int flags, const void *caller, ssize_t *result)
{
    struct outgoing sending = {.fd = fd,
                               .flags = flags,
                               .caller = caller,
                               .entry = entry,
                               .piece = *message,
                               .given = COPIED_BY_HAND(NULL, message->msg_iov->iov_base)};
    size_t total = 0;
    enum sent sent = SENT_NOT;
    int cancellation;
    /* A cancelled thread would never give the entry back. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
    sending.copy = sys_scratch(COPY_MAX);
    *result = sending.copy == NULL ? fails(ENOBUFS) : 0;
    while (sending.copy != NULL) {
        if (entry->rest_size > 0) memcpy(sending.copy, entry->rest, entry->rest_size);
        sending.size = entry->rest_size;
        if (!gather(message, total, sending.copy, &sending.size)) {
            *result = fails(EFAULT);
            break;
        }
        bool last = sending.size < COPY_MAX;
        if (sending.size == entry->rest_size && total > 0) break;
        sent = send_judged(&sending, result);
        if (sent == SENT_BY_OTHERS && total > 0) continue; /* send the others too */
        if (sent != SENT_ALL) break;
        total += (size_t)*result;
        if (last) break;
        /* The rest leaves in this same call, even if it needs no inspection any more. */
        sending.piece.msg_name = NULL;
        sending.piece.msg_namelen = 0;
        sending.piece.msg_control = NULL;
        sending.piece.msg_controllen = 0;
    }
    sys_scratch_free(sending.copy, COPY_MAX);
    pending_give(cookie, entry);
    pthread_setcancelstate(cancellation, NULL);
    if (sent == SENT_BY_OTHERS && total == 0) return false;
    if (sent == SENT_PART && *result > 0) total += (size_t)*result;
    if (total > 0) *result = (ssize_t)total;
    return true;
}

bool inspect_sends(int fd, const struct msghdr *message, int flags, const void *caller,
                   ssize_t *result)
{
    struct pending entry;
    int error = errno;
    uint64_t cookie = pending_cookie(fd);
    if (LIKELY(!pending_find(cookie, &entry))) return false;
    /* A datagram with an address goes there, and was judged. */
    if (message->msg_name != NULL && message->msg_namelen > 0 && entry.kind == PENDING_DATAGRAM)
        return false;
    if (!inspect_still_pending(fd, &entry)) return errno = error, false;
    struct pending kept;
    if (!pending_take(cookie, &kept)) {
        if (!kept.busy && kept.kind == PENDING_FREE)
            return false; /* just finished by another thread */
        if (!inspect_violates_by(&entry, "at_once", caller)) return false;
        cut(fd);
        *result = fails(EACCES);
        return true;
    }
    errno = error;
    if (kept.kind == entry.kind) {
        entry = kept;
    } else {
        /* It leads elsewhere now, so the rest of the old connection is void. */
        pending_rest_free(&kept);
        entry.rest = NULL;
        entry.rest_size = entry.rest_out = 0;
        entry.serial = kept.serial;
    }
    return sends_copy(fd, cookie, &entry, message, flags, caller, result);
}

bool inspect_refuses_unseen(int fd, const void *caller)
{
    struct pending entry;
    uint64_t cookie = pending_cookie(fd);
    if (!pending_find(cookie, &entry) || !inspect_still_pending(fd, &entry)) return false;
    if (!inspect_violates_by(&entry, "unseen", caller)) {
        pending_remove(cookie);
        return false;
    }
    cut(fd);
    errno = EACCES;
    return true;
}
