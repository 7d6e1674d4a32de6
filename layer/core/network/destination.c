/* Judges and reports where a connection or a message goes, and remembers connections whose first
 * bytes must be inspected. See destination.h. */
#include "network/destination.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>

#include "network/dns/dns_socket.h"
#include "files/files.h"
#include "guard/guard.h"
#include "events/events.h"
#include "network/first_bytes/inspect.h"
#include "network/names/local_resolvers.h"
#include "network/names/names.h"
#include "network/network.h"
#include "network/runtime_api/runtime_api.h"
#include "support/sys.h"
#include "support/text.h"

bool destination_refuses_path(const struct address *address, int flags, const char *verb,
                              const void *caller)
{
    if (address->path[0] == '\0' || guard_ignores(FS_TMP)) return false;
    struct path path = copied_own(address->path);
    return files_refuses_path(AT_FDCWD, &path, flags, verb, caller);
}

bool destination_holds(const struct address *address, struct destination_file *file,
                       const void *caller)
{
    struct judged judged;
    file->fd = -1;
    if (address->kind != ADDRESS_UNIX || address->path[0] == '\0' || !guard.blocks_any ||
        guard.proc_dev == 0 || guard_resolving())
        return true;
    int fd = sys_openat(AT_FDCWD, address->path, O_PATH | O_CLOEXEC, 0);
    if (fd >= 0) fd = files_reserve(fd);
    if (fd < 0) return errno = -fd, false;
    file->fd = fd;
    file->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    text_fd_path(file->address.sun_path, fd);
    file->size = sizeof file->address;
    bool refused = (files_judge_fd(fd, O_RDWR, &judged, caller) && files_refuse(&judged, caller)) ||
                   (!guard_ignores(FS_OUTBOUND) && local_resolvers_is(file->address.sun_path) &&
                    network_refuses_kind("ask", "dns", caller));
    if (!refused) return true;
    destination_release(file);
    return false;
}

void destination_release(struct destination_file *file)
{
    if (file->fd >= 0) files_release(file->fd);
}

/* Returns false if the connection cannot be remembered. Later it could not be distinguished from
 * others. */
static bool connects_to_runtime_api(int fd, int own, const struct network_target *target,
                                    const void *caller)
{
    if (target->runtime_caller == RUNTIME_CLIENT) return runtime_api_connects(own, caller);
    return pending_cookie(own) != 0 &&
           inspect_permits(own, &target->address, runtime_api_permits(fd, caller));
}

bool destination_refuses(int fd, int *own, const struct address *address, bool connecting,
                         int flags, const char *verb, const void *caller)
{
    struct network_target target;
    *own = fd;
    switch (address->kind) {
    case ADDRESS_IP: break;
    case ADDRESS_UNIX:
        if (guard_resolving() ? names_refuse_local_resolver(true)
                              : !guard_ignores(FS_OUTBOUND) && address->path[0] != '\0' &&
                                    local_resolvers_is(address->path) &&
                                    network_refuses_kind("ask", "dns", caller))
            return true;
        return destination_refuses_path(address, O_RDWR, verb, caller);
    case ADDRESS_FOREIGN: return network_refuses_kind(verb, "another family", caller);
    default: return connecting && inspect_refuses_dissolving(fd, caller);
    }
    target.address = *address;
    network_judge_ip(&target, caller, connecting);
    if (UNLIKELY(target.address.port == 0) && connecting && target.verdict.reason == FS_PORT &&
        dns_probes(fd))
        return false;
    if (UNLIKELY(target.family == FS_RUNTIME_API) && target.runtime_caller == RUNTIME_PERMITTED)
        *own = sys_own_fd(fd);
    if (UNLIKELY(target.family == FS_RUNTIME_API) && target.runtime_caller != RUNTIME_OTHER &&
        *own >= 0 && !connects_to_runtime_api(fd, *own, &target, caller)) {
        target.runtime_caller = RUNTIME_OTHER;
        network_judge_runtime_api(&target);
    }
    if (network_refuses(&target, fd, verb, caller)) return true;
    /* The stricter verdict may be an alert, while the other one requires certain first bytes. */
    if (target.family != FS_OUTBOUND || (target.verdict.mode != FS_ALLOW && target.proxy) ||
        LIKELY(!network_reads_bytes(&target) && !guard_has_pending()))
        return false;
    bool connects = connecting || flags & MSG_FASTOPEN;
    if (connects) *own = sys_own_fd(fd);
    return *own >= 0 && inspect_connects(*own, &target, connects, caller);
}

void destination_settles(const void *copy, const struct address *judged)
{
    sa_family_t family;
    if (judged->kind != ADDRESS_IP || judged->version != 4) return;
    memcpy(&family, copy, sizeof family);
    char *at = (char *)(uintptr_t)copy + (family == AF_INET6 ? 20 : 4);
    if (memcmp(at, judged->ip, 4) != 0 && guard_integrity().mode == FS_BLOCK)
        memcpy(at, judged->ip, 4);
}

bool destination_is_ignored(int fd, const void *bytes, size_t size)
{
    sa_family_t family = AF_INET;
    if (size >= sizeof family) memcpy(&family, bytes, sizeof family);
    return UNLIKELY(family == AF_UNSPEC) &&
           sys_socket_option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6;
}

ssize_t destination_finish(int own, int fd, ssize_t result)
{
    if (own >= 0 && own != fd) sys_close(own);
    if (UNLIKELY(files_pinned != 0)) files_unpin();
    return result;
}

ssize_t destination_refused(int own, int fd)
{
    return errno = EACCES, destination_finish(own, fd, -1);
}

/* Like the kernel, checks the fd before the address. */
int destination_unreadable(int fd)
{
    int type = sys_socket_option(fd, SOL_SOCKET, SO_TYPE);
    return errno = type < 0 ? -type : EFAULT, -1;
}
