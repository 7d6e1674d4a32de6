/* Doors that send. */
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "network/first_bytes/fd_use.h"
#include "network/destination.h"
#include "network/dns/dns_socket.h"
#include "guard/guard.h"
#include "events/lines.h"
#include "network/first_bytes/inspect.h"
#include "network/names/lookup_fds.h"
#include "network/network.h"
#include "network/options.h"
#include "network/runtime_api/runtime_api.h"
#include "support/copied.h"
#include "support/sys.h"

/* Before bytes leave by `fd`. Returns true if a unit that watches the connection has made the call
 * or refused it: `*result` and errno are those of the call. */
static inline bool sends(int fd, const struct msghdr *message, int flags, const void *caller,
                         ssize_t *result)
{
    if (!guard_ready()) return false;
    return (UNLIKELY(runtime_api_watches(fd)) &&
            runtime_api_sends(fd, message->msg_iov, message->msg_iovlen, caller, result)) ||
           (UNLIKELY(guard_has_pending()) && inspect_sends(fd, message, flags, caller, result)) ||
           (UNLIKELY(dns_watches(fd)) && dns_sends(fd, message, flags, caller, result));
}

/* The same for calls whose bytes no door can read. Returns true if it must fail: errno is set. */
static bool sends_unseen(int fd, const void *caller)
{
    ssize_t result;
    return guard_ready() &&
           ((UNLIKELY(runtime_api_watches(fd)) && runtime_api_sends_unseen(fd, caller, &result)) ||
            (UNLIKELY(dns_watches(fd)) && dns_refuses_unseen(fd, caller)) ||
            (UNLIKELY(guard_has_pending()) && inspect_refuses_unseen(fd, caller)));
}

