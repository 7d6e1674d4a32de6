/* Doors of guard integrity: what reaches into a guarded process, or changes what a path means under it. No policy allows
 * these while anything is blocked. */
#include <signal.h>
#include <stdarg.h>
#include <sys/uio.h>

#include "guard.h"

extern long ptrace(int, ...);
DOOR long ptrace(int request, ...)
{
    va_list rest;
    va_start(rest, request);
    long pid = va_arg(rest, long), address = va_arg(rest, long), data = va_arg(rest, long);
    va_end(rest);
    if (guard_ready() && integrity_refused("trace a process with", "ptrace", CALLER())) return -1;
    return real.ptrace(request, pid, address, data);
}

extern ssize_t process_vm_writev(pid_t, const struct iovec *, unsigned long, const struct iovec *, unsigned long,
                                 unsigned long);
DOOR ssize_t process_vm_writev(pid_t pid, const struct iovec *local, unsigned long local_count, const struct iovec *remote,
                               unsigned long remote_count, unsigned long flags)
{
    if (guard_ready() && integrity_refused("write a process's memory with", "process_vm_writev", CALLER())) return -1;
    return real.process_vm_writev(pid, local, local_count, remote, remote_count, flags);
}

extern int mount(const char *, const char *, const char *, unsigned long, const void *);
DOOR int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
{
    if (guard_ready() && integrity_refused("mount", target, CALLER())) return -1;
    return real.mount(source, target, type, flags, data);
}

extern int umount(const char *);
DOOR int umount(const char *target)
{
    if (guard_ready() && integrity_refused("unmount", target, CALLER())) return -1;
    return real.umount(target);
}

extern int umount2(const char *, int);
DOOR int umount2(const char *target, int flags)
{
    if (guard_ready() && integrity_refused("unmount", target, CALLER())) return -1;
    return real.umount2(target, flags);
}

extern int chroot(const char *);
DOOR int chroot(const char *path)
{
    if (guard_ready() && integrity_refused("change the root to", path, CALLER())) return -1;
    return real.chroot(path);
}

extern int pivot_root(const char *, const char *);
DOOR int pivot_root(const char *root, const char *old)
{
    if (guard_ready() && integrity_refused("change the root to", root, CALLER())) return -1;
    if (!real.pivot_root) {
        errno = ENOSYS;
        return -1;
    }
    return real.pivot_root(root, old);
}

extern int unshare(int);
DOOR int unshare(int flags)
{
    if (flags != 0 && guard_ready() && integrity_refused("leave shared state with", "unshare", CALLER())) return -1;
    return real.unshare(flags);
}

extern int setns(int, int);
DOOR int setns(int fd, int flags)
{
    if (guard_ready() && integrity_refused("enter a namespace with", "setns", CALLER())) return -1;
    return real.setns(fd, flags);
}

#include "aliases_integrity.gen.h"
