/* The door of syscall(): a number that has a door of its own goes through that door; what could undo the guard is refused.
 * Everything else is handed on by a tail call, so that libc's syscall() sees its caller's frame. */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/types.h>

#include "dns_socket.h"
#include "guard.h"
#include "native.h"
#include "network.h"
#include "pending.h"
#include "program.h"
#include "processes.h"
#include "sys.h"

/* Newer than the headers that we build against; the same number on every architecture. */
#define NUMBER_PIDFD_GETFD 438
#define NUMBER_PROCESS_MADVISE 440
#define NUMBER_OPEN_TREE 428
#define NUMBER_MOVE_MOUNT 429
#define NUMBER_FSOPEN 430
#define NUMBER_FSCONFIG 431
#define NUMBER_FSMOUNT 432
#define NUMBER_FSPICK 433
#define NUMBER_CLONE3 435
#define NUMBER_CLOSE_RANGE 436
#define NUMBER_OPENAT2 437
#define NUMBER_MOUNT_SETATTR 442
#define NUMBER_FCHMODAT2 452
#define NUMBER_SETXATTRAT 463
#define NUMBER_GETXATTRAT 464
#define NUMBER_LISTXATTRAT 465
#define NUMBER_REMOVEXATTRAT 466
#define NUMBER_OPEN_TREE_ATTR 467
#define NUMBER_FILE_SETATTR 469
#define NUMBER_IO_URING_SETUP 425
#define NUMBER_IO_URING_ENTER 426
#define NUMBER_IO_URING_REGISTER 427
#define NUMBERS 512
#define X32 0x40000000u /* the x32 interface of x86_64: the same calls by other numbers */

struct call {
    int number;
    long a, b, c, d, e, f;
    const void *caller;
};

typedef long route_function(const struct call *);

static long fails(int error)
{
    errno = error;
    return -1;
}

static long passes(const struct call *call)
{
    return SYS_RESULT(sys_call6(call->number, call->a, call->b, call->c, call->d, call->e, call->f));
}

/* ---- numbers with a door ---- */

/* The door under its own name, with the type that the table gives it: headers know some only as macros. */
#define CALLEE(name) extern __typeof__(*real.name) callee_##name __asm__(#name)
#define ROUTE(name, ...)                                                                  \
    CALLEE(name);                                                                         \
    static long route_##name(const struct call *call) { return (long)callee_##name(__VA_ARGS__); }
/* The same, where the door asks whose code its caller is. */
#define ROUTE_NATIVE(name, ...)                                                           \
    CALLEE(name);                                                                         \
    static long route_##name(const struct call *call)                                     \
    {                                                                                     \
        native_asked_through(call->caller);                                               \
        long result = (long)callee_##name(__VA_ARGS__);                                   \
        native_asked_through(NULL);                                                       \
        return result;                                                                    \
    }
#define I(x) ((int)call->x)
#define U(x) ((unsigned)call->x)
#define N(x) ((size_t)call->x)
#define L(x) (call->x)
#define P(x) ((void *)call->x)