/* A message of one buffer. */
#define ONE_BUFFER(name, bytes, size)                                                              \
    struct iovec name##_vector = {.iov_base = (void *)(uintptr_t)(bytes), .iov_len = (size)};      \
    struct msghdr name = {.msg_iov = &name##_vector, .msg_iovlen = 1}

static ssize_t judged_send(int fd, const void *bytes, size_t size, int flags, const void *caller)
{
    ssize_t result;
    ONE_BUFFER(message, bytes, size);
    return sends(fd, &message, flags, caller, &result) ? result : real.send(fd, bytes, size, flags);
}

static ssize_t judged_sendto(int fd, const void *bytes, size_t size, int flags,
                             const struct sockaddr *address, socklen_t length, const void *caller)
{
    if (!guard_ready()) return real.sendto(fd, bytes, size, flags, address, length);
    char copy[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    ONE_BUFFER(message, bytes, size);
    ssize_t result;
    if (address != NULL && length > sizeof copy)
        return real.sendto(fd, bytes, size, flags, address, length); /* EINVAL */
    if (address == NULL || length == 0)
        return sends(fd, &message, flags, caller, &result)
                   ? result
                   : real.sendto(fd, bytes, size, flags, address, length);
    if (UNLIKELY(runtime_api_watches(fd)) &&
        runtime_api_sends(fd, message.msg_iov, 1, caller, &result))
        return result;
    if (UNLIKELY(!copied_bytes(copy, address, length))) return destination_unreadable(fd);
    if (destination_is_ignored(fd, copy, length))
        return judged_send(fd, bytes, size, flags, caller);
    message.msg_name = COPIED_BY_HAND(copy, (void *)(uintptr_t)address);
    message.msg_namelen = length;
    struct address read;
    address_read(copy, length, true, &read);
    destination_settles(copy, &read);
    if (UNLIKELY(network_asks_resolver(&read)) && dns_sends(fd, &message, flags, caller, &result))
        return result;
    int own;
    if (destination_refuses(fd, &own, &read, false, flags, "send", caller))
        return destination_refused(own, fd);
    if (UNLIKELY(own < 0 && fd >= 0)) return (int)SYS_RESULT(own);
    if (UNLIKELY(guard_has_pending()) && inspect_sends(own, &message, flags, caller, &result))
        return destination_finish(own, fd, result);
    struct destination_file file;
    if (!destination_holds(&read, &file, caller)) return destination_finish(own, fd, -1);
    const void *to = file.fd < 0 ? message.msg_name : &file.address;
    result = real.sendto(own, bytes, size, flags, to, file.fd < 0 ? length : file.size);
    destination_release(&file);
    return destination_finish(own, fd, result);
}

#define CONTROL_MAX   1280 /* SCM_RIGHTS with as many fds as the kernel takes, and more */
#define CONTROL_LARGE ((size_t)1 << 24)

/* Refuses source routes, devices, and fds that may not be passed on. `control` is a copy. */
static bool refuses_control(const char *control, size_t size, const void *caller)
{
    struct cmsghdr header;
    for (size_t at = 0; size - at >= sizeof header;) {
        memcpy(&header, control + at, sizeof header);
        if (header.cmsg_len < sizeof header || header.cmsg_len > size - at) return false;
        const char *way =
            options_message_way(header.cmsg_level, header.cmsg_type, control + at + sizeof header,
                                header.cmsg_len - sizeof header);
        if (way != NULL && network_refuses_kind("send", way, caller)) return true;
        if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_RIGHTS) {
            for (size_t from = CMSG_LEN(0); from + sizeof(int) <= header.cmsg_len;
                 from += sizeof(int)) {
                int passed;
                memcpy(&passed, control + at + from, sizeof passed);
                if (inspect_refuses_passing(passed, caller) || dns_refuses_copy(passed, caller))
                    return true;
                /* Its client's connect looks at both in the other order. */
                if ((guard_has_lookups() && lookup_fds_refuses(passed, "pass on", caller)) ||
                    !inspect_passes(passed) || runtime_api_refuses_copy(passed, caller))
                    return true;
            }
        }
        size_t step = CMSG_ALIGN(header.cmsg_len);
        if (step > size - at) return false;
        at += step;
    }
    return false;
}

static ssize_t send_copy(int fd, const struct msghdr *copy, int flags, const void *caller)
{
    ssize_t result;
    if (UNLIKELY(runtime_api_watches(fd)) &&
        runtime_api_sends(fd, copy->msg_iov, copy->msg_iovlen, caller, &result))
        return result;
    bool named = copy->msg_name != NULL && copy->msg_namelen > 0;
    if (UNLIKELY(guard_has_pending()) && inspect_sends(fd, copy, flags, caller, &result))
        return result;
    if (UNLIKELY(dns_watches(fd)) && !named && dns_sends(fd, copy, flags, caller, &result))
        return result;
    return real.sendmsg(fd, copy, flags);
}

/* Copies the control messages to `control`, which has room for them, and judges them. */
static ssize_t send_controlled(int fd, struct msghdr *copy, char *control, int flags,
                               const void *caller)
{
    const char *given = copy->msg_control;
    size_t size = copy->msg_controllen;
    if (UNLIKELY(!copied_bytes(control, given, size))) return destination_unreadable(fd);
    copy->msg_control = control;
    if (refuses_control(control, size, caller)) return errno = EACCES, -1;
    return send_copy(fd, copy, flags, caller);
}

static ssize_t send_message(int fd, const struct msghdr *message, int flags, const void *caller)
{
    int own = fd;
    struct msghdr copy;
    if (UNLIKELY(!copied_bytes(&copy, message, sizeof copy))) return destination_unreadable(fd);
    char name[ADDRESS_SIZE_MAX] __attribute__((aligned(8)));
    char control[CONTROL_MAX] __attribute__((aligned(8)));
    struct destination_file file __attribute__((cleanup(destination_release))) = {.fd = -1};
    if (copy.msg_name != NULL && copy.msg_namelen > 0 && copy.msg_namelen <= INT_MAX) {
        /* The kernel truncates a longer name. */
        if (copy.msg_namelen > sizeof name) copy.msg_namelen = sizeof name;
        if (UNLIKELY(!copied_bytes(name, copy.msg_name, copy.msg_namelen)))
            return destination_unreadable(fd);
        copy.msg_name = COPIED_BY_HAND(name, copy.msg_name);
        if (destination_is_ignored(fd, name, copy.msg_namelen))
            copy.msg_name = NULL, copy.msg_namelen = 0;
        ssize_t result;
        struct address read;
        address_read(name, copy.msg_namelen, true, &read);
        destination_settles(name, &read);
        if (UNLIKELY(network_asks_resolver(&read)) && dns_sends(fd, &copy, flags, caller, &result))
            return result;
        if (destination_refuses(fd, &own, &read, false, flags, "send", caller))
            return destination_refused(own, fd);
        if (UNLIKELY(own < 0 && fd >= 0)) return (int)SYS_RESULT(own);
        if (!destination_holds(&read, &file, caller)) return destination_finish(own, fd, -1);
        if (file.fd >= 0) {
            copy.msg_name = &file.address;
            copy.msg_namelen = file.size;
        }
    }
    if (copy.msg_control == NULL || copy.msg_controllen == 0)
        return destination_finish(own, fd, send_copy(own, &copy, flags, caller));
    if (LIKELY(copy.msg_controllen <= sizeof control))
        return destination_finish(own, fd, send_controlled(own, &copy, control, flags, caller));
    /* Control messages that the kernel ignores can precede those that it obeys. It accepts as many
     * bytes as net.core.optmem_max allows. */
    char *large = copy.msg_controllen <= CONTROL_LARGE ? sys_scratch(copy.msg_controllen) : NULL;
    if (large == NULL) return errno = ENOBUFS, destination_finish(own, fd, -1);
    size_t size = copy.msg_controllen;
    ssize_t result = send_controlled(own, &copy, large, flags, caller);
    sys_scratch_free(large, size);
    return destination_finish(own, fd, result);
}

static ssize_t judged_sendmsg(int fd, const struct msghdr *message, int flags, const void *caller)
{
    if (!guard_ready() || message == NULL) return real.sendmsg(fd, message, flags);
    return send_message(fd, message, flags, caller);
}

static int judged_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                           const void *caller)
{
    if (!guard_ready() || messages == NULL) return real.sendmmsg(fd, messages, count, flags);
    if (guard_ignores(FS_OUTBOUND) && guard_ignores(FS_RUNTIME_API) && guard_ignores(FS_TMP) &&
        !runtime_api_watches(fd))
        return real.sendmmsg(fd, messages, count, flags);
    if (count > IOV_MAX) count = IOV_MAX; /* as the kernel does */
    for (unsigned i = 0; i < count; i++) {
        ssize_t sent = send_message(fd, &messages[i].msg_hdr, flags, caller);
        if (sent < 0) return i > 0 ? (int)i : -1;
        messages[i].msg_len = (unsigned)sent;
    }
    return (int)count;
}

