/* Doors of guard integrity to the kernel's newer calls on mounts and processes, which libc exports since 2.36, and to its filters. */
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "guard.h"

static int absent(void)
{
    errno = ENOSYS;
    return -1;
}

#define REFUSED(verb, object) (guard_ready() && integrity_refused(verb, object, CALLER()))
#define PASS(symbol, ...) (real.symbol ? real.symbol(__VA_ARGS__) : absent())

extern int fsopen(const char *, unsigned);
DOOR int fsopen(const char *type, unsigned flags)
{
    return REFUSED("mount", type) ? -1 : PASS(fsopen, type, flags);
}

extern int fsconfig(int, unsigned, const char *, const void *, int);
DOOR int fsconfig(int fd, unsigned command, const char *key, const void *value, int more)
{
    return REFUSED("configure a mount with", key) ? -1 : PASS(fsconfig, fd, command, key, value, more);
}

extern int fsmount(int, unsigned, unsigned);
DOOR int fsmount(int fd, unsigned flags, unsigned attributes)
{
    return REFUSED("mount with", "fsmount") ? -1 : PASS(fsmount, fd, flags, attributes);
}

extern int fspick(int, const char *, unsigned);
DOOR int fspick(int folder, const char *path, unsigned flags)
{
    return REFUSED("change the mount at", path) ? -1 : PASS(fspick, folder, path, flags);
}

extern int open_tree(int, const char *, unsigned);
DOOR int open_tree(int folder, const char *path, unsigned flags)
{
    return REFUSED("take hold of the mount at", path) ? -1 : PASS(open_tree, folder, path, flags);
}

extern int move_mount(int, const char *, int, const char *, unsigned);
DOOR int move_mount(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    return REFUSED("mount", to) ? -1 : PASS(move_mount, from_folder, from, to_folder, to, flags);
}

extern int mount_setattr(int, const char *, unsigned, void *, size_t);
DOOR int mount_setattr(int folder, const char *path, unsigned flags, void *attributes, size_t size)
{
    return REFUSED("change the mount at", path) ? -1 : PASS(mount_setattr, folder, path, flags, attributes, size);
}

extern int pidfd_getfd(int, int, unsigned);
DOOR int pidfd_getfd(int process, int fd, unsigned flags)
{
    return REFUSED("take another process's descriptor with", "pidfd_getfd") ? -1 : PASS(pidfd_getfd, process, fd, flags);
}

extern ssize_t process_madvise(int, const struct iovec *, size_t, int, unsigned);
DOOR ssize_t process_madvise(int process, const struct iovec *ranges, size_t count, int advice, unsigned flags)
{
    if (REFUSED("change a process's memory with", "process_madvise")) return -1;
    return PASS(process_madvise, process, ranges, count, advice, flags);
}

/* A filter answers the guard's own calls as it likes. Five arguments, as the kernel takes. */
enum { SET_SECCOMP = 22, SET_SYSCALL_USER_DISPATCH = 59 };

extern int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long);
DOOR int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    if (UNLIKELY(option == SET_SECCOMP || option == SET_SYSCALL_USER_DISPATCH) && REFUSED("filter system calls with", "prctl"))
        return -1;
    if (UNLIKELY(!real.prctl)) guard_start();
    return real.prctl(option, a, b, c, d);
}

#include "aliases_mounting.gen.h"