ROUTE(openat, I(a), P(b), I(c), U(d))
ROUTE(open_by_handle_at, I(a), P(b), I(c))
ROUTE(inotify_add_watch, I(a), P(b), U(c))
ROUTE(fanotify_mark, I(a), U(b), (uint64_t)call->c, I(d), P(e))
ROUTE(mkdirat, I(a), P(b), U(c))
ROUTE(unlinkat, I(a), P(b), I(c))
ROUTE(renameat, I(a), P(b), I(c), P(d))
ROUTE(renameat2, I(a), P(b), I(c), P(d), U(e))
ROUTE(linkat, I(a), P(b), I(c), P(d), I(e))
ROUTE(symlinkat, P(a), I(b), P(c))
ROUTE(readlinkat, I(a), P(b), P(c), N(d))
ROUTE(mknodat, I(a), P(b), U(c), (dev_t)call->d)
ROUTE(truncate, P(a), L(b))
ROUTE(fchownat, I(a), P(b), U(c), U(d), I(e))
ROUTE(setxattr, P(a), P(b), P(c), N(d), I(e))
ROUTE(lsetxattr, P(a), P(b), P(c), N(d), I(e))
ROUTE(getxattr, P(a), P(b), P(c), N(d))
ROUTE(lgetxattr, P(a), P(b), P(c), N(d))
ROUTE(listxattr, P(a), P(b), N(c))
ROUTE(llistxattr, P(a), P(b), N(c))
ROUTE(removexattr, P(a), P(b))
ROUTE(lremovexattr, P(a), P(b))
ROUTE(socket, I(a), I(b), I(c))
ROUTE(connect, I(a), P(b), U(c))
ROUTE(bind, I(a), P(b), U(c))
ROUTE(sendto, I(a), P(b), N(c), I(d), P(e), U(f))
ROUTE(sendmsg, I(a), P(b), I(c))
ROUTE(sendmmsg, I(a), P(b), U(c), I(d))
ROUTE(recvfrom, I(a), P(b), N(c), I(d), P(e), P(f))
ROUTE(recvmsg, I(a), P(b), I(c))
ROUTE(recvmmsg, I(a), P(b), U(c), I(d), P(e))
ROUTE(setsockopt, I(a), I(b), I(c), P(d), U(e))
ROUTE(write, I(a), P(b), N(c))
ROUTE(writev, I(a), P(b), I(c))
ROUTE(sendfile, I(a), I(b), P(c), N(d))
ROUTE(splice, I(a), P(b), I(c), P(d), N(e), U(f))
ROUTE(execve, P(a), P(b), P(c))
ROUTE(execveat, I(a), P(b), P(c), P(d), I(e))
ROUTE_NATIVE(mprotect, P(a), N(b), I(c))
ROUTE_NATIVE(pkey_mprotect, P(a), N(b), I(c), I(d))
ROUTE(munmap, P(a), N(b))
ROUTE(mremap, P(a), N(b), N(c), I(d), P(e))
ROUTE_NATIVE(mmap, P(a), N(b), I(c), I(d), I(e), L(f))
ROUTE(madvise, P(a), N(b), I(c))
ROUTE(remap_file_pages, P(a), N(b), I(c), N(d), I(e))
ROUTE_NATIVE(memfd_create, P(a), U(b))
ROUTE_NATIVE(personality, N(a))
ROUTE_NATIVE(shmat, I(a), P(b), I(c))
ROUTE(mount, P(a), P(b), P(c), N(d), P(e))
ROUTE(umount2, P(a), I(b))
ROUTE(chroot, P(a))
ROUTE(pivot_root, P(a), P(b))
ROUTE(unshare, I(a))
ROUTE(setns, I(a), I(b))
ROUTE(prctl, I(a), N(b), N(c), N(d), N(e))
ROUTE(process_vm_writev, I(a), P(b), N(c), P(d), N(e), N(f))
ROUTE(close, I(a))
ROUTE(close_range, U(a), U(b), I(c))
ROUTE(dup, I(a))
ROUTE(dup3, I(a), I(b), I(c))
ROUTE(fcntl, I(a), I(b), L(c))

/* The kernel's has no flags, libc's and fchmodat2 have. */
CALLEE(fchmodat);
static long route_fchmodat(const struct call *call) { return callee_fchmodat(I(a), P(b), U(c), 0); }
static long route_fchmodat2(const struct call *call) { return callee_fchmodat(I(a), P(b), U(c), I(d)); }

/* Without a path it is futimens, which libc's utimensat refuses. */
CALLEE(utimensat);
static long route_utimensat(const struct call *call)
{
    if (call->b == 0) return passes(call);
    return callee_utimensat(I(a), P(b), P(c), I(d));
}

/* libc's takes the offset as one number, the kernel's as two halves of which the first has it all here. */
CALLEE(pwritev2);
static long route_pwritev2(const struct call *call) { return callee_pwritev2(I(a), P(b), I(c), L(d), I(f)); }

#ifdef SYS_open
CALLEE(fork);
static long route_fork(const struct call *call)
{
    (void)call;
    return callee_fork();
}
CALLEE(vfork);
static long route_vfork(const struct call *call)
{
    (void)call;
    return callee_vfork();
}
ROUTE(open, P(a), I(b), U(c))
ROUTE(creat, P(a), U(b))
ROUTE(mkdir, P(a), U(b))
ROUTE(rmdir, P(a))
ROUTE(unlink, P(a))
ROUTE(rename, P(a), P(b))
ROUTE(link, P(a), P(b))
ROUTE(symlink, P(a), P(b))
ROUTE(readlink, P(a), P(b), N(c))
ROUTE(mknod, P(a), U(b), (dev_t)call->c)
ROUTE(chmod, P(a), U(b))
ROUTE(chown, P(a), U(b), U(c))
ROUTE(lchown, P(a), U(b), U(c))
ROUTE(utime, P(a), P(b))
ROUTE(utimes, P(a), P(b))
ROUTE(dup2, I(a), I(b))
CALLEE(futimesat);
static long route_futimesat(const struct call *call)
{
    if (call->b == 0) return passes(call);
    return callee_futimesat(I(a), P(b), P(c));
}
#endif