static ssize_t judged_write(int fd, const void *bytes, size_t size, const void *caller)
{
    ssize_t written;
    ONE_BUFFER(message, bytes, size);
    if (sends(fd, &message, 0, caller, &written)) return written;
    written = real.write(fd, bytes, size);
    if (UNLIKELY(fd == 1 || fd == 2) && written > 0) lines_wrote(fd, bytes, (size_t)written);
    return written;
}

static ssize_t judged_writev(int fd, const struct iovec *vector, int count, const void *caller)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector,
                             .msg_iovlen = count > 0 ? (size_t)count : 0};
    ssize_t result;
    if (guard_ready() && vector != NULL && count > 0 && sends(fd, &message, 0, caller, &result))
        return result;
    return real.writev(fd, vector, count);
}

/* Both move bytes that no other door sees, out of a connection too: sendfile does so into a pipe,
 * since Linux 5.12. So `in` is inspected as a door that receives does it. */
static bool moving_refused(int in, int out, const void *caller)
{
    ssize_t result;
    return sends_unseen(out, caller) || (UNLIKELY(runtime_api_watches(in)) && guard_ready() &&
                                         runtime_api_sends_unseen(in, caller, &result));
}

static ssize_t moved(int in, ssize_t result)
{
    if (UNLIKELY(pending_hears_any()) && guard_ready()) inspect_received_unseen(in);
    return result;
}

static ssize_t judged_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t size,
                             unsigned flags, const void *caller)
{
    if (moving_refused(in, out, caller)) return -1;
    return moved(in, real.splice(in, in_offset, out, out_offset, size, flags));
}

static ssize_t judged_sendfile(int out, int in, off_t *offset, size_t size, const void *caller)
{
    if (moving_refused(in, out, caller)) return -1;
    return moved(in, real.sendfile(out, in, offset, size));
}

#include "doors_sending.gen.h"