/* ---- numbers without one ---- */

/* struct open_how. What `resolve` asks of the way is asked of the kernel first, without touching the object; the object that it
 * found is then opened through the door. */
static long route_openat2(const struct call *call)
{
    struct { uint64_t flags, mode, resolve; } how, find = {0};
    char link[48];
    if ((size_t)call->d != sizeof how) return guard_integrity().mode == FS_BLOCK ? fails(E2BIG) : passes(call);
    if (call->c == 0) return fails(EFAULT);
    memcpy(&how, P(c), sizeof how);
    if ((how.flags >> 32) != 0 || (how.mode & ~07777ull) != 0) return fails(EINVAL);
    if (how.resolve == 0) return callee_openat(I(a), P(b), (int)how.flags, (mode_t)how.mode);
    if (guard_ignores(FS_TMP) && guard_ignores(FS_HANDLER) && guard_integrity().mode != FS_BLOCK) return passes(call);
    find.flags = O_PATH | O_CLOEXEC | (how.flags & (O_NOFOLLOW | O_DIRECTORY));
    find.resolve = how.resolve;
    int found = (int)sys_call(NUMBER_OPENAT2, call->a, call->b, &find, sizeof find);
    if (found == -ENOENT && (how.flags & O_CREAT) != 0) return fails(ENOSYS); /* as kernels before 5.6: callers have another way */
    if (found < 0) return fails(-found);
    if ((how.flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        sys_close(found);
        return fails(EEXIST);
    }
    struct stat status;
    if ((how.flags & O_PATH) == 0 && sys_fstat(found, &status) == 0 && S_ISLNK(status.st_mode)) {
        sys_close(found);
        return fails(ELOOP);
    }
    fs_program_descriptor_path(found, link);
    int fd = callee_openat(AT_FDCWD, link, (int)how.flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW));
    sys_close(found);
    return fd;
}

static const char *name_of(int number)
{
    switch (number) {
    case NUMBER_PIDFD_GETFD: return "pidfd_getfd";
    case NUMBER_PROCESS_MADVISE: return "process_madvise";
    case NUMBER_OPEN_TREE: return "open_tree";
    case NUMBER_MOVE_MOUNT: return "move_mount";
    case NUMBER_FSOPEN: return "fsopen";
    case NUMBER_FSCONFIG: return "fsconfig";
    case NUMBER_FSMOUNT: return "fsmount";
    case NUMBER_FSPICK: return "fspick";
    case NUMBER_MOUNT_SETATTR: return "mount_setattr";
    case NUMBER_OPEN_TREE_ATTR: return "open_tree_attr";
    case NUMBER_IO_URING_SETUP: return "io_uring_setup";
    case NUMBER_IO_URING_ENTER: return "io_uring_enter";
    case NUMBER_IO_URING_REGISTER: return "io_uring_register";
    case SYS_seccomp: return "seccomp";
    case SYS_userfaultfd: return "userfaultfd";
    case SYS_ptrace: return "ptrace";
    default: return "syscall";
    }
}

static long route_integrity(const struct call *call)
{
    if (integrity_refused("call", name_of(call->number), call->caller)) return -1;
    return passes(call);
}

/* Does by a ring in memory what every door stands in front of. ENOSYS is what its users expect where it is missing. */
static long route_io_uring(const struct call *call)
{
    if (integrity_refused("call", name_of(call->number), call->caller)) return fails(ENOSYS);
    return passes(call);
}

/* The kernel writes later, from memory that can change until then. */
static long route_io_submit(const struct call *call)
{
    bool looks = pending_any() || atomic_load_explicit(&dns_any, memory_order_relaxed);
    if (UNLIKELY(looks) && network_refuses_kind("send", "asynchronous", call->caller)) return fails(EACCES);
    return passes(call);
}

/* Too new for any libc to use, and older kernels have none: refused where something is blocked, as those would. */
static long route_too_new(const struct call *call)
{
    return guard_integrity().mode == FS_BLOCK ? fails(ENOSYS) : passes(call);
}

static route_function *const routes[NUMBERS] = {
    [SYS_openat] = route_openat,
    [NUMBER_OPENAT2] = route_openat2,
    [SYS_open_by_handle_at] = route_open_by_handle_at,
    [SYS_inotify_add_watch] = route_inotify_add_watch,
    [SYS_fanotify_mark] = route_fanotify_mark,
    [SYS_mkdirat] = route_mkdirat,
    [SYS_unlinkat] = route_unlinkat,
    [SYS_renameat] = route_renameat,
    [SYS_renameat2] = route_renameat2,
    [SYS_linkat] = route_linkat,
    [SYS_symlinkat] = route_symlinkat,
    [SYS_readlinkat] = route_readlinkat,
    [SYS_mknodat] = route_mknodat,
    [SYS_truncate] = route_truncate,
    [SYS_fchmodat] = route_fchmodat,
    [NUMBER_FCHMODAT2] = route_fchmodat2,
    [SYS_fchownat] = route_fchownat,
    [SYS_utimensat] = route_utimensat,
    [SYS_setxattr] = route_setxattr,
    [SYS_lsetxattr] = route_lsetxattr,
    [SYS_getxattr] = route_getxattr,
    [SYS_lgetxattr] = route_lgetxattr,
    [SYS_listxattr] = route_listxattr,
    [SYS_llistxattr] = route_llistxattr,
    [SYS_removexattr] = route_removexattr,
    [SYS_lremovexattr] = route_lremovexattr,
    [SYS_socket] = route_socket,
    [SYS_connect] = route_connect,
    [SYS_bind] = route_bind,
    [SYS_sendto] = route_sendto,
    [SYS_sendmsg] = route_sendmsg,
    [SYS_sendmmsg] = route_sendmmsg,
    [SYS_recvfrom] = route_recvfrom,
    [SYS_recvmsg] = route_recvmsg,
    [SYS_recvmmsg] = route_recvmmsg,
    [SYS_io_submit] = route_io_submit,
    [SYS_setsockopt] = route_setsockopt,
    [SYS_write] = route_write,
    [SYS_writev] = route_writev,
    [SYS_pwritev2] = route_pwritev2,
    [SYS_sendfile] = route_sendfile,
    [SYS_splice] = route_splice,
    [SYS_execve] = route_execve,
    [SYS_execveat] = route_execveat,
    [SYS_mprotect] = route_mprotect,
    [SYS_pkey_mprotect] = route_pkey_mprotect,
    [SYS_munmap] = route_munmap,
    [SYS_mremap] = route_mremap,
    [SYS_mmap] = route_mmap,
    [SYS_madvise] = route_madvise,
    [SYS_memfd_create] = route_memfd_create,
    [SYS_personality] = route_personality,
    [SYS_shmat] = route_shmat,
    [SYS_mount] = route_mount,
    [SYS_umount2] = route_umount2,
    [SYS_chroot] = route_chroot,
    [SYS_pivot_root] = route_pivot_root,
    [SYS_unshare] = route_unshare,
    [SYS_setns] = route_setns,
    [SYS_prctl] = route_prctl,
    [SYS_process_vm_writev] = route_process_vm_writev,
    [SYS_close] = route_close,
    [NUMBER_CLOSE_RANGE] = route_close_range,
    [SYS_dup] = route_dup,
    [SYS_dup3] = route_dup3,
    [SYS_fcntl] = route_fcntl,
#ifdef SYS_open
    [SYS_open] = route_open,
    [SYS_creat] = route_creat,
    [SYS_mkdir] = route_mkdir,
    [SYS_rmdir] = route_rmdir,
    [SYS_unlink] = route_unlink,
    [SYS_rename] = route_rename,
    [SYS_link] = route_link,
    [SYS_symlink] = route_symlink,
    [SYS_readlink] = route_readlink,
    [SYS_mknod] = route_mknod,
    [SYS_chmod] = route_chmod,
    [SYS_chown] = route_chown,
    [SYS_lchown] = route_lchown,
    [SYS_utime] = route_utime,
    [SYS_utimes] = route_utimes,
    [SYS_futimesat] = route_futimesat,
    [SYS_dup2] = route_dup2,
    [SYS_fork] = route_fork,
    [SYS_vfork] = route_vfork,
#endif
    [SYS_ptrace] = route_integrity,
    [SYS_userfaultfd] = route_integrity,
    [SYS_seccomp] = route_integrity,
    [SYS_remap_file_pages] = route_remap_file_pages,
    [NUMBER_PIDFD_GETFD] = route_integrity,
    [NUMBER_PROCESS_MADVISE] = route_integrity,
    [NUMBER_OPEN_TREE] = route_integrity,
    [NUMBER_MOVE_MOUNT] = route_integrity,
    [NUMBER_FSOPEN] = route_integrity,
    [NUMBER_FSCONFIG] = route_integrity,
    [NUMBER_FSMOUNT] = route_integrity,
    [NUMBER_FSPICK] = route_integrity,
    [NUMBER_MOUNT_SETATTR] = route_integrity,
    [NUMBER_OPEN_TREE_ATTR] = route_integrity,
    [NUMBER_IO_URING_SETUP] = route_io_uring,
    [NUMBER_IO_URING_ENTER] = route_io_uring,
    [NUMBER_IO_URING_REGISTER] = route_io_uring,
    [NUMBER_SETXATTRAT] = route_too_new,
    [NUMBER_GETXATTRAT] = route_too_new,
    [NUMBER_LISTXATTRAT] = route_too_new,
    [NUMBER_REMOVEXATTRAT] = route_too_new,
    [NUMBER_FILE_SETATTR] = route_too_new,
};

/* ---- clone ---- */

/* clone and clone3, whose child comes back from this very call: with a stack of its own, only a tail call lets it return to
 * its caller. True where *result is the answer; false where the call goes on, with *arguments of clone3 in our own copy. */
static bool answer_clone(struct call *call, long *result)
{
    static __thread struct clone_arguments {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
    } copy __attribute__((tls_model("initial-exec")));
    bool newer = call->number == NUMBER_CLONE3;
    uint64_t flags = (uint64_t)call->a, stack = (uint64_t)call->b;
    if (newer) {
        size_t size = (size_t)call->b;
        if (call->a == 0 || size < 64 || size > sizeof copy) {
            *result = fails(E2BIG);
            return true;
        }
        memset(&copy, 0, sizeof copy);
        memcpy(&copy, P(a), size);
        flags = copy.flags;
        stack = copy.stack;
        call->a = (long)&copy;
    }
    if ((flags & CLONE_THREAD) != 0) {
        processes_parts(flags);
        return false;
    }
    if (stack == 0) {
        if (newer)
            *result = processes_raw_clone3(&copy.flags, &copy, (size_t)call->b, call->caller);
        else
#if defined(__x86_64__)
            *result = processes_raw_clone(flags, P(c), P(d), (unsigned long)call->e, call->caller);
#else
            *result = processes_raw_clone(flags, P(c), P(e), (unsigned long)call->d, call->caller);
#endif
        return true;
    }
    *result = processes_judge_raw_clone(flags, call->caller);
    return *result < 0;
}

typedef long syscall_function(long, long, long, long, long, long, long);

/* Fixed arguments, as libc's: it hands on six whatever it was given. */
DOOR long door_syscall(long number_, long a, long b, long c, long d, long e, long f) __asm__("syscall");
DOOR long door_syscall(long number_, long a, long b, long c, long d, long e, long f)
{
    bool ready = guard_ready();
    syscall_function *next = (syscall_function *)(void *)real.syscall;
    if (UNLIKELY(!next)) return SYS_RESULT(sys_call6(number_, a, b, c, d, e, f)); /* while the doors are being looked up */
    if (!ready) __attribute__((musttail)) return next(number_, a, b, c, d, e, f);
    int number = (int)number_; /* the kernel looks at no more */
#if defined(__x86_64__)
    if (UNLIKELY(((unsigned)number & X32) != 0) && number > 0 && guard_integrity().mode == FS_BLOCK) return fails(ENOSYS);
#endif
    if (number < 0 || number >= NUMBERS) __attribute__((musttail)) return next(number_, a, b, c, d, e, f);
    route_function *route = routes[number];
    if (route) {
        struct call call = {number, a, b, c, d, e, f, CALLER()};
        return route(&call);
    }
    if (UNLIKELY(number == SYS_clone || number == NUMBER_CLONE3)) {
        struct call call = {number, a, b, c, d, e, f, CALLER()};
        long result;
        if (answer_clone(&call, &result)) return result;
        a = call.a;
    }
    __attribute__((musttail)) return next(number_, a, b, c, d, e, f);
}

#include "aliases_syscalls.gen.h"
